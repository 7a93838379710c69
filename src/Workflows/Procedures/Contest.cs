namespace PgFlow.Workflows.Procedures;

/// <summary>Who becomes the primary after one was lost: whoever has the most WAL of the live branch.</summary>
/// <param name="Live">The live branch; null where a person goes on without knowing it.</param>
/// <param name="Asked">The node that a person named.</param>
/// <param name="Confirmers">Of whom one confirmed each commit; null where the cluster is not synchronous.</param>
/// <param name="Force">Go on although something may be lost.</param>
internal sealed record Contest(TimelineHistory? Live, NodeId? Asked, IReadOnlyList<NodeName>? Confirmers, bool Force)
{
    /// <summary>Decides, or refuses with all that may be lost, and how to go on all the same.</summary>
    public Verdict Decide(IReadOnlyList<Candidate> compared, Hint insist)
    {
        var winner = WinnerOf(compared);
        string[] risks = [.. Ahead(compared, winner), .. Behind(winner), .. Unproven(compared)];
        return Force || Failure.RefuseFor(risks, insist) is not { } refusal
            ? new(winner, [.. risks, .. Unread(compared, winner)])
            : throw refusal;
    }

    private Candidate WinnerOf(IReadOnlyList<Candidate> compared)
    {
        var best =
            compared
                .Where(node => node is { Answers: true, End: not null })
                .OrderByDescending(node => node.End)
                .ThenBy(node => node.Delayed)
                .ThenBy(node => node.Node.Name)
                .FirstOrDefault()
            ?? throw Failure.Refuse(
                string.Join(
                    "; ",
                    [
                        "no standby answers any more",
                        .. compared
                            .Where(node => node.Unknown is not null)
                            .Select(node => $"{node.Node}: {node.Unknown}"),
                    ]
                )
            );
        var winner = Asked is not { } asked
            ? best
            : compared.FirstOrDefault(node => node.Node == asked && node.Answers)
                ?? throw Failure.Refuse($"{asked} does not answer any more");
        // on another branch positions say nothing
        if (best.End > (winner.End ?? default) && Live?.Contains(winner.Timeline) is not false)
        {
            throw Failure.Refuse(
                $"{best.Node} has {PgFlowText.Bytes(best.End!.Value.BytesSince(winner.End ?? default))} more "
                    + $"than {winner.Node}; without a named node it is taken"
            );
        }

        return winner.ReplayPaused
            ? throw Failure.Refuse(
                $"replay is paused on {winner.Node}: its promotion would hang; resume it with: SELECT "
                    + "pg_wal_replay_resume()"
            )
            : winner;
    }

    private static IEnumerable<string> Ahead(IReadOnlyList<Candidate> compared, Candidate winner) =>
        compared
            .Where(node => !node.Answers && node.End > (winner.End ?? default))
            .OrderByDescending(node => node.End)
            .Select(node =>
                $"{node.Node} has {PgFlowText.Bytes(node.End!.Value.BytesSince(winner.End ?? default))} more "
                + $"than {winner.Node}; "
                + $"it does not run: start it (docker start {node.Node.Container}), then fail over again"
            );

    private IEnumerable<string> Behind(Candidate winner) =>
        Live is not null && winner.Timeline != Live.Tip && !(winner.End > Live.EndOf(winner.Timeline))
            ?
            [
                $"{winner.Node} has nothing of timeline {Live.Tip}, the live one: all that was committed there "
                    + "would be lost",
            ]
            : [];

    /// <summary>A commit may be on any of those that could confirm it: all but (quorum - 1) of them must have been
    /// read.</summary>
    private IEnumerable<string> Unproven(IReadOnlyList<Candidate> compared)
    {
        var unread =
            Confirmers
                ?.Where(name => compared.FirstOrDefault(node => node.Node.Name == name) is not { End: not null })
                .ToList()
            ?? [];
        return unread.Count < NodeSettings.Quorum
            ? []
            : unread.Select(name =>
                $"commits that only {name} confirmed may be lost: its WAL can't be read ({WhyOf(compared, name)})"
            );
    }

    private IEnumerable<string> Unread(IReadOnlyList<Candidate> compared, Candidate winner) =>
        compared
            .Where(node => node.End is null && Confirmers?.Contains(node.Node.Name) is not true)
            .Select(node => $"whether {node.Node} has more than {winner.Node} is unknown: {node.Unknown}");

    private static string WhyOf(IReadOnlyList<Candidate> compared, NodeName name) =>
        compared.FirstOrDefault(node => node.Node.Name == name)?.Unknown ?? "it is no standby of the live branch";
}

/// <summary>Who won, and what may be lost by it.</summary>
/// <param name="Winner">Who.</param>
/// <param name="Risks">What, each in a sentence.</param>
internal sealed record Verdict(Candidate Winner, IReadOnlyList<string> Risks);
