namespace PgFlow.Workflows.Recovery.Targets;

public partial record TargetInput
{
    /// <summary>A restore point.</summary>
    [Flag("A restore point", Value = "NAME", Words = FlagWords.RestorePoints)]
    public string? ToPoint { get; init; }
}

/// <summary>A restore point.</summary>
/// <param name="Name">Its name.</param>
public sealed record PointTarget(string Name) : RecoveryTarget
{
    internal static TargetKind Description { get; } =
        new("toPoint", "point", input => input.ToPoint, Parse, json => new PointTarget(json.GetString()!));

    internal override TargetKind Kind => Description;

    internal override object Value => Name;

    internal override Task<Position> FindAsync(TargetSearch search)
    {
        var point =
            search.Contents.RestorePoints.FirstOrDefault(point => point.Name == Name)
            ?? throw Failure.Refuse(
                $"there is no restore point '{Name}'; "
                    + TargetSearch.List(
                        "there are",
                        search.Contents.RestorePoints.Select(point =>
                            $"{point.Name} ({TargetSearch.Text(point.At)}, timeline {point.Timeline})"
                        ),
                        "there is none"
                    )
            );
        search.RequirePassing(Timeline, point.Timeline, point.Lsn, $"restore point {Name}");
        return Task.FromResult(
            new Position(
                search.Find(point.Timeline).Path(),
                point.Lsn,
                $"restore point {Name} was set on timeline {point.Timeline} at {TargetSearch.Text(point.At)}"
            )
        );
    }

    private static PointTarget Parse(string text, List<InputProblem> problems)
    {
        TargetKind.CheckName("toPoint", text, "the name of a restore point", problems);
        return new(text);
    }
}
