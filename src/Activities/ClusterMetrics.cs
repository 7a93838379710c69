using Temporalio.Common;

namespace PgFlow.Activities;

/// <summary>What was last seen of clusters, as metrics. Nothing is asked for their sake: they are as old as the last
/// look, which they tell.</summary>
internal sealed class ClusterMetrics(MetricMeter meter)
{
    private const string Nodes = "nodes";
    private const string Repository = "repository";

    private readonly Lock _lock = new();
    private readonly Dictionary<Series, Known> _known = [];

    private readonly MetricGauge<double> _nodesSeen = meter.CreateGauge<double>(
        "pgflow_cluster_observed_timestamp_seconds",
        "s",
        "When the cluster's nodes were last looked at."
    );
    private readonly MetricGauge<double> _lag = meter.CreateGauge<double>(
        "pgflow_replication_lag_bytes",
        "By",
        "How much of the primary's WAL a standby that follows it has not replayed."
    );
    private readonly MetricGauge<double> _files = meter.CreateGauge<double>(
        "pgflow_archive_backlog_files",
        null,
        "How many files wait for the archive."
    );
    private readonly MetricGauge<double> _wait = meter.CreateGauge<double>(
        "pgflow_archive_backlog_seconds",
        "s",
        "How long the first of the files has waited for the archive."
    );
    private readonly MetricGauge<double> _unarchived = meter.CreateGauge<double>(
        "pgflow_archive_backlog_bytes",
        "By",
        "How much of the primary's WAL is in no archive, the unfinished segment included."
    );
    private readonly MetricGauge<double> _repositorySeen = meter.CreateGauge<double>(
        "pgflow_repository_observed_timestamp_seconds",
        "s",
        "When the cluster's repository was last read."
    );
    private readonly MetricGauge<double> _backup = meter.CreateGauge<double>(
        "pgflow_last_backup_timestamp_seconds",
        "s",
        "The end of the newest backup that leads to the live branch; 0 where there is none."
    );
    private readonly MetricGauge<double> _verified = meter.CreateGauge<double>(
        "pgflow_last_verified_backup_timestamp_seconds",
        "s",
        "The end of the newest of those backups whose recovery was proven; 0 where there is none."
    );

    /// <summary>Which nodes a cluster has; none where it is gone.</summary>
    public void Observed(ClusterName cluster, IReadOnlyCollection<NodeId> nodes)
    {
        if (nodes.Count == 0)
        {
            Forget(cluster);
            return;
        }

        var tellers = nodes.Select(node => node.ToString()).Append(Nodes).Append(Repository).ToHashSet();
        Forget(teller => teller.Cluster == cluster && !tellers.Contains(teller.Name));
        Set(new(cluster, Nodes), new() { { new(cluster, _nodesSeen), Seconds(DateTimeOffset.UtcNow) } });
    }

    /// <summary>What a node told of itself, and a primary of its standbys.</summary>
    public void Observed(NodeState state)
    {
        var (cluster, node) = (state.Id.Cluster, state.Id.ToString());
        var now = new Values();
        foreach (var follower in state.Role is NodeRole.Primary ? state.Followers : [])
        {
            now[new(cluster, _lag, follower.Node)] = follower.LagBytes;
        }

        if (state.Archiver is { } archiver)
        {
            now[new(cluster, _files, node)] = archiver.Waiting;
            now[new(cluster, _wait, node)] = archiver.WaitingSeconds;
        }

        if (state.Archiver?.UnarchivedBytes is { } bytes)
        {
            now[new(cluster, _unarchived, node)] = bytes;
        }

        Set(new(cluster, node), now);
    }

    public void Read(RepositoryContents contents)
    {
        var live = LivePeriod.Of(contents) is [.., var last] ? last.Branch.Path() : null;
        var usable = live is null ? [] : contents.UsableOn(live);
        Set(
            new(contents.Cluster, Repository),
            new()
            {
                { new(contents.Cluster, _repositorySeen), Seconds(DateTimeOffset.UtcNow) },
                { new(contents.Cluster, _backup), Seconds(usable is [var newest, ..] ? newest.StoppedAt : null) },
                {
                    new(contents.Cluster, _verified),
                    Seconds(usable.FirstOrDefault(backup => backup.VerifiedAt is not null)?.StoppedAt)
                },
            }
        );
    }

    public void Forget(ClusterName cluster) => Forget(teller => teller.Cluster == cluster);

    /// <summary>Seconds since 1970; 0 for never, so that its age is an alarm.</summary>
    private static double Seconds(DateTimeOffset? time) => time?.ToUnixTimeMilliseconds() / 1000.0 ?? 0;

    /// <summary>Sets all that a teller has to tell now. What it told before can't be taken back, and is no number from
    /// here on.</summary>
    private void Set(Teller teller, Values values)
    {
        lock (_lock)
        {
            foreach (var (series, value) in values)
            {
                var gauge = _known.TryGetValue(series, out var known)
                    ? known.Gauge
                    : series.Gauge.WithTags(series.Tags);
                _known[series] = new(gauge, teller);
                gauge.Set(value);
            }

            Clear(series => !values.ContainsKey(series) && _known[series].Teller == teller);
        }
    }

    private void Forget(Func<Teller, bool> isGone)
    {
        lock (_lock)
        {
            Clear(series => isGone(_known[series].Teller));
        }
    }

    private void Clear(Func<Series, bool> isGone)
    {
        foreach (var series in _known.Keys.Where(isGone))
        {
            _known[series].Gauge.Set(double.NaN);
        }
    }

    /// <summary>Who told: a node, or what was read of all of them or of the repository.</summary>
    private sealed record Teller(ClusterName Cluster, string Name);

    private sealed record Known(MetricGauge<double> Gauge, Teller Teller);

    private sealed record Series(ClusterName Cluster, MetricGauge<double> Gauge, string? Node = null)
    {
        public IEnumerable<KeyValuePair<string, object>> Tags =>
            Node is null
                ? [new("cluster", Cluster.ToString())]
                : [new("cluster", Cluster.ToString()), new("node", Node)];
    }

    private sealed class Values : Dictionary<Series, double>;
}
