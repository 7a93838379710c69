using System.Globalization;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Procedures;

/// <summary>What stands in every procedure that takes a base backup.</summary>
internal static class BaseBackups
{
    /// <summary>Takes a full backup of <paramref name="source"/>, or of the primary where that can't be copied; proves
    /// and publishes it.</summary>
    /// <remarks>Begins anew when it is repeated; what an attempt before it staged is thrown away.</remarks>
    public static async Task<Backup> TakeAsync(NodeId source, NodeId primary, string annotation)
    {
        var backup = await CopyAsync(source, primary, new(Id: null), annotation, orPrimary: true);
        await ProveAsync(primary, backup);
        await Backups.PublishAsync(primary.Cluster, backup);
        return backup;
    }

    /// <summary>The node to copy, in whatever procedure: a standby spares the primary, where a copy of one can be
    /// had.</summary>
    /// <param name="primary">The primary.</param>
    /// <param name="standbys">Those that are fit, best first.</param>
    /// <param name="fullPageWrites">Whether the primary writes whole pages: a standby that replays other WAL can't be
    /// copied (<c>do_pg_backup_start</c> in xlog.c).</param>
    public static NodeId SourceOf(NodeId primary, IEnumerable<NodeId> standbys, bool fullPageWrites) =>
        fullPageWrites ? standbys.FirstOrDefault(primary) : primary;

    /// <summary>Stages a copy; an incremental one where there is a <paramref name="parent"/>.</summary>
    /// <param name="source">The node that is copied.</param>
    /// <param name="primary">The primary.</param>
    /// <param name="parent">What the backup builds on.</param>
    /// <param name="annotation">A note that stays with it.</param>
    /// <param name="orPrimary">Where a standby can't be copied, the primary is.</param>
    public static async Task<Backup> CopyAsync(
        NodeId source,
        NodeId primary,
        BackupParent parent,
        string? annotation,
        bool orPrimary
    )
    {
        try
        {
            return await CopyOnceAsync(source, primary, parent, annotation, orPrimary: orPrimary && source != primary);
        }
        catch (ActivityFailureException e)
            when (orPrimary
                && source != primary
                && !TemporalException.IsCanceledException(e)
                && !TemporalFailures.IsLeaseLost(e)
            )
        {
            Procedure.Current.Notes.Add($"{primary} was copied instead: {TemporalFailures.Why(e)}");
            var other = parent.Id is null ? parent : await Backups.ChooseParentAsync(primary);
            return await CopyOnceAsync(primary, primary, other, annotation, orPrimary: false);
        }
    }

    /// <summary>Proves that a staged copy can be recovered with what is in the archive.</summary>
    /// <remarks>A standby's backup is done before its last segment is: only the primary can end that one.</remarks>
    public static async Task ProveAsync(NodeId primary, Backup backup)
    {
        await Archives.ProveAsync(primary);
        await Backups.ProveAsync(primary, backup);
    }

    private static async Task<Backup> CopyOnceAsync(
        NodeId source,
        NodeId primary,
        BackupParent parent,
        string? annotation,
        bool orPrimary
    )
    {
        var id = string.Create(
            CultureInfo.InvariantCulture,
            $"{Workflow.UtcNow:yyyyMMdd'T'HHmmss'Z'}-{(parent.Id is null ? "full" : "incr")}"
        );
        if (parent.Id is not null)
        {
            // An incremental backup that would begin at its parent's checkpoint is an error, and a standby makes none
            // of its own.
            await Nodes.CheckpointAsync(primary);
            await (source == primary ? Task.CompletedTask : Nodes.WaitForReplayAsync(source, primary));
        }

        return await Backups.CopyAsync(new(id, source, primary, parent.Id, annotation, orPrimary));
    }
}
