using System.CommandLine.Parsing;
using System.Text.Json;
using System.Text.RegularExpressions;
using PgFlow.UnitTests.Cli;

namespace PgFlow.UnitTests.Worker;

/// <summary>Dashboard and alerts name only what there is: metrics of the code, commands, places in the docs. What they
/// say of it, scripts/check-monitoring tries.</summary>
public sealed partial class MonitoringTests
{
    private static readonly string Root = Path.Combine(Path.GetDirectoryName(Contract.File)!, "..");

    private static readonly string Rules = Read("compose/monitoring/pgflow.rules.yml");

    /// <summary>One alert's lines each; its long texts are folded over several.</summary>
    private static readonly string[] Alerts = [.. Rules.Split("- alert: ").Skip(1)];

    private static readonly string[] InCode =
    [
        .. Directory
            .EnumerateFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Names(Created(), File.ReadAllText(file)))
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    public static TheoryData<string> Commands =>
        [
            .. Alerts
                .SelectMany(alert => Names(Command(), alert))
                .Select(command => Label().Replace(Space().Replace(command, " "), Chosen))
                .Distinct(),
        ];

    [Fact]
    public void The_docs_have_every_metric_and_no_other()
    {
        var section = Read("docs/operations.md").Split("\n## ").Single(part => part.StartsWith("Metrics\n"));

        Assert.InRange(InCode.Length, 10, 100);
        Assert.Equal(
            InCode,
            section
                .Split('\n')
                .Where(line => line.StartsWith("| `pgflow_", StringComparison.Ordinal))
                .SelectMany(line => Names(Metric(), line.Split('|')[1]))
                .Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void The_rules_ask_for_metrics_that_there_are() => AssertKnown(Rules);

    [Fact]
    public void The_dashboard_asks_for_metrics_that_there_are()
    {
        using var dashboard = JsonDocument.Parse(Read("compose/monitoring/grafana/dashboards/pgflow.json"));
        var asked = Strings(dashboard.RootElement, "expr", "query").ToList();

        Assert.InRange(asked.Count, 20, 100);
        Assert.All(asked, AssertKnown);
    }

    [Fact]
    public void Every_alert_says_what_it_is_and_where_to_read_on_and_is_tried()
    {
        var tests =
            Read("compose/monitoring/pgflow.rules.test.yml") + Read("compose/monitoring/pgflow.backups.test.yml");

        Assert.InRange(Alerts.Length, 10, 50);
        Assert.All(
            Alerts,
            alert =>
            {
                Assert.Contains("summary: ", alert, StringComparison.Ordinal);
                Assert.NotEmpty(Names(Command(), alert.Split("description: ")[1]));
                var (page, heading) = Runbook().Match(alert) is { Success: true, Groups: var found }
                    ? (found["page"].Value, found["heading"].Value)
                    : ("", "");
                Assert.Contains(heading, Read(page).Split('\n').Where(line => line.StartsWith("## ")).Select(Anchor));
                Assert.Contains($"\"{alert.Split('\n')[0]}\"", tests, StringComparison.Ordinal);
            }
        );
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void What_an_alert_tells_to_type_is_understood(string command)
    {
        var parsed = CommandLine.Read([.. CommandLineParser.SplitCommandLine(command).Skip(1)], new CliCall().Terminal);

        Assert.Empty(parsed.Errors.Select(error => error.Message));
    }

    private static void AssertKnown(string text)
    {
        Assert.Empty(Names(Metric(), text).Select(name => Histogram().Replace(name, "")).Except(InCode));
        Assert.Empty(Names(Recorded(), text).Except(Names(Record(), Rules)));
    }

    private static IEnumerable<string> Strings(JsonElement element, params string[] names) =>
        element.ValueKind switch
        {
            JsonValueKind.Array => element.EnumerateArray().SelectMany(one => Strings(one, names)),
            JsonValueKind.Object => element
                .EnumerateObject()
                .SelectMany(field =>
                    field.Value.ValueKind is JsonValueKind.String && names.Contains(field.Name)
                        ? [field.Value.GetString()!]
                        : Strings(field.Value, names)
                ),
            _ => [],
        };

    private static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    private static IEnumerable<string> Names(Regex regex, string text) =>
        regex.Matches(text).Select(found => found.Groups["name"].Value);

    private static string Anchor(string heading) =>
        NotInAnchors().Replace(heading[3..].ToLowerInvariant(), "").Replace(' ', '-');

    private static string Chosen(Match label) => label.Value is "NODE" or "{{ $labels.node }}" ? "p2" : "demo";

    [GeneratedRegex(@"\.?Create(Gauge|Counter|Histogram)<\w+>\(\s*""(?<name>pgflow_\w+)""")]
    private static partial Regex Created();

    [GeneratedRegex(@"\b(?<name>pgflow_[a-z_]+)")]
    private static partial Regex Metric();

    [GeneratedRegex(@"_(bucket|sum|count)$")]
    private static partial Regex Histogram();

    [GeneratedRegex(@"\b(?<name>pgflow:[a-z_]+)")]
    private static partial Regex Recorded();

    [GeneratedRegex(@"record: (?<name>pgflow:[a-z_]+)")]
    private static partial Regex Record();

    [GeneratedRegex(@"`(?<name>pgflow [^`]+)`")]
    private static partial Regex Command();

    [GeneratedRegex(@"\b(ID|NODE)\b|\{\{ \$labels\.\w+ \}\}")]
    private static partial Regex Label();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    [GeneratedRegex(@"runbook: (?<page>docs/[\w-]+\.md)#(?<heading>\S+)")]
    private static partial Regex Runbook();

    [GeneratedRegex(@"[^\w -]")]
    private static partial Regex NotInAnchors();
}
