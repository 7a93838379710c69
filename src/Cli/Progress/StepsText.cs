using Spectre.Console;

namespace PgFlow.Cli.Progress;

/// <summary>Steps as a table, the same while they run and afterwards.</summary>
internal static class StepsText
{
    public static Grid Table(
        ProcedureProgress progress,
        DateTimeOffset now,
        IReadOnlyList<PendingActivity> activities
    ) => Table(progress.Steps, progress.Ahead, now, activities);

    public static Grid Table(
        IReadOnlyList<StepReport> steps,
        IEnumerable<PlannedStep> ahead,
        DateTimeOffset now,
        IReadOnlyList<PendingActivity>? activities = null
    )
    {
        var grid = new Grid()
            .AddColumn(new GridColumn().NoWrap().Width(1))
            .AddColumn(new GridColumn().NoWrap().RightAligned())
            .AddColumn(new GridColumn())
            .AddColumn(new GridColumn().NoWrap().RightAligned());
        foreach (var step in steps)
        {
            grid.AddRow(
                new Text(PgFlowText.Sign(step.State), StyleOf(step.State)),
                new Text($"{step.Number}"),
                Title(step, activities ?? []),
                new Text(Elapsed(step, now), new Style(Color.Grey))
            );
        }

        foreach (var step in ahead)
        {
            grid.AddRow(
                new Text(PgFlowText.Sign(StepState.Pending)),
                Text.Empty,
                new Text(step.Title, new Style(Color.Grey)),
                Text.Empty
            );
        }

        return grid;
    }

    private static Markup Title(StepReport step, IReadOnlyList<PendingActivity> activities)
    {
        var error = step.Error is null
            ? ""
            : $"\n[{(step.State is StepState.Running ? "yellow" : "red")}]{Markup.Escape(step.Error)}[/]";
        var work = activities
            .Where(activity => activity.Is(step))
            .Select(activity => $"\n[yellow]{Markup.Escape(activity.Words)}[/]");
        return new($"{Markup.Escape(step.Title)}{error}{string.Concat(work)}");
    }

    private static string Elapsed(StepReport step, DateTimeOffset now) =>
        (step.Milliseconds, step.StartedAt) switch
        {
            ({ } ms, _) => $"{ms} ms",
            (null, { } since) => $"{Math.Max(0, (now - since).TotalSeconds):0.0} s",
            _ => "",
        };

    private static Style StyleOf(StepState state) =>
        new(
            state switch
            {
                StepState.Done => Color.Green,
                StepState.Running => Color.Blue,
                StepState.Blocked or StepState.Failed => Color.Red,
                StepState.Skipped => Color.Yellow,
                _ => Color.Grey,
            }
        );
}
