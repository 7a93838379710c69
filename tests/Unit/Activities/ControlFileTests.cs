namespace PgFlow.UnitTests.Activities;

public sealed class ControlFileTests
{
    [Fact]
    public void Of_a_damaged_one_nothing_is_believed()
    {
        var file = ControlFileFixture.Of(systemIdentifier: 7);
        Assert.Equal("7", ControlFile.Parse(file)!.SystemIdentifier);
        Assert.Equal(100, ControlFile.CapacitiesOf(file)["max_connections"]);

        file[40] ^= 1;
        Assert.Null(ControlFile.Parse(file));
        Assert.Empty(ControlFile.CapacitiesOf(file));
    }
}
