using System.Text.Json.Serialization;

namespace PgFlow.Workflows.Procedures;

/// <summary>What WatchCluster takes.</summary>
public sealed record WatchClusterInput : ProcedureInput
{
    private const int Most = 1024 * 1024;

    /// <summary>How much WAL a failover may lose for sure, in MB (2^20 bytes); above that a person decides.</summary>
    [Flag("How many MB of WAL a failover may lose; above that a person decides (16)", Value = "MB")]
    public int MaxLoss { get; init; } = 16;

    /// <summary>Whether the old primary is brought back as a standby when the failover has succeeded.</summary>
    [Flag("Bring the old primary back as a standby when a failover has succeeded")]
    public bool Failback { get; init; }

    /// <summary>How long commits wait for a standby that is away before fewer are demanded, in seconds, until enough
    /// stream again. They wait for ever where nothing is said.</summary>
    [Flag("After how many seconds commits wait for fewer standbys, until enough stream again (never)", Value = "S")]
    public int? FallBackAfterSeconds { get; init; }

    /// <summary>After how many days without a backup whose recovery was proven it says so.</summary>
    [Flag("After how many days without a verified backup it says so (7)", Value = "DAYS")]
    public int VerifiedWithinDays { get; init; } = 7;

    /// <summary>What the run before this one knew; nobody gives it by hand.</summary>
    public WitnessMemory? Memory { get; init; }

    internal TimeSpan VerifiedWithin => TimeSpan.FromDays(VerifiedWithinDays);

    internal long MostLoss => MaxLoss * 1024L * 1024;

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() =>
        [
            .. MaxLoss is < 0 or > Most
                ? [new("maxLoss", $"{MaxLoss} is not from 0 to {Most} MB")]
                : Array.Empty<InputProblem>(),
            .. FallBackAfterSeconds is < 1 or > 24 * 60 * 60
                ? [new("fallBackAfterSeconds", $"{FallBackAfterSeconds} is not from 1 to a day")]
                : Array.Empty<InputProblem>(),
            .. VerifiedWithinDays is < 1 or > 3650
                ? [new("verifiedWithinDays", $"{VerifiedWithinDays} is not from 1 to 3650")]
                : Array.Empty<InputProblem>(),
            .. DryRun ? [Unknown("dryRun", "it changes nothing before it acts")] : Array.Empty<InputProblem>(),
            .. Approve ? [Unknown("approve", "it acts where nobody is there")] : Array.Empty<InputProblem>(),
            .. TakeOver is not null ? [Unknown("takeOver", "it holds no cluster")] : Array.Empty<InputProblem>(),
        ];

    private static InputProblem Unknown(string field, string why) => new(field, $"not for a witness: {why}");
}

/// <summary>What a witness knows from one run to the next.</summary>
public sealed record WitnessMemory
{
    /// <summary>Since when it watches.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>Its last verdict.</summary>
    public WitnessVerdict? Known { get; init; }

    /// <summary>The primary when it was last well.</summary>
    public PrimarySeen? Seen { get; init; }

    /// <summary>Who has paused it; null while it watches.</summary>
    public WitnessDecision? Paused { get; init; }

    /// <summary>How many standbys confirmed each commit before it has had fewer demanded; null where it has
    /// not.</summary>
    public int? FellBackFrom { get; init; }

    /// <summary>When it last started a failover.</summary>
    public DateTimeOffset? LastFailoverAt { get; init; }

    /// <summary>Its newest decisions, the last one last.</summary>
    public IReadOnlyList<WitnessDecision> Decisions { get; init; } = [];

    /// <summary>What else is wrong with the cluster.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>Those that are not in the ledger yet.</summary>
    public IReadOnlyList<WitnessDecision> Unrecorded { get; init; } = [];
}

/// <summary>What a witness has decided, or was told.</summary>
/// <param name="At">When.</param>
/// <param name="Action">What.</param>
/// <param name="Summary">The same in one sentence.</param>
/// <param name="Evidence">What it had seen.</param>
public sealed record WitnessDecision(
    DateTimeOffset At,
    WitnessAction Action,
    string Summary,
    IReadOnlyList<string> Evidence
)
{
    /// <summary>Who has told it; null where it was its own decision.</summary>
    public string? By { get; init; }

    /// <summary>Why, in their words.</summary>
    public string? Reason { get; init; }

    /// <summary>The procedure that it has started.</summary>
    public string? WorkflowId { get; init; }

    /// <summary>What to do about it.</summary>
    public Hint? Hint { get; init; }

    /// <summary>Whether a person has to come.</summary>
    [JsonIgnore]
    public bool IsAlert => Action is WitnessAction.Alerted or WitnessAction.Found;

    /// <summary>Whether it is about something else than whether clients can write.</summary>
    [JsonIgnore]
    public bool IsAside => Action is WitnessAction.Found or WitnessAction.Passed;

    /// <summary>Whether it says nothing that the other does not say.</summary>
    internal bool IsSameAs(WitnessDecision? other) =>
        other is not null && (Action, Summary) == (other.Action, other.Summary);
}

/// <summary>What a witness does.</summary>
public enum WitnessAction
{
    /// <summary>It began.</summary>
    Started,

    /// <summary>All is well.</summary>
    Watching,

    /// <summary>It started a failover.</summary>
    FailedOver,

    /// <summary>It started a failback of the old primary.</summary>
    FailedBack,

    /// <summary>It had fewer standbys confirm each commit, or as many as before.</summary>
    SetConfirmations,

    /// <summary>It does nothing, and nobody has to.</summary>
    LeftAlone,

    /// <summary>It does nothing, and a person has to come.</summary>
    Alerted,

    /// <summary>Something else is wrong with the cluster.</summary>
    Found,

    /// <summary>It is wrong no longer.</summary>
    Passed,

    /// <summary>A person has paused it.</summary>
    Paused,

    /// <summary>A person has let it go on.</summary>
    Resumed,

    /// <summary>A person has ended it.</summary>
    Stopped,
}

/// <summary>The argument of the updates <c>pause</c>, <c>resume</c> and <c>stop</c>.</summary>
/// <param name="By">Who says so.</param>
/// <param name="Reason">Why.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record WitnessOrder(string? By = null, string? Reason = null);

/// <summary>The answer to the query <c>witness</c>.</summary>
/// <param name="Cluster">The cluster.</param>
/// <param name="Since">Since when it is watched.</param>
/// <param name="By">Who started the witness.</param>
/// <param name="MaxLoss">How much WAL a failover may lose, in MB.</param>
/// <param name="Failback">Whether the old primary is brought back.</param>
/// <param name="Paused">Who has paused it; null while it watches.</param>
/// <param name="Verdict">Its last verdict; null before the first.</param>
/// <param name="Findings">What else is wrong with the cluster.</param>
/// <param name="Decisions">Its newest decisions, the last one last.</param>
public sealed record WitnessStatus(
    ClusterName? Cluster,
    DateTimeOffset Since,
    string By,
    int MaxLoss,
    bool Failback,
    WitnessDecision? Paused,
    WitnessVerdict? Verdict,
    IReadOnlyList<Finding> Findings,
    IReadOnlyList<WitnessDecision> Decisions
);
