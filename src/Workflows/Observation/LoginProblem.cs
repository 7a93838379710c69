namespace PgFlow.Workflows.Observation;

/// <summary>What kept PgFlow from logging in to a node in its usual way: as its own superuser, over the internal
/// network.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Detail">What the server said, with its SQLSTATE, or what it did not do.</param>
public sealed record LoginProblem(LoginProblemKind Kind, string Detail);

/// <summary>The kinds of failed logins, by what they say of the server and what ends them.</summary>
public enum LoginProblemKind
{
    /// <summary>Nobody answers: it hangs, or nothing listens.</summary>
    NoAnswer,

    /// <summary>It starts, stops or recovers, and says so.</summary>
    NotNow,

    /// <summary>It lets nobody in for the moment: all connections are taken.</summary>
    ConnectionsUsedUp,

    /// <summary>PgFlow's role or its password is not what it was, or pg_hba.conf refuses it.</summary>
    Authentication,

    /// <summary>The database <c>postgres</c> is missing or takes no connections.</summary>
    Database,

    /// <summary>Files or catalogs are damaged.</summary>
    Damaged,

    /// <summary>Something else refuses the session, as a library that is missing.</summary>
    Refused,

    /// <summary>It lets PgFlow in, but late.</summary>
    Slow,
}
