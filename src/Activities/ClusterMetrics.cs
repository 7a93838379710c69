using Temporalio.Common;

namespace PgFlow.Activities;

/// <summary>What was last seen of clusters, as metrics. Nothing is asked for their sake: they are as old as the last
/// look, which they tell.</summary>
internal sealed class ClusterMetrics(MetricMeter meter)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Series, MetricGauge<double>> _known = [];

    private readonly MetricGauge<double> _nodesSeen = meter.CreateGauge<double>(
        "pgflow_cluster_observed_timestamp_seconds",
        "s",
        "When the cluster's nodes were last looked at."
    );
    private readonly MetricGauge<double> _role = meter.CreateGauge<double>(
        "pgflow_node_role",
        null,
        "1 for the role that a node was seen in: primary, standby, stopped, unreachable, missing."
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
    private readonly MetricGauge<double> _free = meter.CreateGauge<double>(
        "pgflow_volume_free_bytes",
        "By",
        "What a volume has left."
    );
    private readonly MetricGauge<double> _size = meter.CreateGauge<double>(
        "pgflow_volume_size_bytes",
        "By",
        "How large a volume's file system is."
    );

    public void Observed(ClusterState state)
    {
        if (!state.Exists)
        {
            Forget(state.Cluster);
            return;
        }

        var now = new Values { { new(state.Cluster, _nodesSeen), Seconds(DateTimeOffset.UtcNow) } };
        foreach (var follower in state.Primaries.SelectMany(primary => primary.Followers))
        {
            now[new(state.Cluster, _lag, follower.Node)] = follower.LagBytes;
        }

        foreach (var node in state.Nodes)
        {
            now[new(state.Cluster, _role, node.Id.ToString(), PgFlowText.Word(node.Role))] = 1;
            if (node.Archiver is { } archiver)
            {
                now[new(state.Cluster, _files, node.Id.ToString())] = archiver.Waiting;
                now[new(state.Cluster, _wait, node.Id.ToString())] = archiver.WaitingSeconds;
            }

            if (node.Archiver?.UnarchivedBytes is { } bytes)
            {
                now[new(state.Cluster, _unarchived, node.Id.ToString())] = bytes;
            }
        }

        Set(state.Cluster, now, _nodesSeen, _role, _lag, _files, _wait, _unarchived);
    }

    public void Read(RepositoryContents contents)
    {
        var live = LivePeriod.Of(contents) is [.., var last] ? last.Branch.Path() : null;
        var usable = live is null ? [] : contents.UsableOn(live);
        var now = new Values
        {
            { new(contents.Cluster, _repositorySeen), Seconds(DateTimeOffset.UtcNow) },
            { new(contents.Cluster, _backup), Seconds(usable is [var newest, ..] ? newest.StoppedAt : null) },
            {
                new(contents.Cluster, _verified),
                Seconds(usable.FirstOrDefault(backup => backup.VerifiedAt is not null)?.StoppedAt)
            },
        };
        foreach (var space in contents.Spaces)
        {
            now[new(contents.Cluster, _free, Volume: space.Volume)] = space.Free;
            now[new(contents.Cluster, _size, Volume: space.Volume)] = space.Size;
        }

        Set(contents.Cluster, now, _repositorySeen, _backup, _verified, _free, _size);
    }

    public void Forget(ClusterName cluster) => Set(cluster, []);

    /// <summary>Seconds since 1970; 0 for never, so that its age is an alarm.</summary>
    private static double Seconds(DateTimeOffset? time) => time?.ToUnixTimeMilliseconds() / 1000.0 ?? 0;

    /// <summary>Sets what there is now. What was there before can't be taken back, and is no number from here
    /// on.</summary>
    /// <param name="of">Which gauges these values are all of; every one where none is named.</param>
    private void Set(ClusterName cluster, Values values, params MetricGauge<double>[] of)
    {
        lock (_lock)
        {
            var gone = _known
                .Keys.Where(known => known.Cluster == cluster && (of.Length == 0 || of.Contains(known.Gauge)))
                .Except(values.Keys);
            foreach (var series in gone)
            {
                _known[series].Set(double.NaN);
            }

            foreach (var (series, value) in values)
            {
                if (!_known.TryGetValue(series, out var gauge))
                {
                    _known[series] = gauge = series.Gauge.WithTags(series.Tags);
                }

                gauge.Set(value);
            }
        }
    }

    private sealed record Series(
        ClusterName Cluster,
        MetricGauge<double> Gauge,
        string? Node = null,
        string? Role = null,
        string? Volume = null
    )
    {
        public IEnumerable<KeyValuePair<string, object>> Tags
        {
            get
            {
                (string Name, string? Value)[] all =
                [
                    ("cluster", Cluster.ToString()),
                    ("node", Node),
                    ("role", Role),
                    ("volume", Volume),
                ];
                return from tag in all
                    where tag.Value is not null
                    select new KeyValuePair<string, object>(tag.Name, tag.Value);
            }
        }
    }

    private sealed class Values : Dictionary<Series, double>;
}
