namespace PgFlow.Cli.Progress;

/// <summary>Decides which progress is worth a line of a log: every tenth, and what is new after a while.</summary>
internal sealed class ProgressLines(TimeProvider clock)
{
    private static readonly TimeSpan Often = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, Said> _said = [];

    /// <summary>Whether it is to be said now; then it counts as said.</summary>
    public bool Take(PendingActivity activity)
    {
        var now = new Said(activity.Words, activity.Failure, Tenth(activity), clock.GetTimestamp());
        if (
            _said.TryGetValue(activity.Id, out var said)
            && said.Failure == now.Failure
            && said.Tenth == now.Tenth
            && (said.Words == now.Words || clock.GetElapsedTime(said.At) < Often)
        )
        {
            return false;
        }

        _said[activity.Id] = now;
        return true;
    }

    private static (string? Phase, int Tenth) Tenth(PendingActivity activity) =>
        activity.Progress is { Percent: { } percent, Phase: var phase } ? (phase, (int)(percent / 10)) : (null, -1);

    private sealed record Said(string Words, string? Failure, (string? Phase, int Tenth) Tenth, long At);
}
