using System.Text.Json;

namespace PgFlow.UnitTests.Cli;

public sealed class ParsingTests
{
    [Theory]
    [InlineData("switchover")]
    [InlineData("swichover", "demo")]
    [InlineData("switchover", "demo", "--nodes", "3")]
    [InlineData("init", "demo", "--archive", "nowhere")]
    [InlineData("resolve", "id", "ignore")]
    [InlineData("switchover", "demo", "--timeout", "soon", "--yes")]
    [InlineData("remake", "demo")]
    [InlineData("timeline", "demo", "--rebuild")]
    [InlineData("timeline", "demo", "--rebuild", "--check", "--yes")]
    [InlineData("timeline", "demo", "--dry-run")]
    [InlineData("restore-point", "demo")]
    [InlineData("backup", "demo", "--node", "p0", "--yes")]
    [InlineData("backup", "demo", "--schedule", "0 2 * * *", "--dry-run")]
    [InlineData("restore-point", "demo", "before", "--schedule", "0 2 * * *")]
    [InlineData("witness", "demo")]
    [InlineData("witness", "demo", "sleep")]
    [InlineData("show", "")]
    [InlineData("witness", "demo", "pause", "--max-loss", "1")]
    public async Task What_cannot_be_read_ends_with_2(params string[] args)
    {
        var call = new CliCall();

        Assert.Equal(2, await call.RunAsync(args));
        Assert.NotEmpty(call.Error.Output);
        Assert.Empty(call.Out.Output);
    }

    [Theory]
    [InlineData("nonsense", "-o", "json")]
    [InlineData("switchover", "-o", "json")]
    [InlineData("status", "Demo", "-o", "json")]
    [InlineData("history", "--limit", "x", "-o", "json")]
    [InlineData("show", "id", "-o", "json", "--address", "127.0.0.1:1")]
    [InlineData("show", "id", "-o", "json", "--address", "http://there")]
    public async Task What_is_wrong_is_JSON_on_standard_output_where_JSON_was_asked_for(params string[] args)
    {
        var call = new CliCall();

        var code = await call.RunAsync(args);
        using var said = JsonDocument.Parse(call.Out.Output);
        var error = said.RootElement.GetProperty("error");
        Assert.Equal(code, error.GetProperty("exitCode").GetInt32());
        Assert.NotEqual(0, code);
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
        Assert.Empty(call.Error.Output);
        var fields = error.EnumerateObject().Select(field => field.Name).ToList();
        Assert.Equal(fields.Order(StringComparer.Ordinal), fields);
    }

    [Theory]
    [InlineData("nonsense", "--help")]
    [InlineData("nonsense", "demo", "--help")]
    public async Task Help_for_what_there_is_not_is_an_error(params string[] args) =>
        Assert.Equal(2, await new CliCall().RunAsync(args));

    [Fact]
    public void No_error_of_the_parser_names_a_type_of_NET()
    {
        var root = CommandLine.Root(new CliCall().Terminal);
        var errors = root
            .Subcommands.SelectMany(command =>
                command.Options.SelectMany(option => root.Parse([command.Name, $"{option.Name}=x!"]).Errors)
            )
            .Select(error => error.Message)
            .ToList();
        Assert.NotEmpty(errors);
        Assert.DoesNotContain(errors, error => error.Contains("System.", StringComparison.Ordinal));
        Assert.DoesNotContain(errors, error => error.Contains("PgFlow.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("http://there:7233")]
    public async Task What_is_no_address_is_said_so(string address)
    {
        var call = new CliCall();
        Assert.Equal(2, await call.RunAsync("show", "id", "--address", address));
        Assert.Contains("is no address of Temporal", call.Error.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0s")]
    [InlineData("-1s")]
    [InlineData("99999999999h")]
    [InlineData("90d")]
    public async Task What_is_no_time_limit_is_said_so(string limit)
    {
        var call = new CliCall();
        Assert.Equal(2, await call.RunAsync("status", "demo", "--timeout", limit));
        Assert.Contains("--timeout", call.Error.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CLUSTER: expected a lower-case letter, then up to 30", "status", "Demo")]
    [InlineData("NODE: expected a node's name (p1, p2, …), got \"p0\"", "psql", "demo", "p0")]
    [InlineData("NODE: expected a node's name (p1, p2, …), got \"x\"", "logs", "demo", "x")]
    [InlineData("CLUSTER: expected a lower-case letter, then up to 30", "connection", "Demo")]
    [InlineData("CLUSTER: expected a lower-case letter, then up to 30", "history", "Demo")]
    [InlineData("CLUSTER: expected a lower-case letter, then up to 30", "backups", "Demo")]
    [InlineData("--to: expected a node's name (p1, p2, …), got \"p0\"", "switchover", "demo", "--to", "p0")]
    [InlineData("NODE: expected a node's name (p1, p2, …), got \"x\"", "failback", "demo", "x")]
    [InlineData("target: none is given; give one of --to-time, --to-point", "recover", "demo")]
    public async Task A_bad_name_is_answered_with_its_rule(string rule, params string[] args)
    {
        var call = new CliCall();

        Assert.Equal(2, await call.RunAsync(args));
        Assert.Contains(rule, call.Error.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "init Demo --nodes x --archive tape --vip here --subnet there --timeout soon",
        "CLUSTER: | --nodes: | --archive: | --vip: | --subnet: | --timeout: "
    )]
    [InlineData(
        "init demo --nodes 10 --external-network lan --frob",
        "--nodes: | --vip: is missing | Unrecognized command or argument '--frob'"
    )]
    [InlineData(
        "backup demo --node p0 --keep 0 --keep-days -1 --dry-run --schedule now",
        "--node: | --keep: | --keep-days: | --schedule, --dry-run: | --schedule: 'now' is no schedule"
    )]
    [InlineData("witness Demo start --max-loss much", "CLUSTER: | --max-loss: expected an integer")]
    [InlineData("backup demo --keep 0 --schedule 61,2,*,*,*", "--keep: | --schedule: '61 2 * * *' is no schedule")]
    [InlineData(
        "recover demo --to-lsn x --timeline y --stop-within-seconds 0",
        "--timeline: | --to-lsn: | --stop-within-seconds: "
    )]
    [InlineData(
        "move id --to-time now --to-lsn 0/1 --timeline 0",
        "--to-time, --to-lsn: are 2 targets | --to-time: | --timeline: "
    )]
    [InlineData("clone Prod Demo", "CLUSTER: | FROM: | target: ")]
    [InlineData("remake", "CLUSTER: is missing | NODE: is missing")]
    [InlineData("switchover demo --to p1 --to p2 --stop-within-seconds 0", "--stop-within-seconds: | Option '--to' ")]
    [InlineData("timeline Demo --check --rebuild", "CLUSTER: | --check ")]
    [InlineData("config Demo set max_connections --dry-run", "CLUSTER: | NAME[=VALUE]: 'max_connections' is not")]
    [InlineData("update demo --set a --set b --to p0", "--to: | --set: 'a' is not NAME=VALUE | --set: 'b' is not")]
    public async Task Everything_that_is_wrong_with_a_line_is_said_at_once(string line, string wrong)
    {
        var call = new CliCall();

        Assert.Equal(2, await call.RunAsync([.. line.Split(' ').Select(word => word.Replace(',', ' '))]));
        var detail = call.Error.Lines.Where(said => said.StartsWith("  detail:", StringComparison.Ordinal));
        Assert.Collection(
            detail,
            [
                .. wrong
                    .Split("| ")
                    .Select(begin => (Action<string>)(said => Assert.StartsWith($"  detail: {begin.Trim()}", said))),
            ]
        );
    }

    [Fact]
    public async Task What_is_said_besides_an_input_is_checked_with_it()
    {
        var call = new CliCall();

        Assert.Equal(2, await call.RunAsync("switchover", "demo", "--to", "p0", "--reason", new string('x', 2001)));
        Assert.Contains("--to: ", call.Error.Output, StringComparison.Ordinal);
        Assert.Contains("--reason: has 2001 characters", call.Error.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{broken json", "the input: is no JSON")]
    [InlineData("""{"cluster":"demo","to":"p0","force":1}""", "to: ", "force: ")]
    public async Task A_json_input_is_checked_before_anybody_is_asked(string json, params string[] wrong)
    {
        var call = new CliCall();
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, json, TestContext.Current.CancellationToken);

        Assert.Equal(2, await call.RunAsync("run", "Switchover", "--input", file));
        File.Delete(file);
        Assert.DoesNotContain("--yes", call.Error.Output, StringComparison.Ordinal);
        Assert.Equal(
            wrong.Length,
            call.Error.Lines.Count(said => said.StartsWith("  detail:", StringComparison.Ordinal))
        );
        Assert.All(wrong, begin => Assert.Contains($"  detail: {begin}", call.Error.Output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("0 2 * * *")]
    [InlineData("*/90 23 31 12 7")]
    [InlineData("@daily")]
    [InlineData("@every 6h")]
    [InlineData("CRON_TZ=Europe/Berlin 30 1 * * MON-FRI")]
    [InlineData("*/5 0-6 1,15 * ?  # twice a month")]
    [InlineData("0 0 2 * * * 2027")]
    [InlineData("off")]
    public async Task A_schedule_that_Temporal_may_take_is_left_to_it(string cron) =>
        Assert.Equal(5, await new CliCall().RunAsync("backup", "demo", "--schedule", cron, "--address", "127.0.0.1:1"));

    [Fact]
    public async Task Help_needs_no_input()
    {
        var call = new CliCall();

        Assert.Equal(0, await call.RunAsync("remake", "--help"));
        Assert.Contains("remake <CLUSTER> <NODE> [options]", call.Out.Output, StringComparison.Ordinal);
        await call.RunAsync("resolve", "--help");
        Assert.Contains("  <ID>  ", call.Out.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("switchover", "demo")]
    [InlineData("destroy", "demo", "--detach")]
    [InlineData("approve", "id", "--address", "127.0.0.1:1")]
    public async Task Without_a_terminal_nothing_waits_for_an_answer(params string[] args) =>
        Assert.Contains(await new CliCall().RunAsync(args), (int[])[2, 5]);

    [Fact]
    public async Task The_way_out_is_named_where_nobody_can_answer()
    {
        var call = new CliCall();

        Assert.Equal(2, await call.RunAsync("failover", "demo"));
        Assert.Contains("--yes", call.Error.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Temporal_out_of_reach_is_5()
    {
        var call = new CliCall();

        Assert.Equal(5, await call.RunAsync("history", "--address", "127.0.0.1:1"));
        Assert.Contains("Temporal does not answer at 127.0.0.1:1", call.Error.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", call.Error.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_procedure_that_no_worker_knows_is_not_started()
    {
        var call = new CliCall();

        Assert.Equal(2, await call.RunAsync("run", "Nothing", "--input", "-", "--yes"));
        Assert.Contains("Switchover", call.Error.Output, StringComparison.Ordinal);
    }
}
