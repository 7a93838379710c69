namespace PgFlow.Cli.Procedures;

/// <summary>The verbs that start a procedure, made of <see cref="ProcedureList.All"/>.</summary>
internal static class ProcedureCommands
{
    public static IReadOnlyList<ProcedureCommand> All { get; } =
    [.. ProcedureList.All.Where(entry => entry.Verb is not null).Select(entry => new ProcedureCommand(entry))];
}
