using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PgFlow.UnitTests.Cli;

public sealed class InputTests
{
    [Theory]
    [InlineData("""{"cluster":"demo"}""", "switchover", "demo")]
    [InlineData("""{"cluster":"demo","stopWithinSeconds":300}""", "switchover", "demo", "--stop-within-seconds", "300")]
    [InlineData("""{"cluster":"demo","to":"p2","force":true}""", "switchover", "demo", "--to", "p2", "--force")]
    [InlineData(
        """{"cluster":"demo","nodes":3,"archive":"local","externalNetwork":"lan"}""",
        "init",
        "demo",
        "--nodes",
        "3",
        "--archive",
        "local",
        "--external-network",
        "lan"
    )]
    [InlineData("""{"cluster":"demo","node":"p1"}""", "failback", "demo", "p1")]
    [InlineData("""{"cluster":"demo"}""", "failback", "demo")]
    [InlineData("""{"cluster":"demo","node":"p2"}""", "remake", "demo", "p2")]
    [InlineData(
        """{"cluster":"demo","node":"p2","incremental":true,"annotation":"before 2.0"}""",
        "backup",
        "demo",
        "--incremental",
        "--node",
        "p2",
        "--annotation",
        "before 2.0"
    )]
    [InlineData("""{"cluster":"demo"}""", "backup", "demo", "--schedule", "0 2 * * *")]
    [InlineData("""{"cluster":"demo","keep":7,"keepDays":14}""", "backup", "demo", "--keep", "7", "--keep-days", "14")]
    [InlineData("""{"cluster":"demo"}""", "verify", "demo", "--schedule", "0 5 * * 0")]
    [InlineData("""{"cluster":"demo","backup":"20261124T140000Z-full"}""", "verify", "demo", "20261124T140000Z-full")]
    [InlineData("""{"cluster":"demo","name":"before-2.0"}""", "restore-point", "demo", "before-2.0")]
    public void The_input_has_what_was_given_and_nothing_else(string json, params string[] args)
    {
        var call = new CliCall();
        var command = ProcedureCommands.All.Single(command => command.Name == args[0]);

        var parsed = command.Command(TerminalOf(call)).Parse(args[1..]);

        Assert.Empty(parsed.Errors);
        Assert.Equal(json, command.Input(parsed).ToJsonString(PgFlowJson.Options));
    }

    [Fact]
    public void Every_procedure_is_known() =>
        Assert.Equal(
            typeof(Procedure)
                .Assembly.GetTypes()
                .Where(type => type.IsSubclassOf(typeof(Procedure)) && !type.IsAbstract)
                .Where(type => type != typeof(WatchCluster)) // it is started under an ID of its own: pgflow witness
                .Select(type => type.Name)
                .Order(StringComparer.Ordinal),
            RunCommand.Procedures
        );

    [Fact]
    public void A_hint_is_the_command_that_gives_its_input()
    {
        foreach (
            var (entry, command) in ProcedureList
                .All.Where(entry => entry.CommandName is not null)
                .Zip(ProcedureCommands.All)
        )
        {
            JsonObject input = new([
                KeyValuePair.Create<string, JsonNode?>("cluster", "demo"),
                .. entry.Fields.Select(ExampleOf),
            ]);
            var typed = entry.Command(input).Split(' ')[2..];

            var parsed = command.Command(TerminalOf(new())).Parse(typed);

            Assert.Empty(parsed.Errors);
            Assert.Equivalent(
                JsonNode.Parse(input.ToJsonString())!.AsObject().Select(pair => $"{pair.Key}={pair.Value}"),
                command.Input(parsed).Select(pair => $"{pair.Key}={pair.Value}"),
                strict: true
            );
        }
    }

    private static Terminal TerminalOf(CliCall call) => new(call.Out, call.Error, Interactive: false);

    private static KeyValuePair<string, JsonNode?> ExampleOf(InputField field) =>
        KeyValuePair.Create<string, JsonNode?>(
            field.Name,
            field.Type switch
            {
                var type when type == typeof(bool) => true,
                var type when type == typeof(int) || type == typeof(uint) => 3,
                var type when type == typeof(NodeName) => "p2",
                var type when type == typeof(IReadOnlyList<string>) => new JsonArray("other"),
                { IsEnum: true } type => JsonNamingPolicy.CamelCase.ConvertName(Enum.GetNames(type)[0]),
                _ => "other",
            }
        );

    [Theory]
    [InlineData("""{"cluster":"demo"}""", """{"cluster":"demo","by":"ann"}""")]
    [InlineData("""{"By":"bob"}""", """{"By":"bob"}""")]
    [InlineData("""{"to":1,"to":2}""", """{"to":1,"to":2,"by":"ann"}""")]
    [InlineData("[1]", "[1]")]
    [InlineData("{", "{")]
    public void Nothing_wrong_in_an_input_is_lost(string given, string sent) =>
        Assert.Equal(
            sent,
            InputJson.With(given, new Dictionary<string, object?> { ["by"] = "ann", ["reason"] = null })
        );

    [Theory]
    [InlineData("""{"cluster":"demo"}""", "demo")]
    [InlineData("""{"cluster":"Demo; DROP"}""", null)]
    [InlineData("""{"cluster":1}""", null)]
    [InlineData("no json", null)]
    public void Only_a_good_cluster_name_becomes_part_of_an_id(string json, string? cluster) =>
        Assert.Equal(cluster, InputJson.Cluster(json));

    [Theory]
    [InlineData("Switchover", "demo", "switchover-demo-20261124T105501Z-3fa9")]
    [InlineData("RemakeStandby", "demo", "remake-standby-demo-20261124T105501Z-3fa9")]
    [InlineData("InitCluster", null, "init-cluster-20261124T105501Z-3fa9")]
    public void An_id_names_procedure_cluster_and_time(string workflow, string? cluster, string id) =>
        Assert.Equal(
            id,
            WorkflowId.New(
                workflow,
                cluster,
                DateTimeOffset.Parse("2026-11-24T11:55:01+01:00", CultureInfo.InvariantCulture),
                "3fa9"
            )
        );

    [Fact]
    public void A_cluster_has_one_schedule_for_each_command() =>
        Assert.Equal("pgflow-backup-demo", ProcedureList.Find(nameof(TakeBackup))!.ScheduleOf("demo"));

    [Theory]
    [InlineData("""{"cluster": "demo", "dryRun": true}""", true)]
    [InlineData("""{"cluster": "demo", "dryRun": "true"}""", false)]
    [InlineData("""{"cluster": "demo"}""", false)]
    [InlineData("no JSON", false)]
    public void Its_JSON_may_be_a_dry_run(string json, bool isDryRun) =>
        Assert.Equal(isDryRun, InputJson.IsDryRun(json));

    [Fact]
    public void An_id_ends_with_four_hexadecimal_digits() =>
        Assert.Matches("^failover-demo-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4}$", WorkflowId.New("Failover", "demo"));

    [Theory]
    [InlineData("localhost:7233", "http://localhost:8233/")]
    [InlineData("10.0.0.5:7300", "http://10.0.0.5:8300/")]
    [InlineData("acme.a1b2.tmprl.cloud:7233", "https://cloud.temporal.io/")]
    public void The_web_ui_is_beside_the_server(string target, string ui) =>
        Assert.Equal(ui, WebUi.AddressOf(target).ToString());
}
