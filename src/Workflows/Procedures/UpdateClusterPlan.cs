using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>Which nodes are changed, and in which order.</summary>
internal sealed record UpdateClusterPlan : Plan
{
    public required NodeId Primary { get; init; }

    public required Timeline Timeline { get; init; }

    /// <summary>What all nodes get, in a few words.</summary>
    public required string What { get; init; }

    public required RestartOrder Restart { get; init; }

    /// <summary>The nodes that are not as they should be, standbys first.</summary>
    public required IReadOnlyList<NodeChange> Changes { get; init; }

    /// <summary>Who is asked to confirm commits, or may have confirmed some that are not proven to be on
    /// others.</summary>
    public required IReadOnlyList<NodeName> Confirmers { get; init; }

    /// <summary>The role leaves the primary before it is restarted; null where it needs none.</summary>
    public required SwitchoverPlan? Switchover { get; init; }

    /// <summary>How long the primary's fast stop may take.</summary>
    public required int StopWithinSeconds { get; init; }

    public required ClusterIntent Intent { get; init; }

    internal override object Decision =>
        new
        {
            Primary,
            Timeline,
            Restart,
            Changes,
            Confirmers,
            Switchover = Switchover?.Decision,
            Intent,
        };

    /// <summary>Decides, or refuses, by what the nodes and the image say of themselves.</summary>
    public static async Task<UpdateClusterPlan> FromAsync(UpdateClusterInput input, ClusterState state)
    {
        var primary = RequireAll(state);
        string[] names =
        [
            .. input
                .Settings.Keys.Concat(input.Unset)
                .Concat(Setting.Capacities)
                .Concat(state.Nodes.SelectMany(node => node.PendingRestart)),
        ];
        var image = input.Image is { } given ? await Clusters.InspectImageAsync(state.Cluster, given) : null;
        var leader = await Settings.InspectAsync(primary.Id, names);
        var others = await Workflow.WhenAllAsync(
            state
                .Nodes.Where(node => node != primary)
                .Select(node => Settings.InspectAsync(node.Id, [.. names, .. leader.Settings.Keys]))
                .ToList()
        );
        return From(input, state, [leader, .. others], image);
    }

    /// <summary>Decides, or refuses with all that stands against it.</summary>
    /// <param name="input">What is asked for.</param>
    /// <param name="state">The cluster.</param>
    /// <param name="setups">Of each node.</param>
    /// <param name="image">What is in the image that was given.</param>
    public static UpdateClusterPlan From(
        UpdateClusterInput input,
        ClusterState state,
        IReadOnlyList<NodeSetup> setups,
        PostgresInstallation? image
    )
    {
        var primary = RequireAll(state);
        var leader = setups.Single(setup => setup.Node == primary.Id);
        var target = new NodeTarget(
            image is null ? leader.Spec : leader.Spec with { Image = input.Image!, Postgres = image },
            leader
                .Settings.Concat(input.Settings)
                .GroupBy(pair => pair.Key)
                .Where(of => !input.Unset.Contains(of.Key))
                .ToDictionary(of => of.Key, of => of.Last().Value)
        );
        string[] against =
        [
            .. ImageProblems(leader, target.Spec, image),
            .. input.Settings.SelectMany(setting => SettingProblems(setting.Key, setting.Value, setups)),
            .. input.Unset.SelectMany(name => ResetProblems(name, setups)),
        ];
        if (Failure.RefuseFor(against) is { } refusal)
        {
            throw refusal;
        }

        var changes = setups
            .OrderBy(setup => setup.Node == primary.Id)
            .Select(setup => new NodeChange(
                setup.Node,
                new(setup.Spec, setup.Settings),
                target,
                setup.RestartsFor(target) || state.Find(setup.Node.Name)!.PendingRestart.Count > 0
            ))
            .Where(change => change.Restarts || !SameSettings(change.Before.Settings, target.Settings))
            .ToList();
        var lowered = Capacities.RequireFollowing(state.Standbys, setups, leader, target);

        var restarts = changes.FindAll(change => change.Restarts);
        var ofPrimary = restarts.Exists(change => change.Id == primary.Id);
        var inPlace = ofPrimary && (lowered.Count > 0 || setups.Count == 1);
        var order =
            restarts.Count == 0 ? RestartOrder.None
            : inPlace ? RestartOrder.PrimaryFirst
            : RestartOrder.StandbysFirst;
        var switchover = ofPrimary && order is RestartOrder.StandbysFirst ? SwitchoverOf(input, state) : null;

        var (what, intent) = (WhatOf(input, target), ClusterIntent.Of(state.Nodes, primary));
        var plan = new UpdateClusterPlan
        {
            Summary =
                $"{string.Join(", ", changes.Select(change => change.Id))} of {state.Cluster} get {what}"
                + (switchover is null ? "" : $"; {switchover.Candidate} becomes the primary"),
            Facts =
            [
                $"primary {primary.Id}, PostgreSQL {leader.Version} of {leader.Spec.Image}",
                .. input.Settings.Select(setting => FactOf(leader.Find(setting.Key)!, setting.Value)),
                .. state.Nodes.Where(node => node.PendingRestart.Count > 0).Select(Waiting),
                .. from name in input.Unset
                let row = leader.Find(name)
                where row is { Unset: not null }
                select FactOf(row, row.Unset!),
            ],
            Warnings =
            [
                .. inPlace ? [OutageOf(primary, lowered)] : Array.Empty<Finding>(),
                .. MovedOf(leader, input),
                .. Fewer(intent, primary, restarts),
                .. switchover?.Warnings ?? [],
            ],
            Primary = primary.Id,
            Timeline = primary.Timeline!.Value,
            What = what,
            Restart = order,
            Changes = changes,
            Confirmers = [.. primary.Demands.SelectMany(demand => demand.Nodes).Distinct()],
            Switchover = switchover,
            StopWithinSeconds = input.StopWithinSeconds,
            Intent = intent,
        };
        return changes.Count > 0
            ? plan
            : plan with
            {
                NothingToDo = true,
                Summary = Checks.NothingToDo($"all nodes of {state.Cluster} have {what} already"),
            };
    }

    /// <summary>A node that is away would miss what the others get, and might not follow them any more.</summary>
    private static NodeState RequireAll(ClusterState state)
    {
        var primary = state.RequireExisting().RequirePrimary();
        var absent = state
            .Nodes.Where(node => node != primary && Checks.ReplicationIssues(node, primary).Any())
            .ToList();
        string[] against =
        [
            .. absent.SelectMany(node => Checks.ReplicationIssues(node, primary)).Said(),
            .. Checks.ConfigurationDrift(state.Nodes).Said(),
        ];
        var ways = absent
            .Where(node => !node.ReplayPaused)
            .Select(node => node.LacksData ? Hint.Repair(state.Cluster) : Hint.Afterwards(node));
        return
            Failure.RefuseFor(against, [.. ways.Select(hint => hint with { Text = "bring it back first" })])
                is { } refusal
            ? throw refusal
            : primary;
    }

    /// <summary>What a switchover of its own might be forced to do stays refused here.</summary>
    private static SwitchoverPlan SwitchoverOf(UpdateClusterInput input, ClusterState state)
    {
        try
        {
            var plan = SwitchoverPlan.From(
                new()
                {
                    Cluster = input.Cluster,
                    To = input.To,
                    StopWithinSeconds = input.StopWithinSeconds,
                },
                state
            );
            return plan.NothingToDo
                ? throw Failure.Refuse($"{plan.Old} is the primary, and can't take over from itself")
                : plan;
        }
        catch (PgFlowException e) when (e.Hints.Any(hint => hint.Procedure is nameof(Switchover)))
        {
            throw Failure.Refuse(e.Message);
        }
    }

    private static IEnumerable<string> ImageProblems(NodeSetup leader, ClusterSpec spec, PostgresInstallation? image)
    {
        var own = leader.Spec.Postgres;
        if (image is null || image.ImageId == own.ImageId)
        {
            yield break;
        }

        if (image.Major != own.Major)
        {
            yield return $"{spec.Image} has PostgreSQL {image.Major}, the cluster {own.Major}: another major version "
                + "needs a new cluster and a dump, or logical replication";
        }
        else if (System.Version.TryParse(leader.Version, out var now) && image.Minor < now.Minor)
        {
            yield return $"{spec.Image} has PostgreSQL {image.Major}.{image.Minor}, the nodes {leader.Version}: "
                + "an older minor version is no update";
        }

        if ((image.Uid, image.Gid) != (own.Uid, own.Gid))
        {
            yield return $"the user postgres of {spec.Image} is {image.Uid}:{image.Gid}, the nodes' data belongs to "
                + $"{own.Uid}:{own.Gid}";
        }
    }

    private static IEnumerable<string> SettingProblems(string name, string value, IReadOnlyList<NodeSetup> setups)
    {
        if (setups.FirstOrDefault(setup => setup.Find(name) is null) is { } without)
        {
            yield return $"{name}: {without.Node} has no such setting";
            yield break;
        }

        var known = setups.Select(setup => (setup.Node, Row: setup.Find(name)!)).ToList();
        if (known[0].Row.ProblemOf(value) is { } problem)
        {
            yield return $"{name}: {problem}";
            yield break;
        }

        foreach (var (node, row) in known.Where(row => row.Row.IsOverridden))
        {
            yield return $"{name}: {node} has it in {row.File}, which goes before; remove it there "
                + $"(ALTER SYSTEM RESET {name}, where it is postgresql.auto.conf)";
        }
    }

    private static IEnumerable<string> ResetProblems(string name, IReadOnlyList<NodeSetup> setups) =>
        setups.Any(setup => setup.Find(name)?.IsOwned is true) ? [$"{name}: is PgFlow's own"]
        : setups.All(setup => setup.Find(name) is null && !setup.Settings.ContainsKey(name))
            ? [$"{name}: {setups[0].Node} has no such setting"]
        : [];

    private static string WhatOf(UpdateClusterInput input, NodeTarget target)
    {
        List<string> parts =
        [
            .. input.Image is null ? [] : new[] { target.Spec.Image },
            .. input.Settings.Select(setting => $"{setting.Key}={setting.Value}"),
            .. input.Unset.Select(name => $"{name} reset"),
        ];
        return parts.Count > 0 ? string.Join(", ", parts) : "what the primary has and its files say";
    }

    private static string Waiting(NodeState node) =>
        $"{node.Id} waits for a restart to use {string.Join(", ", node.PendingRestart)} as its files have it; that has "
        + "no way back";

    private static string FactOf(Setting row, string value)
    {
        var when = row.NeedsRestart ? "needs a restart" : "a reload is enough";
        return $"{row.Name} is {row.Value}{row.Unit}, will be {value}; {when}";
    }

    private static Finding OutageOf(NodeState primary, IReadOnlyList<string> lowered) =>
        new(
            FindingCode.Outage,
            primary.Id,
            lowered.Count > 0
                ? $"its standbys can't have less of {string.Join(", ", lowered)} before it has"
                : "it is the only node"
        );

    /// <summary>The nodes keep their image; what is made from its name from now on would be another.</summary>
    private static IEnumerable<Finding> MovedOf(NodeSetup leader, UpdateClusterInput input)
    {
        var (name, own, now) = (leader.Spec.Image, leader.Spec.Postgres.ImageId, leader.NamedImage);
        if (input.Image is null && now != own)
        {
            yield return now is null
                ? new(
                    FindingCode.ImageMoved,
                    Detail: $"there is no image {name} any more; the nodes keep theirs, {own}"
                )
                : new(
                    FindingCode.ImageMoved,
                    Detail: $"{name} is another image by now; the nodes keep theirs, {own}",
                    Hint: Hint.Start("give it to them", input with { Image = name })
                );
        }
    }

    private static IEnumerable<Finding> Fewer(ClusterIntent intent, NodeState primary, List<NodeChange> restarts)
    {
        List<int> meanwhile =
        [
            .. restarts
                .Select(change => change.Id.Name)
                .Intersect(primary.Demand.Nodes)
                .Select(away => primary.Demand.Next(intent.Quorum, [.. primary.Streaming], [away]).Confirmations)
                .Where(confirmations => confirmations < intent.Quorum),
        ];
        return meanwhile.Count > 0
            ?
            [
                new(
                    FindingCode.FewerConfirm,
                    primary.Id,
                    $"{ExpectedNode.FewerThan(intent, meanwhile.Min())} while one is away"
                ),
            ]
            : [];
    }

    private static bool SameSettings(
        IReadOnlyDictionary<string, string> one,
        IReadOnlyDictionary<string, string> other
    ) => one.Count == other.Count && one.All(pair => other.TryGetValue(pair.Key, out var value) && value == pair.Value);
}
