namespace PgFlow.UnitTests.Activities;

public sealed class ClusterMetricsTests
{
    private static readonly DateTimeOffset Day = new(2026, 11, 27, 0, 0, 0, TimeSpan.Zero);

    private readonly Scrape _scrape = Scrape.Start();
    private readonly ClusterMetrics _metrics;

    public ClusterMetricsTests() => _metrics = new(_scrape.Runtime.MetricMeter);

    [Fact]
    public async Task What_was_seen_of_the_nodes_can_be_scraped()
    {
        _metrics.Observed(
            Sample
                .Healthy()
                .WithFollower(2, follower => follower with { LagBytes = 4096 })
                .With(1, node => node with { Archiver = new(null, null, 3, 0, 12.5, 50_000_000) })
        );

        Assert.Equal(4096, await ValueAsync("pgflow_replication_lag_bytes", "p2"));
        Assert.Equal(3, await ValueAsync("pgflow_archive_backlog_files", "p1"));
        Assert.Equal(12.5, await ValueAsync("pgflow_archive_backlog_seconds", "p1"));
        Assert.Equal(50_000_000, await ValueAsync("pgflow_archive_backlog_bytes", "p1"));
        var seen = await ValueAsync("pgflow_cluster_observed_timestamp_seconds");
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - seen!.Value, -1, 60);
    }

    [Fact]
    public async Task A_node_has_the_role_that_it_was_seen_in_last()
    {
        _metrics.Observed(Sample.Healthy());
        Assert.Equal(1, await RoleAsync("p1", "primary"));
        Assert.Equal(1, await RoleAsync("p2", "standby"));

        _metrics.Observed(Sample.Healthy().With(1, node => node with { Role = NodeRole.Stopped }));
        Assert.Equal(double.NaN, await RoleAsync("p1", "primary"));
        Assert.Equal(1, await RoleAsync("p1", "stopped"));

        Task<double?> RoleAsync(string node, string role) =>
            _scrape.ValueAsync("pgflow_node_role", ("cluster", "demo"), ("node", node), ("role", role));
    }

    [Fact]
    public async Task A_volume_has_its_size_and_what_is_left_of_it()
    {
        _metrics.Read(Past() with { Spaces = [new("repository", Free: 7, Size: 100), new("p1", 8, 200)] });

        Assert.Equal(7, await OfAsync("pgflow_volume_free_bytes", "repository"));
        Assert.Equal(100, await OfAsync("pgflow_volume_size_bytes", "repository"));
        Assert.Equal(8, await OfAsync("pgflow_volume_free_bytes", "p1"));

        Task<double?> OfAsync(string name, string volume) =>
            _scrape.ValueAsync(name, ("cluster", "demo"), ("volume", volume));
    }

    [Fact]
    public async Task What_is_not_there_any_more_is_no_number()
    {
        _metrics.Observed(Sample.Healthy());
        _metrics.Observed(Sample.Healthy().WithFollower(2, _ => null));
        Assert.Equal(double.NaN, await ValueAsync("pgflow_replication_lag_bytes", "p2"));
        Assert.NotEqual(double.NaN, await ValueAsync("pgflow_replication_lag_bytes", "p3"));

        _metrics.Observed(Sample.Nothing);
        Assert.Equal(double.NaN, await ValueAsync("pgflow_replication_lag_bytes", "p3"));
        Assert.Equal(double.NaN, await ValueAsync("pgflow_cluster_observed_timestamp_seconds"));
    }

    [Fact]
    public async Task A_cluster_without_a_backup_has_an_old_one()
    {
        _metrics.Read(Past());

        Assert.Equal(0, await ValueAsync("pgflow_last_backup_timestamp_seconds"));
        Assert.Equal(0, await ValueAsync("pgflow_last_verified_backup_timestamp_seconds"));
    }

    [Fact]
    public async Task The_last_backup_and_the_last_verified_one_have_their_ends()
    {
        _metrics.Read(Past(BackupAt(1, verified: true), BackupAt(2, verified: true), BackupAt(3, verified: false)));

        Assert.Equal(Day.AddHours(3).ToUnixTimeSeconds(), await ValueAsync("pgflow_last_backup_timestamp_seconds"));
        Assert.Equal(
            Day.AddHours(2).ToUnixTimeSeconds(),
            await ValueAsync("pgflow_last_verified_backup_timestamp_seconds")
        );
    }

    private static TimelineOpened Opening { get; } =
        new(new(Sample.Cluster, NodeName.Of(1)), new(1), Parent: null, new(0), Day, "init", nameof(InitCluster));

    private Task<double?> ValueAsync(string name, string? node = null) =>
        _scrape.ValueAsync(name, node is null ? [("cluster", "demo")] : [("cluster", "demo"), ("node", node)]);

    private static RepositoryContents Past(params Backup[] backups) =>
        new()
        {
            Cluster = Sample.Cluster,
            Branches = [new(new(1), TimelineHistory.Parse(new(1), ""), Opening)],
            Backups = backups,
            ReadAt = Day,
        };

    private static Backup BackupAt(int hour, bool verified) =>
        new()
        {
            Id = $"at-{hour}",
            StartedAt = Day.AddHours(hour),
            StoppedAt = Day.AddHours(hour),
            Node = NodeName.Of(1),
            WalRanges = [new(new(1), new((ulong)hour << 24), new(((ulong)hour << 24) + 0x100))],
            Bytes = 1,
            SystemIdentifier = "1",
            Major = 17,
            VerifiedAt = verified ? Day.AddDays(1) : null,
        };
}
