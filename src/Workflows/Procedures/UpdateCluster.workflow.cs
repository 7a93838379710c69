using System.Text.RegularExpressions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What UpdateCluster takes; with neither image nor setting it brings about what waits: restarts, and the
/// primary's image on all nodes.</summary>
public sealed partial record UpdateClusterInput : ProcedureInput
{
    /// <summary>Another image of the same major version.</summary>
    [Flag("Another image with the same major version of PostgreSQL; the one that its name has now", Value = "IMAGE")]
    public string? Image { get; init; }

    /// <summary>Settings of all nodes, as <c>max_connections=200</c>.</summary>
    [Flag("A setting of all nodes, checked against pg_settings; may be given again", Value = "NAME=VALUE")]
    public IReadOnlyList<string> Set { get; init; } = [];

    /// <summary>Settings of the cluster that are taken back: what other files say is in force, or
    /// PostgreSQL's default.</summary>
    [Flag("A setting to take back: what postgresql.conf says, or the default; may be given again", Value = "NAME")]
    public IReadOnlyList<string> Reset { get; init; } = [];

    /// <summary>The node that becomes the primary, where the primary has to restart.</summary>
    [Flag("The node that becomes the primary, where the primary has to restart; the best one where none is named")]
    public NodeName? To { get; init; }

    /// <summary>How long the primary's fast stop may take, in seconds, before everything is undone: 90 where nothing is
    /// said.</summary>
    [Flag("How long the primary's fast stop may take before all is undone (default 90)", Value = "S")]
    public int StopWithinSeconds { get; init; } = StopLimit.Default;

    /// <summary>What is to be set.</summary>
    internal IReadOnlyDictionary<string, string> Settings =>
        Set.Select(given => given.Split('=', 2))
            .ToDictionary(given => given[0].Trim().ToLowerInvariant(), given => given[1]);

    /// <summary>What is to be taken back.</summary>
    internal IReadOnlyList<string> Unset => [.. Reset.Select(name => name.Trim().ToLowerInvariant()).Distinct()];

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() =>
        [
            .. Image is null ? []
            : string.IsNullOrWhiteSpace(Image) ? [new("image", "is empty; give an image, as postgres:17.6")]
            : Unfit("image", Image, 255),
            .. Set.Where(given => given is null || !Assignment().IsMatch(given))
                .Select(given => new InputProblem("set", $"'{given}' is not NAME=VALUE, as max_connections=200")),
            .. Set.Where(given =>
                    given is not null && given.EndsWith('\'') && given.Contains("='", StringComparison.Ordinal)
                )
                .Select(given => new InputProblem("set", $"{given}: give the value without quotes")),
            .. Reset
                .Where(given => given is null || !SettingName().IsMatch(given))
                .Select(given => new InputProblem("reset", $"'{given}' is no name of a setting, as max_connections")),
            .. Set.Where(given => given is not null && Assignment().IsMatch(given))
                .Select(given => given.Split('=')[0])
                .Concat(Reset.Where(given => given is not null))
                .GroupBy(name => name.Trim(), StringComparer.OrdinalIgnoreCase)
                .Where(name => name.Count() > 1)
                .Select(name => new InputProblem("set", $"{name.Key} is given twice")),
            .. Set.SelectMany(given => Unfit("set", given, 1000)),
            .. StopLimit.Problems(StopWithinSeconds),
        ];

    [GeneratedRegex(@"^\s*[A-Za-z_][A-Za-z0-9_.]*\s*=")]
    private static partial Regex Assignment();

    [GeneratedRegex(@"^\s*[A-Za-z_][A-Za-z0-9_.]*\s*$")]
    private static partial Regex SettingName();
}

/// <summary>Gives all nodes another image or other settings, one node after another: standbys, a switchover, the old
/// primary.</summary>
[Workflow]
public sealed class UpdateCluster : RoleSwitch<UpdateClusterInput>
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(UpdateClusterInput? input = null) =>
        RunAsync(
            input,
            UpdateClusterPlan.FromAsync,
            async plan =>
            {
                if (plan.Restart is RestartOrder.None)
                {
                    await ReloadAsync(plan, plan.Changes);
                }
                else if (plan.Restart is RestartOrder.PrimaryFirst)
                {
                    await RestartPrimaryAsync(plan);
                    PointOfNoReturn(); // its way back would be another outage; the standbys of before can follow it
                    await RestartStandbysAsync(plan);
                }
                else
                {
                    await RestartStandbysAsync(plan);
                    if (plan.Switchover is not { } switchover)
                    {
                        await ReloadAsync(plan, plan.Changes.Where(change => change.Id == plan.Primary));
                    }
                    else
                    {
                        var old = plan.Changes.Single(change => change.Id == switchover.Old);
                        await SwitchAsync(switchover, change: () => ApplyAsync(old.Id, old.After));
                        await Step(
                            $"prove/{old.Id.Name}",
                            $"{old} uses {plan.What}",
                            () => ProveAsync(old.Id, old.After)
                        );
                    }
                }

                Conclude(
                    $"{string.Join(", ", plan.Changes)} have {plan.What}; "
                        + $"{plan.Switchover?.Candidate ?? plan.Primary} is the primary"
                );
            }
        );

    private async Task ReloadAsync(UpdateClusterPlan plan, IEnumerable<NodeChange> nodes)
    {
        foreach (var node in nodes)
        {
            await Step(
                $"reload/{node.Id.Name}",
                $"{node} uses {plan.What}",
                () => Settings.WriteAsync(node.Id, node.After.Settings),
                undo: () => Settings.WriteAsync(node.Id, node.Before.Settings)
            );
        }
    }

    /// <summary>One at a time: the next only when the one before streams again. Each step has its own way back, and
    /// goes on from where it was broken off: the node may have no container then.</summary>
    private async Task RestartStandbysAsync(UpdateClusterPlan plan)
    {
        var primary = plan.Primary;
        foreach (var node in plan.Changes.Where(change => change.Id != primary))
        {
            if (!node.Restarts)
            {
                await ReloadAsync(plan, [node]);
                continue;
            }

            var (id, asked) = (node.Id, plan.Confirmers.Contains(node.Id.Name));
            await Step(
                $"stream/{id.Name}",
                $"{id} has what {primary} wrote, its settings too, and little to write when it stops",
                async () =>
                {
                    await Nodes.ProveStreamingAsync(id, primary);
                    await Nodes.CheckpointAsync(id); // it starts behind what the primary's settings were before
                }
            );
            if (asked)
            {
                await Step(
                    $"lift-confirmation/{id.Name}",
                    $"{primary} does not wait for {id}'s confirmation",
                    () => DemandAsync(id.Name),
                    undo: () => DemandAsync()
                );
            }

            await Step(
                $"fence/{id.Name}",
                $"{id} is stopped and can't restart as a primary",
                () => NodeRoles.FenceAsync(id),
                undo: () => FollowAsync(node.Before)
            );
            await Step(
                $"update/{id.Name}",
                $"{id} has {plan.What}",
                () => ApplyAsync(id, node.After),
                undo: () => ApplyAsync(id, node.Before)
            );
            await Step(
                $"rejoin/{id.Name}",
                $"{id} uses it and streams from {primary}",
                () => FollowAsync(node.After),
                undo: () => NodeRoles.FenceAsync(id)
            );
            if (asked)
            {
                await Step(
                    $"confirm/{id.Name}",
                    $"synchronous_standby_names on {primary} has {id} again",
                    () => DemandAsync(),
                    undo: () => DemandAsync(id.Name)
                );
            }

            async Task FollowAsync(NodeTarget target)
            {
                await Replication.AttachAsync(id, primary, plan.Timeline, plan.Intent);
                await ProveAsync(id, target);
            }
        }

        Task DemandAsync(params NodeName[] without) =>
            Nodes.DemandConfirmationsAsync(plan.Intent.Primary(primary), without);
    }

    private async Task RestartPrimaryAsync(UpdateClusterPlan plan)
    {
        var (primary, change) = (plan.Primary, plan.Changes.Single(change => change.Id == plan.Primary));
        await Step(
            "prepare-stop",
            $"{primary} has little to write when it stops",
            () => Nodes.PrepareStopAsync(primary)
        );
        await Step(
            "stop",
            $"{primary} stopped: logins refused, sessions ended",
            () => NodeRoles.StopAsync(primary, plan.StopWithinSeconds),
            undo: async () =>
            {
                await NodeRoles.UnfenceAsync(primary, running: true, standby: false);
                await Endpoints.TakeAsync(primary);
            }
        );
        await Step(
            $"update/{primary.Name}",
            $"{primary} has {plan.What}",
            () => ApplyAsync(primary, change.After),
            undo: () => ApplyAsync(primary, change.Before)
        );
        await Step(
            "start-primary",
            $"{primary} runs with it, and has the endpoint",
            async () =>
            {
                await Nodes.StartAsync(primary);
                await Endpoints.TakeAsync(primary);
                await ProveAsync(primary, change.After);
            },
            undo: () => NodeRoles.FenceAsync(primary)
        );
        await RequiredStep(
            "prove-endpoint",
            $"A commit through the endpoint arrives on {primary}",
            () => Endpoints.ProveAsync(primary)
        );
    }

    /// <summary>On a node that is stopped.</summary>
    private static async Task ApplyAsync(NodeId node, NodeTarget target)
    {
        await Clusters.ReplaceContainerAsync(node, target.Spec);
        await Settings.WriteAsync(node, target.Settings);
    }

    /// <summary>What is written on a node that runs is proven to be in use.</summary>
    private static Task ProveAsync(NodeId node, NodeTarget target) => Settings.WriteAsync(node, target.Settings);
}
