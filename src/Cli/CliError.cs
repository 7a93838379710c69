namespace PgFlow.Cli;

/// <summary>Ends pgflow with what went wrong, why, and what to do next, as PostgreSQL does (message, detail,
/// hint).</summary>
internal sealed class CliError(
    int exitCode,
    string what,
    IReadOnlyList<string> detail,
    params IReadOnlyList<string> hints
) : Exception(what)
{
    public CliError(int exitCode, string what, string? detail = null, string? hint = null)
        : this(exitCode, what, detail is null ? [] : [detail], hint is null ? [] : [hint]) { }

    public int ExitCode { get; } = exitCode;

    /// <summary>Each reason is a line of its own.</summary>
    public IReadOnlyList<string> Detail { get; } = detail;

    /// <summary>Ways to choose from, each a line of its own.</summary>
    public IReadOnlyList<string> Hints { get; } = hints;

    public static CliError NoWorker(string what) =>
        new(
            ExitCodes.Unreachable,
            what,
            $"no worker answers on task queue {Temporal.TaskQueue}",
            "start one: pgflow worker"
        );
}
