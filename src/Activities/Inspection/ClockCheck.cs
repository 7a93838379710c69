using System.Globalization;
using Temporalio.Activities;

namespace PgFlow.Activities.Inspection;

/// <summary>The clocks of the worker, of Temporal and of the databases agree.</summary>
/// <remarks>No step depends on it: leases are Temporal's, and limits are measured. People do: who takes the time of a
/// failure from a report or the Web UI and recovers to it names a time of the database's clock. NTP keeps milliseconds,
/// a busy machine answers within a second, and people read seconds: 2 s are neither.</remarks>
internal sealed class ClockCheck(Sql sql) : IWorkerCheck
{
    private const int Questions = 5;

    private static readonly TimeSpan Most = TimeSpan.FromSeconds(2);

    /// <summary>Temporal is asked once, by a task that may have waited for the worker.</summary>
    private static readonly TimeSpan TaskWaits = TimeSpan.FromSeconds(3);

    public string What => "Clock";

    public async Task<IReadOnlyList<CheckResult>> RunAsync(InspectedHost host)
    {
        var nodes = await Task.WhenAll(host.Nodes.Where(node => node.Running).Select(OffsetOrNullAsync));
        return [.. Judge(What, [OfTemporal(host.At), .. nodes.OfType<ClockOffset>()])];
    }

    public static IEnumerable<CheckResult> Judge(string what, IReadOnlyList<ClockOffset> offsets)
    {
        ClockOffset[] wrong = [.. offsets.Where(offset => offset.Ahead.Duration() > Most + offset.Waited)];
        var worst = offsets.MaxBy(offset => offset.Ahead.Duration())!;
        return wrong.Length == 0
            ? [new(what, Ok: true, $"{worst.Words} (asked: {string.Join(", ", offsets.Select(one => one.Of))})")]
            : wrong.Select(offset => new CheckResult(
                what,
                Ok: false,
                offset.Words,
                new("let NTP keep both clocks: a recovery to a time that was read there ends elsewhere")
            ));
    }

    /// <summary>The middle one: a single answer may have waited.</summary>
    public static TimeSpan Median(IEnumerable<ClockAnswer> answers)
    {
        TimeSpan[] sorted = [.. answers.Select(answer => answer.Ahead).Order()];
        return sorted[sorted.Length / 2];
    }

    /// <summary>It says when it gave the task away, directly before the worker took it.</summary>
    private static ClockOffset OfTemporal(DateTimeOffset at) =>
        new("Temporal", ActivityExecutionContext.Current.Info.StartedTime - at.UtcDateTime, TaskWaits);

    /// <summary>Null where it does not answer: <c>status</c> says why.</summary>
    private async Task<ClockOffset?> OffsetOrNullAsync(NodeContainer node)
    {
        try
        {
            await using var session = await sql.OpenOnceAsync(node);
            var answers = new List<ClockAnswer>();
            while (answers.Count < Questions)
            {
                answers.Add(await AskAsync(session));
            }

            return new($"{node.Id.Cluster}/{node.Id}", Median(answers));
        }
        catch (Exception e) when (Sql.IsUnavailable(e) && !DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private static async Task<ClockAnswer> AskAsync(SqlSession session)
    {
        var before = DateTimeOffset.UtcNow;
        var said = await session.QueryScalarAsync<string>(
            "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint::text"
        );
        var micros = long.Parse(said, CultureInfo.InvariantCulture);
        return new(before, DateTimeOffset.UnixEpoch.AddMicroseconds(micros), DateTimeOffset.UtcNow);
    }
}

/// <summary>What another clock said between two looks at one's own.</summary>
/// <param name="Before">When it was asked.</param>
/// <param name="Said">What it said.</param>
/// <param name="After">When the answer was there.</param>
internal sealed record ClockAnswer(DateTimeOffset Before, DateTimeOffset Said, DateTimeOffset After)
{
    /// <summary>How far it is ahead, if question and answer took equally long.</summary>
    public TimeSpan Ahead => Said - Before - ((After - Before) / 2);
}

/// <summary>How far another clock is from the worker's.</summary>
/// <param name="Of">Whose clock.</param>
/// <param name="Ahead">How far it is ahead; negative where it is behind.</param>
/// <param name="Waited">How long its answer may have waited.</param>
internal sealed record ClockOffset(string Of, TimeSpan Ahead, TimeSpan Waited = default)
{
    public string Words =>
        $"{Of}'s clock is {PgFlowText.Took(Ahead.Duration())} "
        + $"{(Ahead < TimeSpan.Zero ? "behind" : "ahead of")} the worker's";
}
