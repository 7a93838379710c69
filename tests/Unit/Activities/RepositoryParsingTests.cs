namespace PgFlow.UnitTests.Activities;

/// <summary>What the program <c>read-repository</c> says.</summary>
public sealed class RepositoryParsingTests
{
    private static readonly string Output = $$"""
        now 1795549258.496001686
        control {{Hex(ControlFileFixture.Of(7711822184333295631))}}
        space /repository 1048576 4194304
        space /nodes/p1 4 4194304
        timeline 00000002
        history 00000002 1	0/3000000	no recovery target specified
        timeline 0000000A
        history 0000000A 1	0/3000000	no recovery target specified
        history 0000000A 2	0/5000000	before 2026-11-24 16:46:39.35+00
        opened {"timeline":2,"parent":1,"switchedAt":"0/3000000","openedAt":"2026-11-24T12:00:00+00:00","procedure":"RebuildLedger-demo","kind":"promotion","continued":true}
        opened {"node":{"cluster":"demo","name":"p2"},"timeline":2,"parent":1,"switchedAt":"0/3000000","openedAt":"2026-11-24T11:59:59+00:00","procedure":"w","kind":"Failover"}
        point {"name":"late","timeline":2,"lsn":"0/4000090","at":"2026-11-24T13:00:00+00:00"}
        point {"name":"early","timeline":1,"lsn":"0/2000090","at":"2026-11-24T10:00:00+00:00"}
        backup {"id":"b","startedAt":"2026-11-24T09:00:00+00:00","stoppedAt":"2026-11-24T09:01:00+00:00","node":"p1","walRanges":[{"timeline":1,"start":"0/2000028","end":"0/2000100"}],"bytes":1,"systemIdentifier":"7","major":17}
        verified {"id":"b","verifiedAt":"2026-11-24T14:00:00+00:00"}
        segment 000000010000000000000001
        segment 000000010000000000000002
        segment 000000010000000000000004
        segment 0000000100000000000000FF
        segment 000000010000000100000000
        segment 000000020000000000000003
        """;

    private static readonly RepositoryContents Read = RepositoryActivities.Parse(ClusterName.Parse("demo"), Output);

    [Fact]
    public void Branches_come_from_histories_ledger_and_segments()
    {
        Assert.Equal([1u, 2u, 10u], Read.Branches.Select(branch => branch.Timeline.Number));
        Assert.Equal([new(new(1), new(0x3000000)), new(new(2), new(0x5000000))], Read.Branches[2].History.Ancestors);
        Assert.Null(Read.Branches[0].Opening);
    }

    [Fact]
    public void Of_two_openings_the_one_counts_that_its_procedure_wrote()
    {
        Assert.Equal(
            (NodeName.Of(2), nameof(Failover)),
            (Read.Branches[1].Opening!.Node!.Value.Name, Read.Branches[1].Opening!.Kind)
        );

        var rebuilt = RepositoryActivities.Parse(
            ClusterName.Parse("demo"),
            string.Join('\n', Output.Split('\n').Where(line => !line.Contains("p2", StringComparison.Ordinal)))
        );
        Assert.Equal((null, true), (rebuilt.Branches[1].Opening!.Node, rebuilt.Branches[1].Opening!.Continues));
    }

    [Fact]
    public void A_volume_without_room_for_wal_is_full()
    {
        Assert.Equal([new("repository", 1L << 30, 1L << 32), new("p1", 4096, 1L << 32)], Read.Spaces);
        Assert.Equal("p1", Assert.Single(ArchiveState.Of(Read).Full).Volume);
    }

    [Fact]
    public void A_full_volume_whose_path_has_a_space_is_named()
    {
        var full = ArchiveState
            .Of(RepositoryActivities.Parse(ClusterName.Parse("demo"), "now 1795549258.1\nspace /nodes/my disk 4 8\n"))
            .Full;
        Assert.Equal([new("my disk", 4096, 8192)], full);
        Assert.Equal(
            "no room: my disk's volume has 4096 bytes left",
            FindingText.Of(
                Inspection
                    .Of(Sample.Healthy(), new() { Full = full })
                    .Findings.First(finding => finding.Code is FindingCode.VolumeFull)
            )
        );
    }

    [Fact]
    public void Segments_become_runs_also_over_the_bound_of_a_log()
    {
        Assert.Equal([new(new(1), 1, 2), new(new(1), 4, 4), new(new(1), 255, 256), new(new(2), 3, 3)], Read.Segments);
        Assert.Equal(16 * 1024 * 1024, Read.SegmentSize);
    }

    [Fact]
    public void A_file_made_in_advance_is_no_segment_until_it_has_its_own_address()
    {
        var read = RepositoryActivities.Parse(
            ClusterName.Parse("demo"),
            """
            now 1795549258.1
            segment 000000010000000000000001
            unarchived 000000010000000000000002 0000000002000000
            unarchived 000000010000000000000003 0000000001000000
            unarchived 000000010000000000000004 0000000000000000
            unarchived 000000010000000000000005
            unarchived 000000010000000100000000 0000000100000000
            """
        );

        Assert.Equal([new(new(1), 1, 2), new(new(1), 256, 256)], read.Segments);
    }

    [Fact]
    public void Backups_and_points_stand_in_order_of_time_with_what_is_known_of_them()
    {
        Assert.Equal(["early", "late"], Read.RestorePoints.Select(point => point.Name));
        Assert.Equal(new(2026, 11, 24, 14, 0, 0, TimeSpan.Zero), Assert.Single(Read.Backups).VerifiedAt);
        Assert.Equal("7711822184333295631", Read.SystemIdentifier);
        Assert.Equal(1795549258, Read.ReadAt.ToUnixTimeSeconds());
    }

    [Fact]
    public void The_first_pg_control_counts_that_is_whole()
    {
        var damaged = ControlFileFixture.Of(1);
        damaged[40] ^= 1;

        var read = RepositoryActivities.Parse(
            ClusterName.Parse("demo"),
            $"""
            now 1795549258.1
            control {Hex([])}
            control {Hex(damaged)}
            control {Hex(ControlFileFixture.Of(2, segmentSize: 1 << 20))}
            control {Hex(ControlFileFixture.Of(3))}
            """
        );

        Assert.Equal(("2", 1 << 20), (read.SystemIdentifier, read.SegmentSize));
    }

    [Fact]
    public void A_repository_without_anything_and_a_shell_without_nanoseconds_can_be_read()
    {
        var bare = RepositoryActivities.Parse(ClusterName.Parse("demo"), "now 1795549258.%N\n");

        Assert.Equal(new Timeline(1), Assert.Single(bare.Branches).Timeline);
        Assert.Null(bare.SystemIdentifier);
        Assert.Empty(bare.Segments);
    }

    /// <summary>As the program prints the part of it that counts.</summary>
    private static string Hex(byte[] control) =>
        Convert.ToHexStringLower(control.AsSpan(0, Math.Min(512, control.Length)));
}
