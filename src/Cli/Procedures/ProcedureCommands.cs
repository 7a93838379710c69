namespace PgFlow.Cli;

/// <summary>The verbs that start a procedure, made of <see cref="Workflows.Procedures.All"/>.</summary>
internal static class ProcedureCommands
{
    public static IReadOnlyList<ProcedureCommand> All { get; } =
    [.. Workflows.Procedures.All.Where(entry => entry.Verb is not null).Select(entry => new ProcedureCommand(entry))];
}
