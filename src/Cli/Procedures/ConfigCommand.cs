using System.CommandLine;

namespace PgFlow.Cli.Procedures;

/// <summary>UpdateCluster by another name: the cluster's settings.</summary>
internal static class ConfigCommand
{
    private static readonly Argument<string?> Action = new Argument<string?>("ACTION")
    {
        HelpName = "set|reset",
        Description = "Set it on all nodes, or take it back: what postgresql.conf says, or the default",
    }.AcceptOnlyFromAmong("set", "reset");

    private static readonly Argument<string[]> Settings = new("NAME[=VALUE]")
    {
        HelpName = "NAME[=VALUE]",
        Description = "The settings, as max_connections=200; checked against pg_settings",
        Arity = ArgumentArity.OneOrMore,
    };

    public static Command Command(Terminal terminal) =>
        InvocationContext.CommandOf(
            terminal,
            "config",
            "Give all nodes other settings, by a reload or one node after another (see update)",
            [Flags.Cluster, Action, Settings, .. Flags.Start, .. Flags.Connection],
            (call, cancel) =>
                new ProcedureStarter(call).RunAsync(
                    new(
                        nameof(UpdateCluster),
                        Field.Input(FieldsOf(call.Parsed), call.Parsed).ToJsonString(PgFlowJson.Options),
                        call.Parsed.GetValue(Flags.Cluster)
                    ),
                    cancel
                ),
            parsed =>
                InputCheck.Problems(typeof(UpdateClusterInput), Field.Input(FieldsOf(parsed), parsed), FieldsOf(parsed))
        );

    private static Field[] FieldsOf(ParseResult parsed) =>
        [
            Field.Cluster,
            new(parsed.Given(Action) is "reset" ? "reset" : "set", Settings, typeof(IReadOnlyList<string>)),
            Field.Reason,
            Field.TakeOver,
        ];
}
