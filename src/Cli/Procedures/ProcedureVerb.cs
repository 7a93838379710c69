using System.CommandLine;
using System.Text.Json.Nodes;
using PgFlow.Workflows;

namespace PgFlow.Cli;

/// <summary>A verb that starts a procedure on a cluster.</summary>
/// <param name="Name">What is typed.</param>
/// <param name="Workflow">The workflow type.</param>
/// <param name="Description">Its help.</param>
/// <param name="Fields">What the input has besides what all have.</param>
internal sealed record ProcedureVerb(string Name, string Workflow, string Description, params IReadOnlyList<Field> Fields)
{
    /// <summary>Nothing brings back what it removes: a person types the cluster's name, not just y.</summary>
    public bool TypeTheName { get; init; }

    /// <summary>Temporal can start it by a schedule.</summary>
    public bool CanRepeat { get; init; }

    /// <summary>Arguments that stand before the cluster.</summary>
    public IReadOnlyList<Field> Before { get; init; } = [];

    public Command Command(Terminal terminal) => Call.Verb(
        terminal,
        Name,
        Description,
        [
            .. Before.Select(field => field.Symbol), Flags.Cluster, .. Fields.Select(field => field.Symbol), .. CanRepeat ? [Schedules.Cron] : Array.Empty<Symbol>(),
            .. Flags.Start, .. Flags.Connection,
        ],
        (call, cancel) =>
        {
            var order = OrderOf(call);
            return CanRepeat && call.Parsed.GetValue(Schedules.Cron) is { } cron ? new Schedules(call).RunAsync(Name, order, cron, cancel) : new Launch(call).RunAsync(order, cancel);
        });

    /// <summary>What is to be started.</summary>
    public Order OrderOf(Call call) => new(Workflow, Input(call.Parsed).ToJsonString(PgFlowJson.Options), call.Parsed.GetValue(Flags.Cluster).ToString(), TypeTheName);

    /// <summary>The procedure's input.</summary>
    public JsonObject Input(ParseResult parsed)
    {
        var input = Field.Input(Before.Concat(Fields), parsed);
        input.Insert(0, "cluster", parsed.GetValue(Flags.Cluster).ToString());
        return input;
    }
}
