namespace PgFlow.Workflows.Procedures;

/// <summary>Who becomes the primary after one was lost: whoever has the most WAL of the live branch.</summary>
/// <param name="Live">The live branch; null where a person goes on without knowing it.</param>
/// <param name="Asked">The node that a person named.</param>
/// <param name="Proof">What the lost primary demanded before it acknowledged a commit.</param>
/// <param name="Force">Go on although something may be lost.</param>
internal sealed record Contest(TimelineHistory? Live, NodeId? Asked, ConfirmationProof Proof, bool Force)
{
    /// <summary>Decides, or refuses with all that may be lost, and how to go on all the same.</summary>
    public Verdict Decide(IReadOnlyList<Candidate> compared, Hint insist)
    {
        var winner = WinnerOf(compared);
        var unproven = Proof.RisksOf(compared);
        string[] risks = [.. Ahead(compared, winner), .. Behind(winner), .. unproven.Select(risk => risk.Text)];
        var said = unproven.SelectMany(risk => risk.Unread).ToHashSet();
        return Force || Failure.RefuseFor(risks, insist) is not { } refusal
            ? new(winner, [.. risks, .. Unread(compared).Where(node => !said.Contains(node.Name)).Select(TextOf)])
            : throw refusal;

        string TextOf((string Name, string? Why) node) =>
            $"whether {node.Name} has more than {winner.Node} is unknown: {node.Why}";
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

    private static IEnumerable<(string Name, string? Why)> Unread(IReadOnlyList<Candidate> compared) =>
        compared.Where(node => node.End is null).Select(node => (node.Node.ToString(), node.Unknown));
}

/// <summary>Who won, and what may be lost by it.</summary>
/// <param name="Winner">Who.</param>
/// <param name="Risks">What, each in a sentence.</param>
internal sealed record Verdict(Candidate Winner, IReadOnlyList<string> Risks);
