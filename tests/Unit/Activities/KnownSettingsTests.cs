using System.Text;

namespace PgFlow.UnitTests.Activities;

public sealed class KnownSettingsTests
{
    private static readonly ClusterSpec Spec = new(
        ClusterName.Parse("demo"),
        "postgres:17",
        new(17, "/usr/lib/postgresql/17/bin", 999, 999),
        ArchiveMode.External,
        "10.77.1.0/24",
        "lan",
        "10.0.0.9"
    );

    private static readonly NodeSettings Primary = new(
        new(Spec.Cluster, NodeName.Of(1)),
        Quorum: 2,
        SynchronousStandbyNames: "ANY 2 (p2, p3)"
    );

    [Fact]
    public void Are_read_as_they_were_written()
    {
        var known = Read(SettingsFile.Render(Primary with { ReadOnly = true }, Spec));

        Assert.Equal(
            (2, true, "ANY 2 (p2, p3)", null),
            (known.Quorum, known.ReadOnly, known.SynchronousStandbyNames, known.EarlierStandbyNames)
        );
        Assert.Equal(
            "FIRST 1 (\"it's\")",
            Read(SettingsFile.Render(Primary, Spec, "FIRST 1 (\"it's\")")).EarlierStandbyNames
        );
        Assert.Equal((null, ""), (Read("").Quorum, Read("").SynchronousStandbyNames));
    }

    [Fact]
    public void Of_a_file_only_the_number_is_changed()
    {
        var file = SettingsFile.Render(Primary, Spec);
        string With(string number, string of) =>
            SettingsFile.With(of, new Dictionary<string, string> { [SettingsFile.Quorum] = number });
        var changed = With("0", file);

        Assert.Equal(0, Read(changed).Quorum);
        Assert.Equal(file, With("2", changed));
    }

    [Fact]
    public void What_ALTER_SYSTEM_wrote_counts_too()
    {
        var known = new KnownSettings(
            Encoding.UTF8.GetBytes(SettingsFile.Render(Primary, Spec)),
            "# Do not edit\nwork_mem = '8MB'\nsynchronous_standby_names = ''\n"u8.ToArray()
        );

        Assert.Equal("", known.SynchronousStandbyNames);
        Assert.Equal("ANY 2 (p2, p3)", known.EarlierStandbyNames); // it may not have been read yet
        Assert.Equal("synchronous_standby_names", Assert.Single(known.Drift).Name);
    }

    [Fact]
    public void What_commits_may_have_waited_for_is_known_of_whoever_was_or_becomes_the_primary()
    {
        string Former(NodeSettings settings, string? kept = null) =>
            string.Join(" | ", Read(SettingsFile.Render(settings, Spec, kept)).Former);
        var asynchronous = Primary with { SynchronousStandbyNames = "" };

        Assert.Equal("ANY 2 (p2, p3)", Former(Primary));
        Assert.Equal("", Former(asynchronous));
        Assert.Single(Read(SettingsFile.Render(asynchronous, Spec)).Former); // it waited for nobody
        Assert.Equal("ANY 1 (p2) |  | ANY 2 (p2, p3)", Former(Primary, "ANY 1 (p2);"));
        Assert.Equal("ANY 2 (p2, p3)", Former(Primary with { Upstream = NodeName.Of(2) })); // prepared for a switchover
        Assert.Empty(Read(SettingsFile.Render(asynchronous with { Upstream = NodeName.Of(2) }, Spec)).Former);
        var recovering = asynchronous with { Recovery = new(new(1), new(0x2000000)) };
        Assert.Empty(Read(SettingsFile.Render(recovering, Spec)).Former);
        Assert.Equal("ANY 1 (p2)", Former(recovering, "ANY 1 (p2)"));
        Assert.Empty(Read("").Former);
    }

    private static KnownSettings Read(string file) => new(Encoding.UTF8.GetBytes(file));

    [Fact]
    public void The_clusters_nodes_are_read_back_and_written_into_a_file_that_has_none()
    {
        var settings = new NodeSettings(new(Spec.Cluster, NodeName.Of(1)))
        {
            Members = [NodeName.Of(1), NodeName.Of(3)],
        };
        var file = SettingsFile.Render(settings, Spec);
        Assert.Equal(settings.Members, Read(file).Members);
        Assert.Empty(Read(SettingsFile.Render(settings with { Members = [] }, Spec)).Members);

        var earlier = string.Join(
            '\n',
            file.Split('\n').Where(line => !line.StartsWith(SettingsFile.Members, Ordinal))
        );
        Assert.Empty(Read(earlier).Members);
        var changed = SettingsFile.With(earlier, new Dictionary<string, string> { [SettingsFile.Members] = "p1, p2" });
        Assert.Equal([NodeName.Of(1), NodeName.Of(2)], Read(changed).Members);
        Assert.EndsWith(earlier, changed, Ordinal);

        Assert.Equal(
            [NodeName.Of(2)],
            new KnownSettings(new Dictionary<string, string> { [SettingsFile.Members] = "p2, nobody" }).Members
        );
    }

    private const StringComparison Ordinal = StringComparison.Ordinal;
}
