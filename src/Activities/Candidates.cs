using System.Diagnostics;
using Docker.DotNet;

namespace PgFlow.Activities;

/// <summary>How far standbys have got, when nobody sends any more.</summary>
internal sealed class Candidates(Inventory inventory, NodeWal wal, Sql sql)
{
    public async Task<Candidate> ObserveAsync(NodeId id, TimelineHistory? live)
    {
        var node = await inventory.NodeAsync(id);
        var asked = node.Running ? await AskPositionAsync(node) : null;
        var found = asked is { End: not null }
            ? asked
            : await ReadPositionAsync(asked ?? new(id, live?.Tip ?? default, End: null) { Answers = false }, live);
        return found with { Runs = node.State.Running };
    }

    /// <summary>What a standby says; null where it does not answer.</summary>
    private async Task<Candidate?> AskPositionAsync(NodeContainer container)
    {
        try
        {
            var identifying = sql.IdentifyAsync(container); // side by side: clients are waiting
            await using var connection = await sql.OpenAsync(container);
            // With its sender gone a walreceiver ends at once; one that hangs on is given what it takes for the
            // position to stand still.
            var position = "";
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(1); )
            {
                var now = await Sql.QueryScalarAsync<string>(
                    connection,
                    """
                    SELECT (SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming') || ' '
                        || coalesce(pg_last_wal_receive_lsn(), '0/0')
                        || ' ' || coalesce(pg_last_wal_replay_lsn(), '0/0')
                        || ' ' || pg_is_wal_replay_paused()
                        || ' ' || (SELECT setting <> '0' FROM pg_settings WHERE name = 'recovery_min_apply_delay')
                    """
                );
                if (now.StartsWith("0 ", StringComparison.Ordinal) || now == position)
                {
                    position = now;
                    break;
                }

                position = now;
                await Task.Delay(TimeSpan.FromMilliseconds(100), DockerEngine.ActivityToken);
            }

            var (_, timeline, _) = await identifying;
            if (position.Split(' ') is not [_, var received, var replayed, var paused, var delayed])
            {
                return null;
            }

            // Until it has streamed since its start, WAL that it has and has not replayed is in no position that it
            // tells.
            var end = Lsn.Parse(received);
            return new(container.Id, timeline, end > default(Lsn) && end >= Lsn.Parse(replayed) ? end : null)
            {
                ReplayPaused = paused == "true",
                Delayed = delayed == "true",
            };
        }
        catch (Exception e) when (Sql.IsUnavailable(e) && !DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>The end of the valid WAL in a standby's volume.</summary>
    private async Task<Candidate> ReadPositionAsync(Candidate candidate, TimelineHistory? live)
    {
        try
        {
            var end = await wal.EndAsync(candidate.Node, live ?? new(candidate.Timeline, []));
            return candidate with { End = end.End, Timeline = candidate.Answers ? candidate.Timeline : end.Timeline };
        }
        catch (Exception e)
            when (e is InvalidDataException or IOException or DockerApiException or TimeoutException
                && !DockerEngine.ActivityToken.IsCancellationRequested
            )
        {
            return candidate with { Unknown = e.Message };
        }
    }
}
