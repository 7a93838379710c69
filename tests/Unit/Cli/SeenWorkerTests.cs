namespace PgFlow.UnitTests.Cli;

public sealed class SeenWorkerTests
{
    private const int NoProcess = int.MaxValue;

    [Fact]
    public void One_of_this_machine_whose_process_has_ended_is_gone()
    {
        Assert.True(Worker($"{Environment.MachineName}:{NoProcess}").IsGone);
        Assert.False(Worker($"{Environment.MachineName}:{Environment.ProcessId}").IsGone);
        Assert.False(Worker($"elsewhere:{NoProcess}").IsGone);
        Assert.False(Worker(Environment.MachineName).IsGone);
    }

    [Fact]
    public void A_second_worker_is_started_only_with_a_word_about_the_first()
    {
        Assert.Null(DevCommand.Others([]));
        Assert.StartsWith(
            "A worker is there already: pgflow-worker@elsewhere:7 (seen 0 s ago).",
            DevCommand.Others([Worker("elsewhere:7")]),
            StringComparison.Ordinal
        );
    }

    private static SeenWorker Worker(string place) => new($"pgflow-worker@{place}", DateTimeOffset.UtcNow);
}
