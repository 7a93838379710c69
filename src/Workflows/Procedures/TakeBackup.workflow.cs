using Temporalio.Workflows;

namespace PgFlow.Workflows;

/// <summary>What TakeBackup takes.</summary>
public sealed record TakeBackupInput : ProcedureInput
{
    /// <summary>The node that is copied; a standby where there is a good one and none is named.</summary>
    public NodeName? Node { get; init; }

    /// <summary>Only what has changed since the newest backup.</summary>
    public bool Incremental { get; init; }

    /// <summary>A note that stays with the backup.</summary>
    public string? Annotation { get; init; }

    /// <inheritdoc/>
    protected override IEnumerable<string> Check() => TooLong("annotation", Annotation, 1000);
}

/// <summary>Copies a node into the repository, and proves that the archive has all that a recovery of the copy needs.</summary>
[Workflow]
public sealed class TakeBackup : Procedure<TakeBackupInput>
{
    private protected override LeaseKind Lease => LeaseKind.Backup;

    /// <summary>Runs the procedure.</summary>
    [WorkflowRun]
    public Task<Report> RunAsync(TakeBackupInput? input = null) => RunAsync(input, TakeBackupPlan.From, async plan =>
    {
        var (source, primary) = (plan.Source, plan.Primary);

        var parent = plan.Input.Incremental
            ? await Step("The backup that it builds on", () => Backups.ChooseParentAsync(source))
            : null;
        if (parent?.WhyFull is { } why)
        {
            Notes.Add($"a full backup, not an incremental one: {why}");
        }

        var backup = await Step($"A copy of {source} is staged in the repository",
            () => BaseBackup.CopyAsync(source, primary, parent ?? new(Id: null), plan.Input.Annotation),
            undo: () => Backups.DiscardAsync(primary.Cluster));
        await Step("The archive has all the WAL that it needs, and its files are as its manifest says", () => BaseBackup.ProveAsync(primary, backup!));
        await Step("It is published", () => Backups.PublishAsync(primary.Cluster, backup!));
        if (backup is not null)
        {
            Notes.Add($"backup {backup.Id}: {PgFlowText.Bytes(backup.Bytes)} from {source}, {backup.WalRanges[0].Start} to {backup.End} on timeline {backup.Timeline}");
        }
    });
}

/// <summary>Which node is copied.</summary>
internal sealed record TakeBackupPlan : Plan
{
    public required TakeBackupInput Input { get; init; }

    public required NodeId Source { get; init; }

    public required NodeId Primary { get; init; }

    /// <summary>Decides, or refuses.</summary>
    public static TakeBackupPlan From(TakeBackupInput input, ClusterState state)
    {
        var primary = state.RequireExisting().RequirePrimary();
        RefuseTablespaces(primary);
        var source = SourceOf(input, state, primary);
        return new()
        {
            Summary = $"{(input.Incremental ? "an incremental" : "a full")} backup of {state.Cluster} from {source.Id}",
            Facts = [$"{source.Id} is {Checks.Describe(source)} on timeline {primary.Timeline}"],
            Warnings = source == primary && state.Nodes.Count > 1 && input.Node is null ? [$"no standby is fit for it: the primary {primary.Id} bears the load"] : [],
            Input = input,
            Source = source.Id,
            Primary = primary.Id,
        };
    }

    /// <summary>What the archive and its restore can't carry to another place.</summary>
    private static void RefuseTablespaces(NodeState primary)
    {
        if (primary.Tablespaces > 0)
        {
            throw Ends.Refuse($"the database has tablespaces of its own ({primary.Tablespaces}), which lie outside the data directory; PgFlow can't back those up: "
                + "move what is in them to pg_default (ALTER TABLE … SET TABLESPACE pg_default) and drop them");
        }
    }

    private static NodeState SourceOf(TakeBackupInput input, ClusterState state, NodeState primary)
    {
        if (input.Node is { } named)
        {
            var node = state.RequireNode(named);
            return node == primary || Ends.RefuseFor([.. Checks.ReasonsAgainst(node, primary)]) is not { } refusal ? node : throw refusal;
        }

        return state.Nodes
            .Where(node => node != primary && !Checks.ReasonsAgainst(node, primary).Any())
            .OrderByDescending(node => node.Replayed)
            .FirstOrDefault() ?? primary;
    }
}
