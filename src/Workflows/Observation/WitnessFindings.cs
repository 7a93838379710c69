namespace PgFlow.Workflows.Observation;

/// <summary>What a witness finds of a cluster whose primary is well. What one inspection finds, or misses, alone is no
/// news.</summary>
/// <param name="known">What was found before.</param>
internal sealed class WitnessFindings(IReadOnlyList<Finding> known)
{
    /// <summary>What the verdict on the primary says itself.</summary>
    private static readonly FindingCode[] OfVerdict = [FindingCode.CommitsWait, FindingCode.EndpointMisplaced];

    private IReadOnlyList<Finding>? _last;

    /// <summary>Whether the next inspection decides something: what it rests on must be new, too.</summary>
    public bool IsInDoubt => _last is not null && !Same(_last, known);

    /// <summary>What an inspection finds; null where the primary is what is wrong.</summary>
    /// <param name="state">The cluster.</param>
    /// <param name="archive">Its repository.</param>
    /// <param name="verifiedWithin">How old the last proof of a backup may be.</param>
    /// <param name="now">When that is.</param>
    public static IReadOnlyList<Finding>? Of(
        ClusterState state,
        ArchiveState archive,
        TimeSpan verifiedWithin,
        DateTimeOffset now
    ) =>
        state.Primaries.Count == 1
            ?
            [
                .. Inspection
                    .Of(state, archive)
                    .Findings.Where(finding => !OfVerdict.Contains(finding.Code))
                    .Concat(Unverified(state.Cluster, archive, now - verifiedWithin)),
            ]
            : null;

    /// <summary>Takes one more inspection into account.</summary>
    /// <returns>All that is found now, where that is news.</returns>
    public IReadOnlyList<Finding>? After(IReadOnlyList<Finding> found)
    {
        var last = _last;
        _last = found;
        if (last is null)
        {
            return null;
        }

        List<Finding> stands =
        [
            .. found.Where(finding => Has(known, finding) || Has(last, finding)),
            .. last.Where(finding => Has(known, finding) && !Has(found, finding)),
        ];
        return Same(stands, known) ? null : stands;
    }

    /// <summary>What was found before a time in which nobody looked, as while a procedure works, counts for
    /// nothing.</summary>
    public void Forget() => _last = null;

    private static bool Same(IReadOnlyList<Finding> some, IReadOnlyList<Finding> others) =>
        some.All(finding => Has(others, finding)) && others.All(finding => Has(some, finding));

    /// <summary>Whether there is one of the same kind about the same: numbers change all the time.</summary>
    public static bool Has(IEnumerable<Finding> findings, Finding finding) =>
        findings.Any(other => (other.Code, other.Node, other.Subject) == (finding.Code, finding.Node, finding.Subject));

    private static IEnumerable<Finding> Unverified(ClusterName cluster, ArchiveState archive, DateTimeOffset limit) =>
        archive.UnverifiedSince is { } since && since < limit
            ?
            [
                new(
                    FindingCode.BackupUnverified,
                    Detail: PgFlowText.Exact(since),
                    Hint: Hint.Run("verify one", nameof(VerifyBackup), cluster)
                ),
            ]
            : [];
}
