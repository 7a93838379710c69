using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.RegularExpressions;
using PgFlow.SystemTests.World;
using PgFlow.UnitTests.Cli;
using Temporalio.Client;

namespace PgFlow.SystemTests;

/// <summary>Every command that README and docs show with its arguments is typed, in a cluster that needs it; those of
/// the tutorial by <see cref="TutorialTests"/>. Where the story does not need what a command changes, it is a dry
/// run.</summary>
public sealed partial class DocumentationTests(TemporalServer temporal)
{
    private readonly List<string> _left =
    [
        .. DocumentedCommands.All(without: "tutorial.md").Where(command => !DocumentedCommands.IsName(command)),
    ];

    /// <summary>What the docs' words are here.</summary>
    private readonly Dictionary<string, string> _words = [];

    [Fact, Trait("Suite", "world")]
    public async Task Every_command_that_is_shown_is_run()
    {
        await using var cluster = await TestCluster.NoneAsync(temporal.Client);
        await using var copy = await cluster.SiblingAsync();
        var (p1, p2) = (cluster.Node(1), cluster.Node(2));
        var files = Directory.CreateTempSubdirectory();
        _words["demo.html"] = Path.Combine(files.FullName, "demo.html");
        _words["file"] = Path.Combine(files.FullName, "switchover.json");
        _words["pgflow init"] = $"pgflow init --external-network {cluster.Network} --vip {cluster.Vip}";
        _words["demo"] = cluster.Name.ToString();
        _words["copy"] = copy.Name.ToString();
        _words["postgres:17"] = _words["postgres:17.7"] = Host.Image;

        await AllAsync("init");
        await ReallyAsync("init demo --nodes 2");
        await AllAsync("add-node");
        await ReallyAsync("add-node demo");
        await ReallyAsync("restore-point demo before-2.0");
        _words["--to-point name"] = "--to-point before-2.0";
        _words["2026-11-24T10:05:00Z"] = Now();
        await TestCluster.SqlAsync(p1, "CREATE TABLE account AS SELECT 1 AS id");
        _words["2026-11-24T10:06:00Z"] = Now();
        await TestCluster.SqlAsync(p1, "CHECKPOINT");
        var backup = (await cluster.TimelineAsync()).Branches.Single().Backups.Single().Id;
        _words["20261124T140000Z-full"] = backup;
        _words["--to-backup id"] = $"--to-backup {backup}";
        foreach (var order in (string[])["start", "pause", "resume", "status", "stop"])
        {
            await AllAsync($"witness demo {order}");
        }

        await RunAsync(command => !NeedsMore().IsMatch(command));

        await FollowedAsync("logs demo p2 -f", "database system is ready");
        _words["pgflow dev"] = $"pgflow dev --data {files.FullName}";
        (_words["--port 1"], _words["--ui-port 1"]) = ($"--port {Scrape.FreePort()}", $"--ui-port {Scrape.FreePort()}");
        await FollowedAsync("dev --port 1 --ui-port 1", "Web UI: http");

        await File.WriteAllTextAsync(
            _words["file"],
            $$"""{"cluster": "{{cluster.Name}}", "approve": true}""",
            TestContext.Current.CancellationToken
        );
        await StartedAsync("run Switchover --input file");
        await AllAsync("cancel");
        await StartedAsync("run Switchover --input file");
        await AllAsync("show");
        await AllAsync("reject");
        await AllAsync("watch", code: 3);

        var recovery = await StartedAsync("recover demo --to-time 2026-11-24T10:05:00Z --inspect");
        await RecoveryTests.InspectingAsync(recovery);
        await AllAsync("move");
        await RecoveryTests.InspectingAsync(recovery);
        await ReallyAsync("approve id");
        await recovery.GetResultAsync<Report>();

        await Host.DockerAsync("stop", p2.Container);
        await ReallyAsync("failback demo p2");
        await Host.DockerAsync("kill", p1.Container);
        await RunAsync(command => Failover().IsMatch(command));
        await ReallyAsync("failover demo --to p2");
        await ReallyAsync("failback demo p1");

        await StuckTests.SetAsync(p2, "shared_preload_libraries = 'missing'");
        var switchover = await StartedAsync("switchover demo");
        await TestCluster.StepAsync(switchover, $"follow/{p2.Name}", StepState.Blocked);
        await AllAsync("synchronous demo 0 --take-over id");
        await AllAsync("failover demo --take-over id", code: 3); // the new primary is well
        await AllAsync("interrupt", code: 3);
        await AllAsync("resolve id retry --step", code: 3);
        await StuckTests.UnsetAsync(p2);
        await AllAsync("resolve");
        await switchover.GetResultAsync<Report>();

        await ReallyAsync("destroy demo");
        files.Delete(recursive: true);
        Assert.Empty(_left);
    }

    private static string Now() =>
        DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);

    private Task AllAsync(string beginning, int code = 0) =>
        RunAsync(command => $"{command} ".StartsWith($"pgflow {beginning} ", StringComparison.Ordinal), code);

    /// <summary>What is left of those that are meant; a procedure as a dry run.</summary>
    private async Task RunAsync(Func<string, bool> isMeant, int code = 0)
    {
        var commands = _left.Where(isMeant).ToList();
        Assert.NotEmpty(commands);
        foreach (var command in commands)
        {
            var (exit, said) = await TypeAsync(command, Changes().IsMatch(command) ? ["--dry-run"] : []);
            Assert.True(exit == code, $"{command}: exit {exit}\n{said}");
            _left.Remove(command);
        }
    }

    private async Task<string> ReallyAsync(string command, params string[] more)
    {
        var (exit, said) = await TypeAsync($"pgflow {command}", ["--yes", .. more]);
        Assert.True(exit == 0, $"{command}: exit {exit}\n{said}");
        _left.Remove($"pgflow {command}");
        return said;
    }

    /// <summary>Starts one, whose ID the next commands mean.</summary>
    private async Task<WorkflowHandle> StartedAsync(string command)
    {
        _words["id"] = (await ReallyAsync(command, "--detach")).Split('\n')[0];
        return temporal.Client.GetWorkflowHandle(_words["id"]);
    }

    /// <summary>One that goes on until it is told to stop, when it has said that.</summary>
    private async Task FollowedAsync(string command, string said)
    {
        var (exit, all) = await PgFlowProgram.RunUntilAsync(
            temporal.Client,
            text => text.Contains(said, StringComparison.Ordinal),
            Words($"pgflow {command}")
        );
        Assert.True(exit == 0, $"{command}: exit {exit}\n{all}");
        _left.Remove($"pgflow {command}");
    }

    private Task<(int Code, string Output)> TypeAsync(string command, string[] more) =>
        PgFlowProgram.RunAsync(temporal.Client, [.. Words(command), .. more]);

    private string[] Words(string command)
    {
        var meant = _words.Aggregate(
            command,
            (line, word) => Regex.Replace(line, $@"(?<= |^){Regex.Escape(word.Key)}(?= |$)", word.Value)
        );
        return
        [
            .. CommandLineParser.SplitCommandLine(meant).Skip(1),
            .. Image().IsMatch(meant) ? ["--image", Host.Image] : Array.Empty<string>(),
        ];
    }

    /// <summary>An init that names no image: its default is not on every machine.</summary>
    [GeneratedRegex("^pgflow init (?!.*--image)")]
    private static partial Regex Image();

    /// <summary>A procedure, but for a schedule of one and for what is a dry run already.</summary>
    [GeneratedRegex(
        @"^pgflow (init|add-node|backup|clone|config|failback|failover|read-only|recover|remake|remove-node|repair"
            + @"|restore-point|switchover|synchronous|update|verify|timeline .*--rebuild)\b(?!.*(--schedule|--dry-run))"
    )]
    private static partial Regex Changes();

    [GeneratedRegex("^pgflow failover (?!.*--take-over)")]
    private static partial Regex Failover();

    /// <summary>What goes on, needs a primary that died or a procedure that waits, or ends the story.</summary>
    [GeneratedRegex(
        @"(?<!--to-backup )\bid\b| -f|^pgflow (dev|worker|failover|failback|destroy|run|watch|move)|--inspect|--take-over"
    )]
    private static partial Regex NeedsMore();
}
