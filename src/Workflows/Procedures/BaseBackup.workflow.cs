using System.Globalization;
using Temporalio.Workflows;

namespace PgFlow.Workflows;

/// <summary>What stands in every procedure that takes a base backup.</summary>
internal static class BaseBackup
{
    /// <summary>Takes a full backup of <paramref name="source"/>, proves and publishes it.</summary>
    /// <remarks>Begins anew when it is repeated; what an attempt before it staged is thrown away.</remarks>
    public static async Task<Backup> Async(NodeId source, NodeId primary, string? annotation = null)
    {
        var backup = await CopyAsync(source, primary, new(Id: null), annotation);
        await ProveAsync(primary, backup);
        await Backups.PublishAsync(primary.Cluster, backup);
        return backup;
    }

    /// <summary>Stages a copy; an incremental one where there is a <paramref name="parent"/>.</summary>
    public static async Task<Backup> CopyAsync(NodeId source, NodeId primary, BackupParent parent, string? annotation)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{Workflow.UtcNow:yyyyMMdd'T'HHmmss'Z'}-{(parent.Id is null ? "full" : "incr")}");
        if (parent.Id is not null)
        {
            // An incremental backup that would begin at its parent's checkpoint is an error, and a standby makes none of its own.
            await Nodes.CheckpointAsync(primary);
            await (source == primary ? Task.CompletedTask : Nodes.WaitForReplayAsync(source, primary));
        }

        return await Backups.CopyAsync(new(id, source, primary, parent.Id, annotation));
    }

    /// <summary>Proves that a staged copy can be recovered with what is in the archive.</summary>
    /// <remarks>A standby's backup is done before its last segment is: only the primary can end that one.</remarks>
    public static async Task ProveAsync(NodeId primary, Backup backup)
    {
        await Archives.ProveAsync(primary);
        await Backups.ProveAsync(primary, backup);
    }
}
