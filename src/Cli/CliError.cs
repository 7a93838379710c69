namespace PgFlow.Cli;

/// <summary>Ends pgflow with what went wrong, why, and what to do next.</summary>
internal sealed class CliError(int exitCode, string what, IReadOnlyList<string> why, string? next = null)
    : Exception(what)
{
    public CliError(int exitCode, string what, string? why = null, string? next = null)
        : this(exitCode, what, why is null ? [] : [why], next) { }

    public int ExitCode { get; } = exitCode;

    /// <summary>Each reason is a line of its own.</summary>
    public IReadOnlyList<string> Why { get; } = why;

    public string? Next { get; } = next;

    public static CliError NoWorker(string what) =>
        new(
            ExitCodes.Unreachable,
            what,
            $"no worker answers on task queue {Temporal.TaskQueue}",
            "start one: pgflow worker"
        );
}
