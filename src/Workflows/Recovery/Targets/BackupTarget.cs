namespace PgFlow.Workflows.Recovery.Targets;

public partial record TargetInput
{
    /// <summary>The end of this backup.</summary>
    [Flag("The end of this backup", Value = "ID", Words = FlagWords.Backups)]
    public string? ToBackup { get; init; }
}

/// <summary>The end of a backup.</summary>
/// <param name="Id">Its ID.</param>
public sealed record BackupTarget(string Id) : RecoveryTarget
{
    internal static TargetKind Description { get; } =
        new("toBackup", "backup", input => input.ToBackup, Parse, json => new BackupTarget(json.GetString()!));

    internal override TargetKind Kind => Description;

    internal override object Value => Id;

    internal override Task<Position> FindAsync(TargetSearch search)
    {
        var backup =
            search.Contents.Backups.FirstOrDefault(backup => backup.Id == Id)
            ?? throw Failure.Refuse(
                $"there is no backup '{Id}'; "
                    + TargetSearch.List(
                        "there are",
                        search.Contents.Backups.Select(TargetSearch.Describe),
                        "there is none"
                    )
            );
        search.RequirePassing(Timeline, backup.Timeline, backup.End, $"backup {Id}");
        return Task.FromResult(
            new Position(
                search.Find(backup.Timeline).Path(),
                backup.End,
                $"backup {Id} ended on timeline {backup.Timeline} at {TargetSearch.Text(backup.StoppedAt)}"
            )
        );
    }

    private static BackupTarget Parse(string text, List<InputProblem> problems)
    {
        TargetKind.CheckName("toBackup", text, "the ID of a backup", problems);
        return new(text);
    }
}
