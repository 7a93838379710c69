namespace PgFlow.UnitTests.Activities;

public sealed class EvidenceTests
{
    [Fact]
    public async Task Is_what_was_asked_for() =>
        Assert.Equal("disk full", await OfLogAsync(() => Task.FromResult("disk full")));

    [Fact]
    public async Task That_hangs_leaves_the_reason_without_it() =>
        Assert.Equal(
            "its log is not available: nothing within 0.1 s",
            await OfLogAsync(() => new TaskCompletionSource<string>().Task)
        );

    [Fact]
    public async Task That_fails_says_so_beside_the_reason() =>
        Assert.Equal(
            "its log is not available: no such container",
            await OfLogAsync(() => throw new IOException("no such container"))
        );

    private static Task<string> OfLogAsync(Func<Task<string>> ask) =>
        Evidence.OfAsync("its log", ask, TimeSpan.FromMilliseconds(100));
}
