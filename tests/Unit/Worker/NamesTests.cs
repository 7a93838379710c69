namespace PgFlow.UnitTests.Worker;

public sealed class NamesTests
{
    [Fact]
    public void Runs_of_the_same_moment_have_different_short_names()
    {
        var at = DateTimeOffset.UnixEpoch.AddYears(56);
        Assert.NotEqual(
            Names.ShortRun(Guid.CreateVersion7(at).ToString()),
            Names.ShortRun(Guid.CreateVersion7(at).ToString())
        );
    }
}
