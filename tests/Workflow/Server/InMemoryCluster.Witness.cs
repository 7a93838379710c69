using System.Threading.Channels;
using Temporalio.Activities;

namespace PgFlow.WorkflowTests.Server;

/// <content>What the witness sees is what a test says.</content>
internal sealed partial class InMemoryCluster
{
    private readonly Channel<WitnessVerdict> _verdicts = Channel.CreateUnbounded<WitnessVerdict>();

    /// <summary>How often the witness began to look.</summary>
    public int Watches { get; private set; }

    /// <summary>Whether the witness looks.</summary>
    public bool IsWatched { get; private set; }

    /// <summary>Lets the witness see something.</summary>
    public void Show(
        WitnessFinding finding,
        string primary = "p1",
        bool endsByItself = false,
        (int Demanded, int Streaming)? confirmations = null
    ) =>
        Assert.True(
            _verdicts.Writer.TryWrite(
                new(finding, NodeName.Parse(primary), ["as a test says"])
                {
                    Seen = new(NodeName.Parse(primary), DateTimeOffset.UnixEpoch, new(0x5000000), []),
                    EndsByItself = endsByItself,
                    Demanded = confirmations?.Demanded,
                    Streaming = confirmations?.Streaming,
                }
            )
        );

    async Task<WitnessVerdict> IWitnessActivities.WatchClusterAsync(
        ClusterName cluster,
        WitnessVerdict? known,
        PrimarySeen? seen,
        WantedNews? wanted
    )
    {
        var context = ActivityExecutionContext.Current;
        (Watches, IsWatched) = (Watches + 1, true);
        try
        {
            while (true)
            {
                context.Heartbeat();
                using var beat = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
                beat.CancelAfter(100);
                try
                {
                    return await _verdicts.Reader.ReadAsync(beat.Token);
                }
                catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
                {
                    // goes on looking
                }
            }
        }
        catch (OperationCanceledException) when (context.CancelReason is ActivityCancelReason.CancelRequested)
        {
            return new(WitnessFinding.Blind, null, []) { Seen = seen };
        }
        finally
        {
            IsWatched = false;
        }
    }
}
