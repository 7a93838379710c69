namespace PgFlow.Workflows.Values;

/// <summary>How a primary comes from what its commits may have waited for to what they wait for next.</summary>
/// <param name="Next">What it demands from now on.</param>
/// <param name="Earlier">Of what they may have waited for, that by which a commit may lie elsewhere than
/// <paramref name="Next"/> says: its file keeps it until as many as <paramref name="Next"/> demands have received all
/// of it.</param>
internal sealed record DemandChange(Demand Next, IReadOnlyList<string> Earlier)
{
    /// <summary>Between nothing and a demand it is the checkpointer that decides whether commits wait, and it does not
    /// read its settings while it works on a checkpoint.</summary>
    public bool NeedsCheckpoint => !Next.IsNone && Earlier.Any(one => Demand.Parse(one).IsNone);

    /// <summary>As its file says; null where nothing has to be kept.</summary>
    public string? Kept => Earlier.Count == 0 ? null : string.Join(';', Earlier);

    /// <summary>Of all that they may have waited for.</summary>
    public static DemandChange Of(Demand next, IEnumerable<string> former) =>
        new(
            next,
            [
                .. former
                    .Distinct()
                    .Where(one => one != next.ToString() && (next.IsNone || !Demand.Parse(one).Implies(next))),
            ]
        );
}
