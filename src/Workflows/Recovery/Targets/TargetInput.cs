namespace PgFlow.Workflows.Recovery.Targets;

/// <summary>The fields that name a target: exactly one of those that the kinds add, and perhaps
/// <see cref="Timeline"/>.</summary>
public partial record TargetInput : ProcedureInput
{
    /// <summary>The branch; where none is given, the one that was live then.</summary>
    [Flag("The branch; where none is given, the one that was live then")]
    public uint? Timeline { get; init; }

    internal RecoveryTarget Target => Read().Target!;

    /// <inheritdoc/>
    protected override IEnumerable<InputProblem> Check() => Read().Problems;

    /// <summary>The target, or every wrong field with what would be right; never both.</summary>
    internal (RecoveryTarget? Target, IReadOnlyList<InputProblem> Problems) Read()
    {
        var given = TargetKind
            .All.Select(kind => (Kind: kind, Text: kind.Given(this)))
            .Where(field => field.Text is not null)
            .ToList();
        var problems = new List<InputProblem>();
        if (given.Count == 0 && !TargetKind.All.Any(kind => IsUnreadable(kind.Field)))
        {
            problems.Add(new("target", "none is given; give one of", TargetKind.Fields));
        }
        else if (given.Count > 1)
        {
            var fields = given.Select(field => field.Kind.Field);
            problems.Add(new(fields, $"are {given.Count} targets; give only one of", TargetKind.Fields));
        }

        var targets = given.ConvertAll(field => field.Kind.Parse(field.Text!, problems));
        if (Timeline == 0)
        {
            problems.Add(new("timeline", "0 is none; they are numbered from 1"));
        }

        return problems.Count > 0 || targets.Count == 0
            ? (null, problems)
            : (targets[0]! with { Timeline = Timeline is { } number ? new Timeline(number) : null }, []);
    }
}
