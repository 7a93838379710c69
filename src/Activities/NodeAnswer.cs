namespace PgFlow.Activities;

/// <summary>What a running node says of itself, as the query of <see cref="NodeObserver"/> returns it.</summary>
internal sealed record NodeAnswer(
    bool Recovery,
    Lsn? Replayed,
    Lsn? Received,
    Lsn? Written,
    bool ReplayPaused = false,
    string SynchronousStandbyNames = "",
    IReadOnlyDictionary<string, string>? Own = null,
    IReadOnlyList<Follower>? Followers = null,
    IReadOnlyList<Slot>? Slots = null,
    string ApplyDelay = "",
    IReadOnlyDictionary<string, int>? Capacities = null,
    IReadOnlyDictionary<string, string>? Histories = null,
    ArchiverState? Archiver = null,
    bool SummarizerFails = false,
    bool RefusesClients = false,
    bool FullPageWrites = true,
    IReadOnlyList<string>? Tablespaces = null,
    IReadOnlyList<OverriddenSetting>? Drift = null
);
