using System.Diagnostics;
using Microsoft.Extensions.Options;

namespace PgFlow.Activities;

/// <summary>Waits for what standbys replay.</summary>
internal sealed class Replay(DockerEngine docker, NodeEnd ends, Sql sql, IOptions<ActivityHostOptions> options)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    /// <summary>How often a wait looks whether the nodes are still there that it depends on.</summary>
    private static readonly TimeSpan EndLook = TimeSpan.FromMilliseconds(250);

    private TimeSpan Patience => options.Value.Patience;

    public Task ReplayedAsync(NodeContainer standby, Lsn position, TimeSpan? patience = null) =>
        AdvancesAsync(
            $"{standby.Id} replays up to {position}",
            () => sql.QueryTextOrEmptyAsync(standby, "SELECT pg_last_wal_replay_lsn()::text"),
            answer => Lsn.TryParse(answer, null, out var replayed) && replayed >= position,
            [standby],
            patience,
            position
        );

    /// <summary>Asks again until it is so; fails at once when one of the nodes that it depends on has ended, and when
    /// nothing has changed for too long.</summary>
    public async Task AdvancesAsync(
        string what,
        Func<Task<string>> ask,
        Func<string, bool> isSo,
        NodeContainer[] nodes,
        TimeSpan? patience = null,
        Lsn? end = null
    )
    {
        var last = "";
        Lsn? first = null;
        for (
            var (still, unseen) = (Stopwatch.StartNew(), Stopwatch.StartNew());
            ;
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            var answer = await ask();
            if (isSo(answer))
            {
                return;
            }

            if (answer != last)
            {
                still.Restart();
                last = answer;
            }

            if (answer.Length == 0 || unseen.Elapsed > EndLook)
            {
                await Task.WhenAll(nodes.Select(ends.RequireSameRunAsync));
                unseen.Restart();
            }

            if (end is { } position && Lsn.TryParse(answer, null, out var now))
            {
                first ??= now;
                ProgressReporter.Report(what, now.BytesSince(first.Value), position.BytesSince(first.Value));
            }
            else
            {
                ProgressReporter.Say($"{what}; now {answer}");
            }

            if (still.Elapsed > (patience ?? Patience))
            {
                throw Failure.Stick(
                    $"{what}: no progress for {(patience ?? Patience).TotalSeconds:0} s, now '{answer}'; "
                        + $"{nodes[0].Id}'s log: {await docker.Of(nodes[0].Id).OfLogAsync(5)}"
                );
            }
        }
    }
}
