namespace PgFlow.Workflows.Observation;

/// <summary>Findings as sentences: a primary message without period, perhaps its detail. The hint is for the reader's
/// own tool to show.</summary>
public static class FindingText
{
    /// <summary>What is wrong, and what to do about it as <paramref name="hint"/> says it.</summary>
    public static string Of(Finding finding, Func<Hint, string> hint)
    {
        ArgumentNullException.ThrowIfNull(finding);
        ArgumentNullException.ThrowIfNull(hint);
        return finding.Hint is { } known ? $"{Of(finding)}; {hint(known)}" : Of(finding);
    }

    /// <summary>What is wrong.</summary>
    public static string Of(Finding finding)
    {
        ArgumentNullException.ThrowIfNull(finding);
        var (node, detail) = (finding.Node, finding.Detail);
        return finding.Code switch
        {
            FindingCode.NoPrimary => "no node accepts writes",
            FindingCode.SplitBrain => $"SPLIT BRAIN: {detail}",
            FindingCode.NodeUnavailable => $"{node} is {detail}",
            FindingCode.LoginSlow => $"{node} is slow: {detail}",
            FindingCode.LoginRefused =>
                $"{node} refuses PgFlow's login ({detail}); it was asked through its own socket",
            FindingCode.RolesChanged => $"PgFlow's own roles on {node} were changed: {detail}",
            FindingCode.Unreadable => $"{node}: could not be read: {detail}",
            FindingCode.EndpointMisplaced => $"the virtual IP is on {detail}, not on the primary {node}",
            FindingCode.NotAStandby => $"{node} is no running standby ({detail})",
            FindingCode.NotStreaming => $"{node} does not stream from {detail}",
            FindingCode.ReplayPaused => $"replay is paused on {node}",
            FindingCode.ReplayDelayed => $"{node} replays {detail} later by its setting recovery_min_apply_delay",
            FindingCode.CapacityTooLow => $"{node} can't replay any more: {detail}",
            FindingCode.ForeignSystem => $"{node} belongs to another system ({detail})",
            FindingCode.StandbyLags => $"{node} is {detail}",
            FindingCode.SlotLost => $"slot {detail}: whoever reads from it needs the archive or has to begin anew",
            FindingCode.TablespacesOutside => detail!,
            FindingCode.ArchiverFails => $"{node} can't archive {detail}",
            FindingCode.ArchiverLags => $"{node}'s archiver lags: {detail}",
            FindingCode.SettingOverridden => $"{node}: {detail}",
            FindingCode.SummarizerFails =>
                $"{node}'s WAL summarizer fails: its incremental backups become full ones, and WAL that it has "
                    + "not read stays in pg_wal",
            FindingCode.RepositoryUnreadable => $"the repository can't be read: {detail}",
            FindingCode.NoBackup => $"no backup leads to timeline {detail}, the live one: it can't be recovered",
            FindingCode.LiveTimelineUnknown =>
                "which timeline is live is in no ledger, so nobody knows whether it can be recovered",
            FindingCode.WalMissing => $"WAL is missing: {detail}",
            FindingCode.NotRestarted =>
                $"{node} is not restarted after a crash or a reboot: its restart policy is {detail}",
            FindingCode.RestartPending => $"{node} waits for a restart to use {detail} as its files have it",
            FindingCode.ImageDiffers => $"{node}'s image is not that of {detail}, the primary",
            FindingCode.Outage => $"clients can't write while {node} is restarted where it is: {detail}",
            FindingCode.OffInternalNetwork => $"{node} is not on the cluster's internal network",
            FindingCode.OffReadOnlyEndpoint => $"{node} is not on the read-only endpoint {detail}",
            FindingCode.ClientsRefused =>
                $"{node} refuses clients: a procedure that took its address away ended half-way",
            FindingCode.VolumeFull => $"no room: {detail}",
            FindingCode.VolumeLow => $"little room: {detail}",
            FindingCode.BackupUnverified => $"no backup was verified since {detail}",
            FindingCode.SlotMissing => $"{node} has no slot for {detail}",
            FindingCode.SynchronousStandbysDiffer =>
                $"synchronous_standby_names on {node} does not match the cluster's configuration: {detail}",
            FindingCode.CommitsWait => $"commits on {node} wait for confirmations that nobody gives: {detail}",
            FindingCode.ConfirmationsUnproven =>
                $"not all that {node} acknowledged is proven to be on those that confirm its commits now: it asked "
                    + $"{detail} before",
            FindingCode.FewerConfirm => $"commits on {node} wait for {detail}",
            FindingCode.QuorumDiffers =>
                $"{node} would let commits wait for another number of standbys, were it the primary: {detail}",
            FindingCode.MembersDiffer => $"{node} has other nodes in its settings than the cluster: {detail}",
            FindingCode.NodeLeftBehind => $"{node} is no node of the cluster, and something of it is left",
            FindingCode.NodeRemoved => $"{node}'s container and volume are removed: nothing brings its data back",
            FindingCode.NoStandbyLeft =>
                $"{node} is the last standby: nothing takes over when {detail} is lost, but a recovery from a backup",
            FindingCode.ContainerMissing => $"{node} is {detail}",
            FindingCode.ResourceMissing => $"the {detail} is gone",
            FindingCode.ResourceForeign => $"the {detail}",
            FindingCode.CommitsMayBeLost => $"{node} is healthy: what it commits until it is fenced may be lost",
            FindingCode.NotTakingPart => $"{node} does not take part: {detail}",
            FindingCode.NoCandidate => $"{detail}, so it is no candidate",
            FindingCode.LiveBranchDropped =>
                $"{detail}: all that the live one has beyond it is dropped from the cluster",
            FindingCode.WritesDropped =>
                $"{node} accepts writes: what {detail} does not have of them is dropped from the cluster",
            FindingCode.StaysDown => $"{node} stays down until the archive has taken what it kept",
            FindingCode.RepositoryGone =>
                "the repository is gone with archive, backups and ledger: nothing before this repair can be recovered",
            FindingCode.ClientsCutOff =>
                $"clients are cut off from {node} at once; what was written after the target stays on timeline "
                    + $"{detail}, which can be recovered to",
            FindingCode.NotRecovered => "unlogged tables come back empty, prepared transactions come back prepared",
            FindingCode.NobodyConfirms => "one node alone can't be synchronous: there is nobody to confirm",
            FindingCode.Irreversible => "nothing brings it back",
            FindingCode.ForeignStays => $"{detail} stays: it is not PgFlow's",
            FindingCode.RolesOfSource => $"its roles and passwords are those of {detail}",
            FindingCode.LiveTimelineDoubtful
            or FindingCode.SlotLeftBehind
            or FindingCode.RemovedEarly
            or FindingCode.StaysUnknown
            or FindingCode.Expires
            or FindingCode.MoreExpires
            or FindingCode.PrimaryBearsLoad
            or FindingCode.ImageMoved
            or FindingCode.HistoryMissing
            or FindingCode.BranchUnknown
            or FindingCode.OpeningUnknown
            or FindingCode.HistoryContradicts
            or FindingCode.ClocksDisagree
            or FindingCode.BackupUnusable => detail!,
            _ => $"{finding.Code} {node} {detail}",
        };
    }
}
