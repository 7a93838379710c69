using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PgFlow.Workflows.Runtime;

/// <summary>How values are said to people, the same everywhere.</summary>
public static class PgFlowText
{
    private const int MostSaid = 100;

    /// <summary>A name of an enum as it stands in JSON and in search attributes.</summary>
    public static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    /// <summary>A reason as the end of a sentence; nothing where none was given.</summary>
    public static string Because(string? reason) => string.IsNullOrWhiteSpace(reason) ? "" : $" ({reason})";

    /// <summary>A number of things: "1 standby", "2 standbys".</summary>
    public static string Count(long number, string one) =>
        FormattableString.Invariant($"{number} {one}{(number == 1 ? "" : "s")}");

    /// <summary>The first hundred lines of a list, and how many more there are: no person reads them all.</summary>
    public static IEnumerable<string> First(IReadOnlyList<string> all) =>
        all.Count <= MostSaid ? all : all.Take(MostSaid).Append($"and {all.Count - MostSaid} more like these");

    /// <summary>A time with all its digits, as <c>toTime</c> takes it.</summary>
    public static string Exact(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    /// <summary>A number of bytes in the unit that fits.</summary>
    public static string Bytes(long bytes) =>
        bytes switch
        {
            < 10_000 => FormattableString.Invariant($"{bytes} bytes"),
            < 10_000_000 => FormattableString.Invariant($"{bytes / 1024} kB"),
            _ => FormattableString.Invariant($"{bytes / 1024 / 1024} MB"),
        };

    /// <summary>A length of time in the unit that fits.</summary>
    public static string Duration(double seconds) =>
        seconds switch
        {
            < 120 => FormattableString.Invariant($"{seconds:0} s"),
            < 7200 => FormattableString.Invariant($"{seconds / 60:0} min"),
            < 172_800 => FormattableString.Invariant($"{seconds / 3600:0} h"),
            _ => FormattableString.Invariant($"{seconds / 86_400:0} days"),
        };

    /// <summary>How long something took: 340 ms, 2.3 s, 1m49s, 2h05m.</summary>
    public static string Took(TimeSpan time) =>
        time.TotalSeconds switch
        {
            < 1 => FormattableString.Invariant($"{time.TotalMilliseconds:0} ms"),
            < 60 => FormattableString.Invariant($"{Math.Floor(time.TotalSeconds * 10) / 10:0.0} s"),
            < 3600 => FormattableString.Invariant($"{time.Minutes}m{time.Seconds:00}s"),
            _ => FormattableString.Invariant($"{(int)time.TotalHours}h{time.Minutes:00}m"),
        };

    /// <summary>How far a standby is behind.</summary>
    public static string Lag(Follower follower)
    {
        ArgumentNullException.ThrowIfNull(follower);
        return Bytes(follower.LagBytes)
            + (follower.LagSeconds is { } seconds ? $", {Took(TimeSpan.FromSeconds(seconds))}" : "");
    }

    /// <summary>What an archiver has not done yet.</summary>
    public static string Waiting(ArchiverState archiver) =>
        archiver.Waiting switch
        {
            0 => "nothing waits",
            1 => $"1 file has waited for {Duration(archiver.WaitingSeconds)}",
            var several => $"{several} files wait, the first for {Duration(archiver.WaitingSeconds)}",
        };

    /// <summary>Where a procedure is, in one sentence.</summary>
    public static string Sentence(ProcedureStatus outcome, string? step) =>
        outcome switch
        {
            ProcedureStatus.Running => step is null ? "inspecting the cluster" : $"running: {step}",
            ProcedureStatus.WaitingForApproval => "waits for approval; nothing was done yet",
            ProcedureStatus.Inspecting =>
                "paused read-only at the recovery target: approve to promote, move to a later target, reject "
                    + "to roll back",
            ProcedureStatus.Blocked => $"blocked: {step}",
            ProcedureStatus.Undoing => $"rolling back: {step}",
            ProcedureStatus.Planned => "a dry run; nothing was done",
            ProcedureStatus.Succeeded => "succeeded; all checks passed",
            ProcedureStatus.Refused => "refused; the cluster is unchanged",
            ProcedureStatus.ClusterBusy => "another procedure holds the cluster",
            ProcedureStatus.Unchanged => "failed; the cluster is unchanged",
            ProcedureStatus.Incomplete => "incomplete: something is left to do",
            _ => "cancelled; all was undone",
        };

    /// <summary>The Markdown that the Web UI shows beside a running procedure.</summary>
    public static string Markdown(ProcedureProgress progress)
    {
        var text = new StringBuilder().Append("**").Append(progress.Summary).Append("**\n");
        if (progress.By is { } by)
        {
            text.Append("\nasked for by ").Append(by).Append(Because(progress.Reason)).Append('\n');
        }

        if (progress.Plan is { } plan)
        {
            text.Append('\n').Append(plan.Summary).Append('\n');
            AppendList(text, First([.. plan.Warnings.Select(warning => $"⚠ {FindingText.Of(warning, Of)}")]));
            AppendList(text, plan.Facts);
        }

        // The panel is low: what a person must do or know stands above the table.
        AppendList(
            text,
            [
                .. WaysOn(progress),
                .. progress.Blocked.Select(step => $"Step {step.Step} waits for a person: {Of(step.Hints)}"),
            ]
        );
        AppendList(text, [.. (progress.Acts ?? []).Select(act => Of(act)), .. progress.Notes]);
        text.Append("\n| | step | took |\n|---|---|---|\n");
        foreach (var step in progress.Steps)
        {
            text.Append("| ")
                .Append(Sign(step.State))
                .Append(" | ")
                .Append(step.Number)
                .Append(". ")
                .Append(Cell(TitleOf(step)))
                .Append(step.Error is null ? "" : $"<br>{Cell(step.Error)}")
                .Append(" | ")
                .Append(step.Milliseconds is { } ms ? Took(TimeSpan.FromMilliseconds(ms)) : "")
                .Append(" |\n");
        }

        foreach (var step in progress.Ahead)
        {
            text.Append("| ").Append(Sign(StepState.Pending)).Append(" | ").Append(Cell(step.Title)).Append(" | |\n");
        }

        return text.ToString();
    }

    /// <summary>The updates that a procedure waits for, each with what to paste.</summary>
    private static IReadOnlyList<string> WaysOn(ProcedureProgress progress)
    {
        if (
            progress is not { Plan: { } plan, Status: ProcedureStatus.WaitingForApproval or ProcedureStatus.Inspecting }
        )
        {
            return [];
        }

        var until = progress.Until is { } time ? $" until {Exact(time)}" : "";
        var approve = $$"""`approve` with `{"planHash": "{{plan.Hash}}", "by": "your name"}`""";
        const string Reject = """`reject` with `{"by": "your name", "reason": "why"}`""";
        const string Move = """`move` with `{"toTime": "a later time", "by": "your name"}`""";
        return progress.Status is ProcedureStatus.Inspecting
            ? [$"It waits for the update {approve} to promote, {Move} to replay on, or {Reject} to roll back"]
            : [$"It waits{until} for the update {approve} or {Reject}"];
    }

    /// <summary>What a person has told a procedure, in one sentence.</summary>
    public static string Of(HumanAct act, Func<DateTimeOffset, string>? time = null) =>
        $"{act.By}, {(time ?? Exact)(act.At)}: {act.What}{Because(act.Reason)}";

    /// <summary>A step's title says what is so when it is done.</summary>
    public static string TitleOf(StepReport step) =>
        step.State is StepState.Skipped ? $"left out: {step.Title}" : step.Title;

    /// <summary>How a procedure ended, and what to do about it.</summary>
    internal static string SummaryOf(Report report) =>
        report.Hints.Count == 0 ? report.Summary : $"{report.Summary}; {Of(report.Hints)}";

    private static string Of(IReadOnlyList<Hint> hints) => string.Join("; ", hints.Select(Of));

    /// <summary>A hint as the Web UI takes it: the workflow type or the update, and its input to paste.</summary>
    private static string Of(Hint hint)
    {
        var input = hint.Input is { } given ? $" `{given.ToJsonString()}`" : "";
        return hint switch
        {
            { Procedure: { } procedure } => $"{hint.Text}: {procedure}{input}",
            { Action: { } action } => $"{hint.Text}: {Word(action)}{input} ({hint.WorkflowId})",
            _ => hint.Text,
        };
    }

    /// <summary>One character for a step's state.</summary>
    public static string Sign(StepState state) =>
        state switch
        {
            StepState.Pending => "·",
            StepState.Running => "▶",
            StepState.Done => "✓",
            StepState.Skipped => "↷",
            StepState.Blocked => "‼",
            _ => "✗",
        };

    private static void AppendList(StringBuilder text, IEnumerable<string> items)
    {
        foreach (var item in items)
        {
            text.Append("\n- ").Append(item);
        }

        text.Append('\n');
    }

    private static string Cell(string text) =>
        text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");
}
