namespace PgFlow.Cli.Commands;

/// <summary>Times as places from left to right. A quiet month must not crush a busy hour: between two events lies the
/// logarithm of the time.</summary>
internal sealed class TimeScale
{
    private const double Least = 20;
    private const double PerTenfold = 26;

    private readonly List<(DateTimeOffset Time, double X)> _events = [];

    public TimeScale(IEnumerable<DateTimeOffset> events, double left)
    {
        foreach (var time in events.Distinct().Order())
        {
            _events.Add(
                (
                    time,
                    _events is [.., var last]
                        ? last.X + Least + PerTenfold * Math.Log10(1 + (time - last.Time).TotalSeconds)
                        : left
                )
            );
        }
    }

    public DateTimeOffset First => _events[0].Time;

    public double Right => _events[^1].X;

    /// <summary>The place of a time; the nearest end where it lies outside.</summary>
    public double X(DateTimeOffset time)
    {
        var next = _events.FindIndex(item => item.Time >= time);
        if (next <= 0)
        {
            return next < 0 ? Right : _events[0].X;
        }

        var (before, after) = (_events[next - 1], _events[next]);
        return before.X + (after.X - before.X) * ((time - before.Time) / (after.Time - before.Time));
    }
}
