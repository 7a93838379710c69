namespace PgFlow.Cli.Procedures;

/// <summary>The commands that start a procedure, made of <see cref="ProcedureList.All"/>.</summary>
internal static class ProcedureCommands
{
    public static IReadOnlyList<ProcedureCommand> All { get; } =
    [.. ProcedureList.All.Where(entry => entry.CommandName is not null).Select(entry => new ProcedureCommand(entry))];
}
