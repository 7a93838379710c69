using Spectre.Console;
using Spectre.Console.Rendering;
using Spectre.Console.Testing;
using Temporalio.Client;

namespace PgFlow.WorkflowTests;

/// <summary>Somebody leaves pgflow at its prompt: what it started does not stay behind, waiting.</summary>
public sealed class PromptTests(TemporalServer server)
{
    [Fact]
    public async Task At_the_prompt_it_is_rejected()
    {
        await using var world = TestEnvironment.Start(server);
        var handle = await world.StartAsync("Switchover", ("approve", true));
        using var leave = new CancellationTokenSource();
        var console = new SilentPerson(leave);

        var end = await Assert.ThrowsAsync<CliError>(() => Ask(console, handle, leave.Token));

        Assert.Equal((130, "rejected; nothing was done"), (end.ExitCode, end.Message));
        Assert.Equal(FailureTypes.Refused, (await TestEnvironment.FailureAsync(handle)).Type);
        Assert.Empty(world.InMemory.Changes);
    }

    [Fact]
    public async Task Before_there_is_a_plan_it_is_cancelled()
    {
        await using var world = TestEnvironment.Start(server);
        var gate = world.InMemory.Hold("ObserveCluster");
        var handle = await world.StartAsync("Switchover", ("approve", true));
        await gate.Reached;
        using var leave = new CancellationTokenSource();
        await leave.CancelAsync();

        var end = await Assert.ThrowsAsync<CliError>(() => Ask(new(leave), handle, leave.Token));

        gate.Open();
        Assert.Equal(130, end.ExitCode);
        Assert.Equal(ProcedureStatus.Cancelled, (await TestEnvironment.CancelledAsync(handle)).Outcome);
        Assert.Empty(world.InMemory.Changes);
    }

    [Fact]
    public async Task What_somebody_else_has_approved_goes_on()
    {
        await using var world = TestEnvironment.Start(server);
        var handle = await world.StartAsync("Switchover", ("approve", true));
        var waiting = await TestEnvironment.UntilAsync(
            handle,
            progress => progress.Status is ProcedureStatus.WaitingForApproval
        );
        using var leave = new CancellationTokenSource();
        var console = new SilentPerson(leave)
        {
            First = () => handle.ExecuteUpdateAsync("approve", [new Approval(waiting.Plan!.Hash)]),
        };

        await Record.ExceptionAsync(() => Ask(console, handle, leave.Token));

        Assert.Equal(ProcedureStatus.Succeeded, (await handle.GetResultAsync<Report>()).Outcome);
    }

    private static Task<bool> Ask(SilentPerson console, WorkflowHandle handle, CancellationToken cancel)
    {
        var terminal = new Terminal(console, console, Interactive: true);
        var call = new InvocationContext(CommandLine.Read(["switchover", "demo"], terminal), terminal);
        return new Confirmation(call, handle, new("Switchover", "{}", "demo")).ConfirmedAsync(cancel, cancel);
    }

    /// <summary>A terminal at which nobody answers; whoever sits there leaves as soon as they are asked.</summary>
    private sealed class SilentPerson(CancellationTokenSource leave) : IAnsiConsole, IAnsiConsoleInput
    {
        private readonly TestConsole _console = new TestConsole().Interactive();

        public Func<Task> First { get; init; } = () => Task.CompletedTask;

        public Profile Profile => _console.Profile;

        public IAnsiConsoleCursor Cursor => _console.Cursor;

        public IAnsiConsoleInput Input => this;

        public IExclusivityMode ExclusivityMode => _console.ExclusivityMode;

        public RenderPipeline Pipeline => _console.Pipeline;

        public void Clear(bool home) => _console.Clear(home);

        public void Write(IRenderable renderable) => _console.Write(renderable);

        public void WriteAnsi(Action<AnsiWriter> action) => _console.WriteAnsi(action);

        public bool IsKeyAvailable() => false;

        public ConsoleKeyInfo? ReadKey(bool intercept) => null;

        public async Task<ConsoleKeyInfo?> ReadKeyAsync(bool intercept, CancellationToken cancellationToken)
        {
            await First();
            await leave.CancelAsync();
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return null;
        }
    }
}
