using Spectre.Console;
using Spectre.Console.Rendering;

namespace PgFlow.Cli.Progress;

/// <summary>The plan and its steps, redrawn as they go on.</summary>
internal sealed class LiveView(IAnsiConsole people, string workflowId) : IView
{
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(100);

    public async Task ShowAsync(IAsyncEnumerable<Snapshot> snapshots, CancellationToken cancel)
    {
        Snapshot? now = null;
        try
        {
            await people
                .Live(Text.Empty)
                .AutoClear(true)
                .Overflow(VerticalOverflow.Crop)
                .Cropping(VerticalOverflowCropping.Top)
                .StartAsync(DrawAsync);
        }
        finally
        {
            people.Write(Draw(now, workflowId, DateTimeOffset.UtcNow)); // whole, however high the terminal is
        }

        async Task DrawAsync(LiveDisplayContext live)
        {
            var reading = Task.Run(
                async () =>
                {
                    await foreach (var next in snapshots.WithCancellation(cancel))
                    {
                        now = next;
                    }
                },
                cancel
            );
            while (!reading.IsCompleted)
            {
                live.UpdateTarget(Draw(now, workflowId, DateTimeOffset.UtcNow));
                await Task.WhenAny(reading, Task.Delay(Frame, cancel));
            }

            await reading;
        }
    }

    public static IRenderable Draw(Snapshot? now, string workflowId, DateTimeOffset at)
    {
        if (now?.Progress is not { } progress)
        {
            return now is { Closed: true } ? new Rows() : new Rows(new Text(now?.Trouble ?? "waits for a worker …"));
        }

        var rows = new List<IRenderable>
        {
            new Text(progress.Plan?.Summary ?? progress.Summary, new Style(decoration: Decoration.Bold)),
        };
        rows.Add(StepsText.Table(progress, at, now.Activities));
        rows.AddRange(
            now.Activities.Where(activity =>
                    !progress.Steps.Any(activity.Is)
                    && (activity.Failure is not null || activity.Progress is { Step: null })
                )
                .Select(activity => new Text($"  {activity.Type}: {activity.Words}", new Style(Color.Yellow)))
        );
        rows.AddRange(
            progress.Blocked.Select(blocked => new Markup(
                $"[red]step {blocked.Step} waits for a person[/]:"
                    + string.Concat(blocked.Hints.Select(hint => $"\n  {Markup.Escape(HintText.Of(hint))}"))
            ))
        );
        if (progress.Status is ProcedureStatus.WaitingForApproval)
        {
            rows.Add(new Text($"it waits for: pgflow approve {workflowId} (or reject)"));
        }

        if (progress.Status is ProcedureStatus.Inspecting)
        {
            rows.Add(new Text(LineView.Inspecting(workflowId)));
        }

        if (now.Trouble is not null)
        {
            rows.Add(new Text(now.Trouble, new Style(Color.Yellow)));
        }

        return new Rows(rows);
    }
}
