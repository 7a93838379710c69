using System.CommandLine;
using System.Diagnostics;

namespace PgFlow.Cli.Commands;

/// <summary>Into a node, and what it says: through the docker program, where the nodes are.</summary>
internal static class NodeCommands
{
    private static readonly Argument<string?> Node = new Argument<string?>("NODE")
    {
        HelpName = "NODE",
        Description = "The node; the primary (else the only one that answers), or all nodes, where none is named",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string[]> Sql = new("--command", "-c")
    {
        HelpName = "SQL",
        Description = "Run this and end, instead of a prompt; may be repeated",
    };

    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on as more is written" };

    private static readonly Option<int?> Tail = new("--tail")
    {
        HelpName = "N",
        Description = "Only the last lines of each node",
        CustomParser = result => Flags.WholeNumber(result),
    };

    static NodeCommands() => Node.CompletionSources.Add(Completed.Nodes);

    private static string[] Program =>
        Environment.GetEnvironmentVariable("PGFLOW_DOCKER_HOST") is { Length: > 0 } host
            ? ["docker", "--host", host]
            : ["docker"];

    public static IEnumerable<Command> Commands(Terminal terminal) =>
        [
            InvocationContext.CommandOf(
                terminal,
                "psql",
                "A database shell on a node, as its superuser postgres",
                [Flags.Cluster, Node, Sql, .. Flags.Connection.Except([Flags.Output])],
                PsqlAsync,
                Problems
            ),
            InvocationContext.CommandOf(
                terminal,
                "logs",
                "What the servers of a cluster, or one of them, have logged",
                [Flags.Cluster, Node, Follow, Tail, .. Flags.Connection.Except([Flags.Output])],
                LogsAsync,
                Problems
            ),
        ];

    private static IEnumerable<string> Problems(ParseResult parsed) =>
        InputCheck
            .OfCluster(parsed)
            .Concat(
                parsed.Given(Node) is { } name && !NodeName.TryParse(name, null, out _)
                    ? [$"NODE: expected a node's name (p1, p2, …), got \"{name}\""]
                    : []
            );

    private static async Task<int> PsqlAsync(InvocationContext call, CancellationToken cancel)
    {
        var node = call.Parsed.GetValue(Node) is { } name ? NodeOf(call, name) : await PrimaryAsync(call, cancel);
        if ((await ContainersAsync(cancel)).GetValueOrDefault(node.Container) is var state and not "running")
        {
            throw state is null
                ? NotHere($"{node}")
                : new CliError(
                    ExitCodes.Refused,
                    $"{node} does not run: its container is {state}",
                    hint: $"see what its server said last: pgflow logs {node.Cluster} {node.Name} --tail 20"
                );
        }

        string[] how = call.Terminal.Interactive && !Console.IsOutputRedirected ? ["-it"] : ["-i"];
        var what = call.Parsed.GetValue(Sql)!.SelectMany(sql => new[] { "-c", sql });
        await using var psql = Start(["exec", .. how, node.Container, "psql", "-U", "postgres", .. what]);
        return await WorkerCommand.UntilAsync(psql, cancel);
    }

    private static async Task<NodeId> PrimaryAsync(InvocationContext call, CancellationToken cancel)
    {
        var state = (await new InspectionClient(call).ForAsync<Inspection>(nameof(InspectCluster), cancel)).State;
        return (state.Primaries, state.Standbys) switch
        {
            ([var primary], _) => primary.Id,
            ([], [var only]) => only.Id, // a recovery that is paused at its target
            ([], _) => throw Unclear("no primary"),
            _ => throw Unclear("several primaries"),
        };

        CliError Unclear(string has) =>
            new(ExitCodes.Refused, $"{state.Cluster} has {has}", hint: "name the node, behind the cluster");
    }

    private static async Task<int> LogsAsync(InvocationContext call, CancellationToken cancel)
    {
        var nodes = call.Parsed.GetValue(Node) is { } name ? [NodeOf(call, name)] : await NodesAsync(call, cancel);
        var reading = nodes.Select(node => ReadAsync(call, node, nodes.Count > 1 ? $"{node} | " : "", cancel));
        return (await Task.WhenAll(reading)).Max();
    }

    private static NodeId NodeOf(InvocationContext call, string name) =>
        new(ClusterName.Parse(call.Parsed.GetRequiredValue(Flags.Cluster)!), NodeName.Parse(name));

    /// <summary>All that have a container, whether or not a worker is there to ask.</summary>
    private static async Task<IReadOnlyList<NodeId>> NodesAsync(InvocationContext call, CancellationToken cancel)
    {
        var containers = await ContainersAsync(cancel);
        IReadOnlyList<NodeId> nodes =
        [
            .. Enumerable
                .Range(1, InitClusterInput.MostNodes)
                .Select(number => NodeOf(call, NodeName.Of(number).ToString()))
                .Where(node => containers.ContainsKey(node.Container)),
        ];
        return nodes.Count > 0 ? nodes : throw NotHere(call.Parsed.GetValue(Flags.Cluster)!);
    }

    /// <summary>The containers of the Docker host by their names, with Docker's word for how they are.</summary>
    private static async Task<IReadOnlyDictionary<string, string>> ContainersAsync(CancellationToken cancel)
    {
        using var docker = Run(["ps", "--all", "--format", "{{.Names}} {{.State}}"]);
        var complaining = docker.StandardError.ReadToEndAsync(cancel);
        var lines = (await docker.StandardOutput.ReadToEndAsync(cancel)).Split('\n');
        await docker.WaitForExitAsync(cancel);
        return docker.ExitCode == 0
            ? lines.Select(line => line.Split(' ')).Where(line => line.Length == 2).ToDictionary(l => l[0], l => l[1])
            : throw new CliError(ExitCodes.Failed, "docker does not answer", (await complaining).Trim());
    }

    private static CliError NotHere(string what) =>
        new(
            ExitCodes.Refused,
            $"no container of {what} is on this Docker host",
            hint: "run it where the nodes are, or name that daemon by PGFLOW_DOCKER_HOST"
        );

    private static async Task<int> ReadAsync(
        InvocationContext call,
        NodeId node,
        string prefix,
        CancellationToken cancel
    )
    {
        string[] follow = call.Parsed.GetValue(Follow) ? ["--follow"] : [];
        string[] tail = call.Parsed.GetValue(Tail) is { } lines ? ["--tail", $"{lines}"] : [];
        using var docker = Run(["logs", .. follow, .. tail, node.Container]);
        using var stop = cancel.Register(() => docker.Kill());
        await Task.WhenAll(CopyAsync(docker.StandardOutput), CopyAsync(docker.StandardError));
        await docker.WaitForExitAsync(CancellationToken.None);
        return cancel.IsCancellationRequested || docker.ExitCode == 0 ? ExitCodes.Done : ExitCodes.Failed;

        async Task CopyAsync(StreamReader from)
        {
            while (await from.ReadLineAsync(CancellationToken.None) is { } line)
            {
                lock (call.Terminal)
                {
                    call.Terminal.Out.Profile.Out.Writer.WriteLine(prefix + line);
                }
            }
        }
    }

    private static ChildProgram Start(IEnumerable<string> arguments) =>
        OrWithoutDocker(() => ChildProgram.Start(Program[0], [.. Program[1..], .. arguments]));

    private static Process Run(IEnumerable<string> arguments) =>
        OrWithoutDocker(() =>
            Process.Start(
                new ProcessStartInfo(Program[0], [.. Program[1..], .. arguments])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                }
            )!
        );

    private static T OrWithoutDocker<T>(Func<T> start)
    {
        try
        {
            return start();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new CliError(
                ExitCodes.Usage,
                "docker can't be started",
                e.Message,
                "run this where the docker program and the nodes are"
            );
        }
    }
}
