using Microsoft.Extensions.Logging;

namespace PgFlow.Worker;

/// <summary>Says once that the worker is not healthy, when a failure was repeated, and once that it is
/// again.</summary>
internal sealed partial class HealthLog(ILogger logger, TimeProvider clock)
{
    /// <summary>The failure in a row that is said: a single one is no news to anybody.</summary>
    private const int Said = 2;

    private int _failures;
    private long _failingSince;

    /// <param name="problem">What is wrong; null for nothing.</param>
    public void Report(string? problem)
    {
        if (problem is null)
        {
            if (_failures >= Said)
            {
                LogHealthyAgain((long)clock.GetElapsedTime(_failingSince).TotalSeconds);
            }

            _failures = 0;
            return;
        }

        if (_failures++ == 0)
        {
            _failingSince = clock.GetTimestamp();
        }

        if (_failures == Said)
        {
            LogUnhealthy(problem);
        }
    }

    [LoggerMessage(10, LogLevel.Warning, "Not healthy: {Why}")]
    private partial void LogUnhealthy(string why);

    [LoggerMessage(11, LogLevel.Information, "Healthy again, after {Seconds} s")]
    private partial void LogHealthyAgain(long seconds);
}
