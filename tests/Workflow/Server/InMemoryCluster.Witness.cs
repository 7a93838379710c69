using System.Threading.Channels;
using Temporalio.Activities;

namespace PgFlow.WorkflowTests.Server;

/// <content>What the witness sees is what a test says.</content>
internal sealed partial class InMemoryCluster
{
    private readonly Channel<WitnessVerdict> _verdicts = Channel.CreateUnbounded<WitnessVerdict>();
    private readonly Channel<IReadOnlyList<Finding>> _findings = Channel.CreateUnbounded<IReadOnlyList<Finding>>();

    /// <summary>How often the witness began to look.</summary>
    public int Watches { get; private set; }

    private int _watching;

    /// <summary>Whether the witness looks.</summary>
    public bool IsWatched => _watching > 0;

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

    /// <summary>Lets an inspection find something.</summary>
    public void Find(params IReadOnlyList<Finding> findings) => Assert.True(_findings.Writer.TryWrite(findings));

    async Task<WitnessVerdict> IWitnessActivities.WatchClusterAsync(
        ClusterName cluster,
        WitnessVerdict? known,
        PrimarySeen? seen,
        WantedNews? wanted
    )
    {
        Watches++;
        try
        {
            return await NextAsync(_verdicts.Reader);
        }
        catch (OperationCanceledException)
            when (ActivityExecutionContext.Current.CancelReason is ActivityCancelReason.CancelRequested)
        {
            return new(WitnessFinding.Blind, null, []) { Seen = seen };
        }
    }

    Task<IReadOnlyList<Finding>> IWitnessActivities.WatchFindingsAsync(
        ClusterName cluster,
        IReadOnlyList<Finding> known,
        TimeSpan verifiedWithin
    ) => NextAsync(_findings.Reader);

    private async Task<T> NextAsync<T>(ChannelReader<T> shown)
    {
        var context = ActivityExecutionContext.Current;
        Interlocked.Increment(ref _watching);
        try
        {
            while (true)
            {
                context.Heartbeat();
                using var beat = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
                beat.CancelAfter(100);
                try
                {
                    return await shown.ReadAsync(beat.Token);
                }
                catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
                {
                    // goes on looking
                }
            }
        }
        finally
        {
            Interlocked.Decrement(ref _watching);
        }
    }
}
