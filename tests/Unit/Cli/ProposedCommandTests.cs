using System.CommandLine.Invocation;
using System.Text.RegularExpressions;

namespace PgFlow.UnitTests.Cli;

/// <summary>Every command that a message proposes can be run as it is printed.</summary>
public sealed partial class ProposedCommandTests
{
    private static readonly string Sources = Path.GetFullPath(
        Path.Combine(Path.GetDirectoryName(Contract.File)!, "../src")
    );

    /// <summary>Where pgflow is a role or the name of a program, not a command.</summary>
    private static readonly string[] Others = ["Activities/Postgres/", "Cli/Hosting/CompletionsCommand.cs"];

    public static TheoryData<string> Commands =>
        [
            .. SourceFiles()
                .SelectMany(file => ProposedIn(File.ReadAllText(file)))
                .Distinct()
                .Order(StringComparer.Ordinal),
            .. Hints().Select(hint => Filled(HintText.CommandOf(hint)!)),
        ];

    /// <summary>What is proposed there is data (<see cref="Hint"/>): the Web UI shows an input, only the CLI a
    /// command.</summary>
    [Fact]
    public void None_stands_in_the_text_of_a_workflow_or_an_activity()
    {
        string[] ours = ["Workflows/", "Activities/"];
        Assert.Empty(
            SourceFiles()
                .Where(file => ours.Any(file[(Sources.Length + 1)..].StartsWith))
                .Where(file => !file.EndsWith("ProcedureList.cs", StringComparison.Ordinal))
                .SelectMany(file => ProposedIn(File.ReadAllText(file)))
        );
        Assert.Equal(["pgflow status demo"], ProposedIn("$\"see pgflow \"\n    + $\"status {cluster}\""));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void It_is_understood_by_the_command_line(string command)
    {
        var call = new CliCall();

        var parsed = CommandLine.Read(command.Split(' ')[1..], new(call.Out, call.Error, Interactive: false));

        Assert.Null(InputCheck.Of(parsed)?.Detail);
        Assert.Empty(parsed.Errors);
        Assert.IsNotType<ParseErrorAction>(parsed.Action);
    }

    private static Hint[] Hints()
    {
        var (cluster, node) = (ClusterName.Parse("demo"), NodeName.Of(2));
        return
        [
            Hint.Repair(cluster),
            Hint.Rejoin(cluster),
            Hint.Rejoin(cluster, node),
            Hint.Failover(cluster),
            Hint.Failover(cluster, node),
            Hint.Switchover(cluster),
            Hint.Run("make it", nameof(InitCluster), cluster),
            Hint.Run("look", nameof(InspectCluster), cluster),
            Hint.Run("look", nameof(InspectTimeline), cluster),
            Hint.Run("afterwards rebuild the ledger", nameof(RebuildLedger), cluster),
            Hint.Run("take one", nameof(TakeBackup), cluster),
            Hint.Remake(new(cluster, node)),
            Hint.Synchronous("wait for one", cluster, 1),
            Hint.Start(
                "go on",
                new FailoverInput
                {
                    Cluster = cluster,
                    To = node,
                    Force = true,
                    TakeOver = "f-1",
                }
            ),
            Hint.Start("go on", new RepairClusterInput { Cluster = cluster, Primary = node }),
            Hint.Resolve("decide it", "f-1", ResolveAction.Retry),
            .. Enum.GetValues<ResolveAction>().Select(action => Hint.Resolve("decide it", "f-1", action, step: 2)),
            .. Enum.GetValues<WorkflowAction>()
                .Where(action => action is not WorkflowAction.Resolve)
                .Select(action => Hint.On("do it", "f-1", action)),
        ];
    }

    private static IEnumerable<string> SourceFiles() =>
        Directory
            .EnumerateFiles(Sources, "*.cs", SearchOption.AllDirectories)
            .Where(file => !Generated().IsMatch(file) && !Others.Any(other => file.Contains(other)));

    private static IEnumerable<string> ProposedIn(string source)
    {
        var code = Comment().Replace(source, "");
        return Proposal().Matches(Joint().Replace(code, "")).Select(found => Filled(found.Value));
    }

    /// <summary>With something for what is known only when it is printed, and for what the reader chooses.</summary>
    private static string Filled(string command) =>
        Choice()
            .Replace(
                Value()
                    .Replace(
                        command,
                        value =>
                            value.Value.Contains("Timeline") || value.Value.Contains("Number") ? "2"
                            : IsNode().IsMatch(value.Value) ? "p2"
                            : "demo"
                    ),
                choice =>
                    choice.Value switch
                    {
                        "NODE" => "p2",
                        "TIME" => "2026-11-24T10:05:00Z",
                        _ => "demo",
                    }
            )
            .Trim();

    [GeneratedRegex(@"[\\/](obj|bin)[\\/]")]
    private static partial Regex Generated();

    [GeneratedRegex("(^| )//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    /// <summary>Two parts of one text.</summary>
    [GeneratedRegex("\"\\s*\\+\\s*\\$?\"")]
    private static partial Regex Joint();

    /// <summary>Up to where the sentence goes on.</summary>
    [GeneratedRegex(@"(?<=[^""./]|"")pgflow [a-z-]+(\{[^{}""]*\}|[^;,""(){}\\\n])*")]
    private static partial Regex Proposal();

    [GeneratedRegex(@"\{[^{}]*\}")]
    private static partial Regex Value();

    [GeneratedRegex(@"^\{(node(\.Name)?|[a-z]+\.Id)\}$")]
    private static partial Regex IsNode();

    [GeneratedRegex(@"\b[A-Z]{2,}\b")]
    private static partial Regex Choice();
}
