namespace PgFlow.Cli.Progress;

/// <summary>Shows people what a procedure does while it does it.</summary>
internal interface IView
{
    Task ShowAsync(IAsyncEnumerable<Snapshot> snapshots, CancellationToken cancel);
}
