using System.CommandLine;
using System.Text.Json.Nodes;

namespace PgFlow.Cli.Procedures;

/// <summary>A command that starts a procedure on a cluster.</summary>
internal sealed class ProcedureCommand(ProcedureEntry procedure)
{
    private readonly List<Field> _before = FieldsOf(procedure, before: true);
    private readonly List<Field> _behind = FieldsOf(procedure, before: false);

    public string Name => procedure.CommandName!;

    private IReadOnlyList<Field> Fields => [Field.Cluster, .. _before, .. _behind, Field.Reason, Field.TakeOver];

    private static List<Field> FieldsOf(ProcedureEntry procedure, bool before) =>
        [.. procedure.Fields.Where(field => field.Flag.Place is FlagPlace.Before == before).Select(Field.Of)];

    public Command Command(Terminal terminal) =>
        InvocationContext.CommandOf(
            terminal,
            Name,
            procedure.Help,
            [
                .. _before.Select(field => field.Symbol),
                Flags.Cluster,
                .. _behind.Select(field => field.Symbol),
                .. procedure.CanRepeat ? [Schedules.Cron] : Array.Empty<Symbol>(),
                .. Flags.Start,
                .. Flags.Connection,
            ],
            (call, cancel) =>
            {
                var request = RequestOf(call);
                return procedure.CanRepeat && call.Parsed.GetValue(Schedules.Cron) is { } cron
                    ? new Schedules(call).RunAsync(request, cron, cancel)
                    : new ProcedureStarter(call).RunAsync(request, cancel);
            },
            Problems
        );

    /// <summary>What is to be started.</summary>
    public StartRequest RequestOf(InvocationContext call) =>
        new(
            procedure.Name,
            Input(call.Parsed).ToJsonString(PgFlowJson.Options),
            call.Parsed.GetValue(Flags.Cluster),
            procedure.TypeTheName
        );

    /// <summary>The procedure's input.</summary>
    public JsonObject Input(ParseResult parsed) => Field.Input(Fields, parsed);

    /// <summary>What is wrong with it, and with its schedule.</summary>
    public IEnumerable<string> Problems(ParseResult parsed) =>
        InputCheck
            .Problems(procedure.Input, Input(parsed), Fields)
            .Concat(procedure.CanRepeat ? Schedules.Problems(parsed) : []);
}
