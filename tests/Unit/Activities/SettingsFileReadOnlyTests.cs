namespace PgFlow.UnitTests.Activities;

public sealed class SettingsFileReadOnlyTests
{
    [Theory, InlineData(true), InlineData(false)]
    public void Only_what_says_whether_transactions_may_write_changes(bool readOnly)
    {
        var spec = Procedures.Sample.Healthy().Spec!;
        var node = new NodeId(spec.Cluster, NodeName.Of(1));
        string Rendered(bool of) => SettingsFile.Render(new(node, Quorum: 1, ReadOnly: of), spec);

        Assert.Equal(Rendered(readOnly), SettingsFile.With(Rendered(!readOnly), SettingsFile.OfReadOnly(readOnly)));
    }
}
