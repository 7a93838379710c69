using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What Switchover takes.</summary>
public sealed record SwitchoverInput : ProcedureInput
{
    /// <summary>The node that becomes the primary; the standby with the least lag where none is named.</summary>
    [Flag("The node that becomes the primary; the best one where none is named")]
    public NodeName? To { get; init; }

    /// <summary>Go on although a standby does not answer.</summary>
    [Flag("Go on although a standby does not answer; recorded, and never the same as --yes")]
    public bool Force { get; init; }

    /// <summary>How long the primary's fast stop may take, in seconds, before everything is undone: 90 where nothing is
    /// said.</summary>
    [Flag("How long the primary's fast stop may take before all is undone (default 90)", Value = "S")]
    public int StopWithinSeconds { get; init; } = StopLimit.Default;

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() => StopLimit.Problems(StopWithinSeconds);
}

/// <summary>Makes another node the primary while all are healthy; no acknowledged row is lost.</summary>
[Workflow]
public sealed class Switchover : RoleSwitch<SwitchoverInput>
{
    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(SwitchoverInput? input = null) =>
        RunAsync(
            input,
            SwitchoverPlan.From,
            async plan =>
            {
                await SwitchAsync(plan);
                Conclude($"{plan.Candidate} is the primary of {plan.Candidate.Cluster}, {plan.Old} its standby");
            }
        );
}

/// <summary>Which node gives the role to which.</summary>
internal sealed record SwitchoverPlan : Plan
{
    public required NodeId Old { get; init; }

    public required NodeId Candidate { get; init; }

    /// <summary>How long the old primary's fast stop may take.</summary>
    public required int StopWithinSeconds { get; init; }

    /// <summary>The other standbys that take part.</summary>
    public required IReadOnlyList<NodeId> Followers { get; init; }

    /// <summary>Of whom the candidate demands confirmation as soon as it is the primary: nobody does where only the old
    /// primary could, which is away then.</summary>
    public IEnumerable<NodeId> WhoConfirms => Followers.Count == 0 ? [] : Followers.Prepend(Old);

    /// <summary>All nodes but the candidate: each has a slot.</summary>
    public required IReadOnlyList<NodeId> AllOthers { get; init; }

    public required Timeline Timeline { get; init; }

    /// <summary>Whether the candidate's WAL summarizer runs into errors.</summary>
    public required bool SummarizerFails { get; init; }

    public required ClusterIntent Intent { get; init; }

    internal override object Decision =>
        new
        {
            Old,
            Candidate,
            Followers,
            Timeline,
            SummarizerFails,
            Intent,
        };

    /// <summary>Decides, or refuses with all that stands against it.</summary>
    public static SwitchoverPlan From(SwitchoverInput input, ClusterState state)
    {
        var old = state.RequireExisting().RequirePrimary();
        var candidate = input.To is { } to ? state.RequireNode(to) : BestStandby(state, old);
        var others = state.Nodes.Where(node => node.Id != candidate.Id && node.Id != old.Id).ToList();
        var absent = others.Where(node => Checks.ReplicationIssues(node, old).Any()).ToList();
        string Why(NodeState node) => string.Join(", ", Checks.ReplicationIssues(node, old).Said());
        Finding[] archive = [.. Checks.ArchiverFindingsOf(old)];
        var plan = new SwitchoverPlan
        {
            Summary = $"{candidate.Id} becomes the primary of {state.Cluster}, {old.Id} its standby",
            Facts =
            [
                $"primary {old.Id} on timeline {old.Timeline}, standbys {Checks.Names(state.Standbys)}",
                .. old
                    .Followers.Where(follower => follower.Node == candidate.Id.ToString())
                    .Select(follower => $"{candidate.Id} is behind by {PgFlowText.Lag(follower)}"),
            ],
            Warnings =
            [
                .. Checks.ChangedRoles([old]),
                .. absent.Select(node => new Finding(
                    FindingCode.NotTakingPart,
                    node.Id,
                    Why(node),
                    Hint.Afterwards(node)
                )),
                .. archive,
                .. archive.Length > 0 ? [new(FindingCode.StaysDown, old.Id)] : Array.Empty<Finding>(),
                .. Checks.SlotsLeftBehind(old, candidate),
                .. Checks.SummarizersOf(candidate),
            ],
            Old = old.Id,
            Candidate = candidate.Id,
            StopWithinSeconds = input.StopWithinSeconds,
            Followers = [.. others.Except(absent).Select(node => node.Id)],
            AllOthers = [.. state.Nodes.Where(node => node.Id != candidate.Id).Select(node => node.Id)],
            Timeline = old.Timeline!.Value,
            SummarizerFails = candidate.SummarizerFails,
            Intent = ClusterIntent.Of(state),
        };
        if (candidate.Id == old.Id)
        {
            return plan with
            {
                NothingToDo = true,
                Summary = Checks.NothingToDo($"{old.Id} is the primary of {state.Cluster} already", old, state),
            };
        }

        string[] against =
        [
            .. Checks.CandidateBlockers(candidate, old).Said(),
            .. Checks.ConfigurationDrift(old, candidate).Said(),
            .. input.Force ? [] : archive.Said(),
            .. input.Force ? [] : absent.Select(Why),
        ];
        Hint[] insist =
            !input.Force && archive.Length + absent.Count > 0
                ? [Hint.Start("go on all the same", input with { Force = true })]
                : [];
        return Failure.RefuseFor(against, insist) is { } refusal ? throw refusal : plan;
    }

    private static NodeState BestStandby(ClusterState state, NodeState primary) =>
        state
            .Standbys.OrderBy(node => Checks.CandidateBlockers(node, primary).Count())
            .ThenByDescending(node => node.Replayed)
            .FirstOrDefault()
        ?? throw Failure.Refuse(
            string.Join(
                "; ",
                [
                    $"{state.Cluster} has no running standby",
                    .. state
                        .Nodes.Where(node => node != primary)
                        .Select(node => $"{node.Id} is {Checks.Describe(node)}"),
                ]
            )
        );
}
