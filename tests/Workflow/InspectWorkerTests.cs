using Temporalio.Exceptions;

namespace PgFlow.WorkflowTests;

/// <summary>Whether a worker takes a task, and what it says of itself.</summary>
public sealed class InspectWorkerTests(TemporalServer server)
{
    [Fact]
    public async Task What_the_worker_found_is_returned_whatever_was_typed()
    {
        await using var world = TestEnvironment.Start(server);

        object?[][] inputs =
        [
            [],
            [TestEnvironment.Typed("{}")],
            [TestEnvironment.Typed("""{"by": 5}""")],
            [TestEnvironment.Typed("\"x\"")],
        ];
        foreach (var input in inputs)
        {
            var found = await (await world.StartRawAsync("InspectWorker", input)).GetResultAsync<WorkerInspection>();
            Assert.Equal([new("Docker", Ok: true, "answers")], found.Results);
        }
    }

    [Fact]
    public async Task A_worker_that_can_not_look_is_asked_once_more_and_no_more()
    {
        await using var world = TestEnvironment.Start(server);
        world.InMemory.FailTimes("InspectWorker", 2, "no slot");

        var handle = await world.StartRawAsync("InspectWorker");
        var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() => handle.GetResultAsync());

        Assert.Equal("no slot", TemporalFailures.Why(failure.InnerException!));
        Assert.Equal(2, world.InMemory.Calls.Count(call => call == "InspectWorker"));
    }
}
