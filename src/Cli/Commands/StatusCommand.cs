using System.CommandLine;
using Spectre.Console;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.Cli.Commands;

/// <summary>What the clusters are right now.</summary>
internal static class StatusCommand
{
    /// <summary>Each look is a workflow of its own.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private static readonly Option<bool> Watch = new("--watch", "-w")
    {
        Description = "Look again every 5 s, until it is stopped",
    };

    public static Command Command(Terminal terminal) =>
        InvocationContext.CommandOf(
            terminal,
            "status",
            "Roles, timeline, lag, endpoint, archive, last backup, what runs (of all clusters where none is "
                + "named); exit 1 when something is wrong",
            [Flags.AnyCluster, Watch, Flags.Timeout, .. Flags.Connection],
            RunAsync,
            InputCheck.OfAnyCluster
        );

    private static async Task<int> RunAsync(InvocationContext call, CancellationToken cancel)
    {
        var code = await LookAsync(call, cancel);
        while (call.Parsed.GetValue(Watch))
        {
            await Task.Delay(Pause, cancel);
            try
            {
                code = await LookAsync(call, cancel);
            }
            catch (CliError e)
            {
                call.Terminal.WriteError(e); // Temporal may be back at the next look
            }
        }

        return code;
    }

    private static async Task<int> LookAsync(InvocationContext call, CancellationToken cancel)
    {
        var asked = call.Parsed.GetValue(Flags.AnyCluster);
        var found = new List<ClusterStatus>();
        var looking = new InspectionClient(call);
        await looking.WithinLimitAsync(
            async (client, limit) =>
            {
                var clusters = asked is null ? await Runs.ClustersAsync(client, limit) : [asked];
                foreach (var look in clusters.Select(cluster => LookAsync(looking, client, cluster, limit)).ToList())
                {
                    found.Add(await look);
                }
            },
            cancel
        );
        if (call.Parsed.GetValue(Watch) && !call.Json)
        {
            call.Terminal.Out.Clear(home: true);
            call.Terminal.Out.WriteLine($"{ShownTime.Of(DateTimeOffset.UtcNow)}, every {Pause.TotalSeconds} s");
        }

        Print(call, found, asked is not null);
        return found.Select(status => status.ExitCode).DefaultIfEmpty(ExitCodes.Done).Max();
    }

    private static async Task<ClusterStatus> LookAsync(
        InspectionClient looking,
        ITemporalClient client,
        string cluster,
        CancellationToken cancel
    )
    {
        var end = await looking.AtAsync(client, nameof(InspectCluster), cluster, cancel);
        return new(
            cluster,
            ClusterStatus.InspectionOf(end),
            end,
            await Runs.OpenAsync(client, cluster, cancel),
            await SchedulesAsync(client, cluster, cancel),
            await Witnessed.OfAsync(client, cluster, cancel)
        );
    }

    /// <summary>Where they can't be read, what was found of the cluster is shown all the same.</summary>
    private static async Task<IReadOnlyList<ScheduledRun>> SchedulesAsync(
        ITemporalClient client,
        string cluster,
        CancellationToken cancel
    )
    {
        try
        {
            return await ScheduledRun.OfAsync(client, cluster, cancel);
        }
        catch (RpcException) when (!cancel.IsCancellationRequested)
        {
            return [];
        }
    }

    private static void Print(InvocationContext call, List<ClusterStatus> found, bool one)
    {
        if (call.Json)
        {
            call.Terminal.Json(one ? found[0].Json : found.Select(status => status.Json));
            return;
        }

        if (found.Count == 0)
        {
            call.Terminal.WriteInfo("no cluster is known to Temporal; make one with: pgflow init CLUSTER");
        }

        foreach (var status in found)
        {
            StatusText.Write(call.Terminal, status);
        }
    }
}
