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
        var isPast = false;
        foreach (var step in steps)
        {
            Past(step.AfterPointOfNoReturn);
            grid.AddRow(
                new Text(PgFlowText.Sign(step.State), StyleOf(step.State)),
                new Text($"{step.Number}"),
                Title(step, activities ?? []),
                new Text(Elapsed(step, now), new Style(Color.Grey))
            );
        }

        foreach (var step in ahead)
        {
            Past(step.AfterPointOfNoReturn);
            grid.AddRow(
                new Text(PgFlowText.Sign(StepState.Pending)),
                Text.Empty,
                new Text(step.Title, new Style(Color.Grey)),
                Text.Empty
            );
        }

        return grid;

        void Past(bool past)
        {
            if (past && !isPast)
            {
                grid.AddRow(Text.Empty, Text.Empty, new Text(PlanText.NoReturn, new Style(Color.Yellow)), Text.Empty);
            }

            isPast |= past;
        }
    }

    private static Markup Title(StepReport step, IReadOnlyList<PendingActivity> activities)
    {
        var error = step.Error is null
            ? ""
            : $"\n[{(step.State is StepState.Running ? "yellow" : "red")}]{Markup.Escape(step.Error)}[/]";
        var work = activities
            .Where(activity => activity.Is(step))
            .Select(activity => $"\n[yellow]{Markup.Escape(activity.Words)}[/]");
        return new($"{Markup.Escape(PgFlowText.TitleOf(step))}{error}{string.Concat(work)}");
    }

    private static string Elapsed(StepReport step, DateTimeOffset now) =>
        (step.Milliseconds, step.StartedAt) switch
        {
            ({ } ms, _) => PgFlowText.Took(TimeSpan.FromMilliseconds(ms)),
            (null, { } since) when now > since => PgFlowText.Took(now - since),
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
