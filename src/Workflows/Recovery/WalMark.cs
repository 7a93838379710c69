namespace PgFlow.Workflows.Recovery;

/// <summary>What a <see cref="WalMark"/> tells of.</summary>
public enum WalMarkKind
{
    /// <summary>A timeline begins.</summary>
    Opening,

    /// <summary>A server stopped, or had recovered from a crash: its timeline was live until then at least.</summary>
    Stop,

    /// <summary>A position was given a name.</summary>
    Point,
}

/// <summary>A record in the WAL that tells of the cluster's life, not of its data.</summary>
/// <param name="Kind">What it tells of.</param>
/// <param name="Record">What PostgreSQL calls it.</param>
/// <param name="Timeline">On which timeline's WAL.</param>
/// <param name="Lsn">Where it begins.</param>
/// <param name="End">The first position behind it.</param>
/// <param name="At">The time in it; null where that can't be read.</param>
public sealed record WalMark(WalMarkKind Kind, string Record, Timeline Timeline, Lsn Lsn, Lsn End, DateTimeOffset? At)
{
    /// <summary>The timeline that begins with it; null for another kind.</summary>
    public Timeline? Opened { get; init; }

    /// <summary>The timeline that was left for that one.</summary>
    public Timeline? Parent { get; init; }

    /// <summary>The name that was given; null for another kind.</summary>
    public string? Name { get; init; }
}
