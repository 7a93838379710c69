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
        SynchronousStandbys: [NodeName.Of(2), NodeName.Of(3)]
    )
    {
        Confirmations = 2,
    };

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
    public void What_ALTER_SYSTEM_wrote_counts_more()
    {
        var known = new KnownSettings(
            Encoding.UTF8.GetBytes(SettingsFile.Render(Primary, Spec)),
            "# Do not edit\nwork_mem = '8MB'\nsynchronous_standby_names = ''\n"u8.ToArray()
        );

        Assert.Equal("", known.SynchronousStandbyNames);
        Assert.Equal("synchronous_standby_names", Assert.Single(known.Drift).Name);
    }

    [Fact]
    public void What_the_last_commits_waited_for_is_kept_while_it_is_not_the_same()
    {
        string? Earlier(string file, string next) => Read(file).EarlierThan(next);
        var written = SettingsFile.Render(Primary, Spec);

        Assert.Null(Earlier(written, "ANY 2 (p2, p3)"));
        Assert.Equal("ANY 2 (p2, p3)", Earlier(written, ""));
        var again = SettingsFile.Render(Primary with { SynchronousStandbys = [] }, Spec, Earlier(written, ""));
        Assert.Equal("ANY 2 (p2, p3)", Earlier(again, "ANY 1 (p3)"));
        Assert.Null(Earlier(again, "ANY 2 (p2, p3)"));

        var followed = SettingsFile.Render(Primary with { Upstream = NodeName.Of(2), SynchronousStandbys = [] }, Spec);
        var recovered = SettingsFile.Render(
            Primary with
            {
                Recovery = new(new(1), new(0x2000000)),
                SynchronousStandbys = [],
            },
            Spec
        );
        Assert.Null(Earlier(followed, "ANY 1 (p3)"));
        Assert.Null(Earlier(recovered, "ANY 1 (p3)"));
        Assert.Null(Earlier("", "ANY 1 (p3)"));
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
