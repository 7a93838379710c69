namespace PgFlow.UnitTests.Worker;

public sealed class HealthLogTests
{
    private readonly Clock _clock = new();
    private readonly LogLines<HealthLog> _log = new();
    private readonly HealthLog _health;

    public HealthLogTests() => _health = new(_log, _clock);

    [Fact]
    public void One_question_that_fails_is_no_news()
    {
        Report("away", null, "away", null);

        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void A_failure_that_is_repeated_is_said_once_and_so_is_its_end()
    {
        Report("away", "away", "still away", null, null);

        Assert.Equal(["Warning: Not healthy: away", "Information: Healthy again, after 15 s"], _log.Lines);
    }

    [Fact]
    public void The_next_failure_is_said_anew()
    {
        Report("away", "away", null, "no space", "no space");

        Assert.Equal(
            ["Warning: Not healthy: away", "Information: Healthy again, after 10 s", "Warning: Not healthy: no space"],
            _log.Lines
        );
    }

    /// <summary>What questions every five seconds come to.</summary>
    private void Report(params string?[] problems)
    {
        foreach (var problem in problems)
        {
            _health.Report(problem);
            _clock.Seconds += 5;
        }
    }

    private sealed class Clock : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
