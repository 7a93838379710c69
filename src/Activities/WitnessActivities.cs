using System.Diagnostics;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Exceptions;

namespace PgFlow.Activities;

internal sealed class WitnessActivities(
    Inventory inventory,
    NodeLife life,
    Sql sql,
    IClusterActivities clusters,
    IRepositoryActivities repositories
) : IWitnessActivities
{
    private static readonly TimeSpan InspectionInterval = TimeSpan.FromSeconds(30);

    /// <summary>Reading a repository takes a container and a second of its disk.</summary>
    private static readonly TimeSpan RepositoryInterval = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan TemporalLimit = TimeSpan.FromSeconds(1);

    public async Task<WitnessVerdict> WatchClusterAsync(
        ClusterName cluster,
        WitnessVerdict? known,
        PrimarySeen? seen,
        WantedNews? wanted
    )
    {
        var context = ActivityExecutionContext.Current;
        var judge = new WitnessJudge(known, await SeenByEarlierAttemptAsync(context.Info) ?? seen, wanted);
        ProgressReporter.Watch("begins to look", judge.Seen);
        using var ending = EndingOf(context);
        using var watch = new ClusterWatch(cluster, inventory, life, sql);
        while (!ending.IsCancellationRequested)
        {
            var clock = Stopwatch.StartNew();
            if (judge.After(await HeldAsync(cluster, await watch.LookAsync(), judge.Seen)) is { } news)
            {
                return news;
            }

            ProgressReporter.Watch(judge.Newest!.Sentence, judge.Seen);
            var rest = judge.Rest - clock.Elapsed;
            await Task.Delay(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, ending.Token)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return context.CancelReason is ActivityCancelReason.CancelRequested
            ? judge.Newest ?? new(WitnessFinding.Blind, seen?.Node, []) { Seen = judge.Seen }
            : throw WorkerEnds();
    }

    public async Task<IReadOnlyList<Finding>> WatchFindingsAsync(
        ClusterName cluster,
        IReadOnlyList<Finding> known,
        TimeSpan verifiedWithin
    )
    {
        var context = ActivityExecutionContext.Current;
        using var ending = EndingOf(context);
        var findings = new WitnessFindings(known);
        var archive = new ArchiveState { Unreadable = "not read yet" };
        var readAt = 0L;
        while (!ending.IsCancellationRequested)
        {
            if (await HolderAsync(ClusterLease.IdOf(cluster)) is null)
            {
                if (
                    archive.Unreadable is not null
                    || findings.IsInDoubt
                    || Stopwatch.GetElapsedTime(readAt) > RepositoryInterval
                )
                {
                    (archive, readAt) = (await ReadAsync(cluster), Stopwatch.GetTimestamp());
                }

                if (
                    await ObserveAsync(cluster) is { } state
                    && WitnessFindings.Of(state, archive, verifiedWithin, DateTimeOffset.UtcNow) is { } found
                    && findings.After(found) is { } news
                )
                {
                    return news;
                }
            }
            else
            {
                findings.Forget();
            }

            await Task.Delay(InspectionInterval, ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        context.CancellationToken.ThrowIfCancellationRequested();
        throw WorkerEnds();
    }

    private static CancellationTokenSource EndingOf(ActivityExecutionContext context) =>
        CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, context.WorkerShutdownToken);

    private static ApplicationFailureException WorkerEnds() => new("its worker ends: another one goes on");

    private async Task<ArchiveState> ReadAsync(ClusterName cluster)
    {
        try
        {
            return await repositories.InspectArchiveAsync(cluster);
        }
        catch (Exception e) when (!DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return new() { Unreadable = e.Message };
        }
    }

    /// <returns>Null where Docker does not answer: the other watch says so.</returns>
    private async Task<ClusterState?> ObserveAsync(ClusterName cluster)
    {
        try
        {
            return await clusters.ObserveClusterAsync(cluster);
        }
        catch (Exception e)
            when (e is HttpRequestException or IOException or TimeoutException
                && !DockerEngine.ActivityToken.IsCancellationRequested
            )
        {
            return null;
        }
    }

    private static async Task<PrimarySeen?> SeenByEarlierAttemptAsync(ActivityInfo info) =>
        info.HeartbeatDetails.Count > 0 ? (await info.HeartbeatDetailAtAsync<ActivityProgress>(0)).Seen : null;

    /// <summary>The look with whoever holds the cluster, where that matters.</summary>
    private static async Task<Look> HeldAsync(ClusterName cluster, Look look, PrimarySeen? seen) =>
        WitnessVerdict.Of(look, seen).Finding is WitnessFinding.Well or WitnessFinding.Blind
            ? look
            : look with
            {
                HeldBy = await HolderAsync(ClusterLease.IdOf(cluster)),
            };

    private static async Task<string?> HolderAsync(string lease)
    {
        var context = ActivityExecutionContext.Current;
        try
        {
            var found = await context
                .TemporalClient.GetWorkflowHandle(lease)
                .DescribeAsync(
                    new()
                    {
                        Rpc = new() { Timeout = TemporalLimit, CancellationToken = context.CancellationToken },
                    }
                );
            return found.Status is WorkflowExecutionStatus.Running ? $"{found.ParentId} works on it" : null;
        }
        catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound)
        {
            return null;
        }
        catch (Exception e) when (e is RpcException or RpcTimeoutOrCanceledException or OperationCanceledException)
        {
            return "Temporal does not say whether a procedure works on it";
        }
    }
}
