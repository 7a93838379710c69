using CsCheck;

namespace PgFlow.UnitTests.Recovery;

/// <summary>Random clusters, each written to, switched and recovered many times: what is resolved is replayed by
/// PostgreSQL's own rules and compared with what was visible then.</summary>
public sealed class ResolverPropertyTests
{
    private const int Trees = 1200;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_time_brings_back_what_was_visible_on_the_branch_that_was_live(bool gaps)
    {
        var (resolved, refused) = (0, 0);
        await Property.HoldsAsync(
            Gen.Select(ModelCluster.Any(gaps), Gen.Int[0, 1000].Array[1, 12]),
            Trees,
            async drawn =>
            {
                var cluster = drawn.Item1();
                foreach (var share in drawn.Item2)
                {
                    var found = await CheckTimeAsync(cluster, TimeAt(cluster, share));
                    Interlocked.Increment(ref found ? ref resolved : ref refused);
                }
            },
            drawn => $"{drawn.Item1()}"
        );

        Assert.True(
            resolved > refused / 2,
            $"only {resolved} of {resolved + refused} could be resolved: the model is too poor"
        );
        TestContext.Current.TestOutputHelper?.WriteLine($"{resolved} resolved, {refused} refused");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_other_target_brings_back_what_was_visible_there(bool gaps)
    {
        var resolved = 0;
        await Property.HoldsAsync(
            Gen.Select(ModelCluster.Any(gaps), Drawn.Numbers(16)),
            Trees,
            async drawn =>
            {
                var cluster = drawn.Item1();
                foreach (var (target, timeline, end) in Targets(cluster, new Drawn(drawn.Item2)))
                {
                    var goal = new Goal(timeline, end, end, [.. timeline.Before(end)]);
                    if (await CheckAsync(cluster, target, goal))
                    {
                        Interlocked.Increment(ref resolved);
                    }
                }
            },
            drawn => $"{drawn.Item1()}"
        );

        Assert.True(resolved > Trees, $"only {resolved} could be resolved: the model is too poor");
        TestContext.Current.TestOutputHelper?.WriteLine($"{resolved} resolved");
    }

    [Fact]
    public async Task Retention_breaks_no_way_from_a_kept_backup_and_leaves_the_live_branch_one()
    {
        var removed = 0;
        await Property.HoldsAsync(
            Gen.Select(ModelCluster.Any(gaps: false), Gen.Int[0, 2], Gen.Int[1, 3], Gen.Int[0, 1000]),
            Trees,
            drawn =>
            {
                var cluster = drawn.Item1();
                var window = (cluster.Now - ModelCluster.Start) * (drawn.Item4 / 1000d);
                RetentionPolicy policy = drawn.Item2 switch
                {
                    0 => new(drawn.Item3, null),
                    1 => new(null, window),
                    _ => new(drawn.Item3, window),
                };
                Interlocked.Add(ref removed, CheckRetention(cluster.Contents, policy));
            },
            drawn => $"{drawn.Item1()}"
        );

        Assert.True(removed > Trees / 2, $"only {removed} backups removed: the model is too poor");
    }

    /// <summary>A time within a cluster's life, or just before or behind it.</summary>
    private static DateTimeOffset TimeAt(ModelCluster cluster, int perMille)
    {
        var around = TimeSpan.FromSeconds(20);
        return ModelCluster.Start - around + ((cluster.Now - ModelCluster.Start + (2 * around)) * (perMille / 1000d));
    }

    /// <returns>Whether it was resolved.</returns>
    private static async Task<bool> CheckTimeAsync(ModelCluster cluster, DateTimeOffset time)
    {
        var (wanted, what) = (Wanted(cluster, time), $"time {PgFlowText.Exact(time)}");
        var (target, refusal) = await TryAsync(cluster, new TimeTarget(time), what);
        if (target is null)
        {
            Assert.False(
                wanted is { } missed && CanBeHad(cluster, missed, time),
                $"{what}: refused, but it is recoverable: {refusal}"
            );
            return false;
        }

        Assert.True(wanted is not null, $"{what}: nothing can be wanted");
        AssertReaches(cluster, target, wanted.Value.Visible, what);
        AssertContainsNothingElse(cluster, target, what);
        return true;
    }

    /// <returns>Whether it was resolved.</returns>
    private static async Task<bool> CheckAsync(ModelCluster cluster, RecoveryTarget target, Goal goal)
    {
        var (found, refusal) = await TryAsync(cluster, target, $"{target}");
        if (found is null)
        {
            Assert.False(
                CanBeHad(cluster, goal, DateTimeOffset.MaxValue),
                $"{target}: refused, but it is recoverable: {refusal}"
            );
            return false;
        }

        AssertReaches(cluster, found, goal.Visible, $"{target}");
        return true;
    }

    /// <returns>How many backups are removed.</returns>
    private static int CheckRetention(RepositoryContents before, RetentionPolicy policy)
    {
        var retention = Retention.Of(before, policy);
        var after = before with
        {
            Backups = [.. before.Backups.Where(backup => retention.Backups.All(gone => gone.What != backup.Id))],
            Segments =
            [
                .. before.Segments.SelectMany(run =>
                    Numbers(run)
                        .Where(number =>
                            !retention.Segments.Any(gone =>
                                gone.Timeline == run.Timeline && gone.First <= number && number <= gone.Last
                            )
                        )
                        .Select(number => new SegmentRun(run.Timeline, number, number))
                ),
            ],
        };
        foreach (var branch in before.Branches)
        {
            var path = branch.Path();
            Assert.All(
                after.UsableOn(path),
                backup =>
                {
                    var way = path.From(backup.WalRanges[0].Start);
                    var (had, has) = (before.SpanOf(way), after.SpanOf(way));
                    Assert.True(
                        had.End == has.End && had.Gap == has.Gap,
                        $"{policy}: {backup.Id} on timeline {branch.Timeline} came to " + $"{had.End}, now to {has.End}"
                    );
                }
            );
        }

        var live = before.Branches[^1].Path();
        Assert.True(
            before.UsableOn(live).Take(1).SequenceEqual(after.UsableOn(live).Take(1)),
            $"{policy}: the newest backup is gone"
        );
        AssertPromisesKept(before, after, policy);
        return retention.Backups.Count;
    }

    private static void AssertPromisesKept(RepositoryContents before, RepositoryContents after, RetentionPolicy policy)
    {
        foreach (
            var was in TimelineTree
                .From(before)
                .Branches.Where(branch =>
                    branch.Earliest is not null
                    && policy.Window is not null
                    && !(branch.LiveTo < before.ReadAt - policy.Window)
                )
        )
        {
            var now = TimelineTree.From(after).Branches.Single(branch => branch.Timeline == was.Timeline);
            var promised = was.Earliest > before.ReadAt - policy.Window ? was.Earliest : before.ReadAt - policy.Window;
            Assert.True(
                now.Earliest <= promised,
                $"{policy}: timeline {was.Timeline} from {promised} was promised, {now.Earliest} is had"
            );
        }

        if (policy.Keep is { } keep)
        {
            var live = before.Branches[^1].Path();
            Assert.Equal(
                before.UsableOn(live).Where(backup => backup.Parent is null).Take(keep),
                after.UsableOn(live).Where(backup => backup.Parent is null).Take(keep)
            );
        }
    }

    private static IEnumerable<ulong> Numbers(SegmentRun run)
    {
        for (var number = run.First; number <= run.Last; number++)
        {
            yield return number;
        }
    }

    /// <summary>A timeline, a position on it, how far WAL must be read to find that, and the records before
    /// it.</summary>
    private readonly record struct Goal(ModelTimeline Timeline, Lsn End, Lsn Read, IReadOnlyList<WalRecord> Visible);

    /// <summary>By brute force; null where nothing was live.</summary>
    private static Goal? Wanted(ModelCluster cluster, DateTimeOffset time)
    {
        if (
            time > cluster.Now
            || cluster.Timelines.LastOrDefault(timeline => timeline.Opening.OpenedAt <= time) is not { } live
        )
        {
            return null;
        }

        if (
            live.LeftAt < time
            && cluster.Timelines[(int)live.Number.Number]
                is { Opening.Kind: nameof(Failover) or nameof(Switchover) } next
        )
        {
            return new(next, next.Fork, next.Fork, [.. next.Before(next.Fork)]);
        }

        if (!cluster.IsAnythingLeft(live))
        {
            return null;
        }

        var all = live.Before(cluster.RetainedEnd(live)).ToList();
        var later = all.FirstOrDefault(record => record.Kind is not RecordKind.Other && record.At > time);
        var end = later?.Lsn ?? cluster.RetainedEnd(live);
        return new(live, end, later?.End ?? end, [.. live.Before(end)]);
    }

    private static IEnumerable<(RecoveryTarget Target, ModelTimeline Timeline, Lsn End)> Targets(
        ModelCluster cluster,
        Random random
    )
    {
        foreach (
            var point in cluster.Contents.RestorePoints.Where(point =>
                point.Lsn <= cluster.RetainedEnd(cluster.Find(point.Timeline))
            )
        )
        {
            yield return (new PointTarget(point.Name), cluster.Find(point.Timeline), point.Lsn);
        }

        foreach (
            var backup in cluster.Contents.Backups.Where(backup =>
                backup.End <= cluster.RetainedEnd(cluster.Find(backup.Timeline))
            )
        )
        {
            yield return (new BackupTarget(backup.Id), cluster.Find(backup.Timeline), backup.End);
        }

        var live = cluster.Live.Before(cluster.Live.End).ToList();
        foreach (var commit in live.Where(record => record.Kind is RecordKind.Commit && random.Next(5) == 0))
        {
            yield return (new XidTarget(commit.Xid), cluster.Live, commit.End);
        }

        var some = live[random.Next(live.Count)];
        yield return (new LsnTarget(some.End), cluster.Live, some.End);
        yield return (new LatestTarget(), cluster.Live, cluster.Live.End);
        foreach (var timeline in cluster.Timelines.Where(cluster.IsAnythingLeft))
        {
            yield return (new LatestTarget { Timeline = timeline.Number }, timeline, cluster.RetainedEnd(timeline));
        }
    }

    private static async Task<(ResolvedTarget? Target, string? Refusal)> TryAsync(
        ModelCluster cluster,
        RecoveryTarget target,
        string what
    )
    {
        try
        {
            return (await Resolver.ResolveAsync(cluster.Contents, target, cluster), null);
        }
        catch (PgFlowException refusal)
        {
            Assert.True(refusal.Type == FailureTypes.Refused, $"{what}: {refusal.Message}");
            return (null, refusal.Message);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException(what, e);
        }
    }

    /// <summary>Any timeline on which the same records lie before the position will do, and any backup from which it
    /// can be read.</summary>
    private static bool CanBeHad(ModelCluster cluster, Goal goal, DateTimeOffset time) =>
        cluster
            .Timelines.Where(other =>
                other == goal.Timeline
                || goal.Timeline.Lost is not null
                    && other.Before(goal.Read).SequenceEqual(goal.Timeline.Before(goal.Read))
            )
            .Any(other => cluster.UsableFor(other.Number, goal.End, goal.Read).Any(backup => backup.StoppedAt <= time));

    private static void AssertReaches(
        ModelCluster cluster,
        ResolvedTarget target,
        IReadOnlyList<WalRecord> visible,
        string what
    )
    {
        what =
            $"{what}: timeline {target.Timeline} to {target.End}{(target.EndOfBranch ? " (end)" : "")} from "
            + $"{string.Join("+", target.Backups)}";
        var backup = cluster.Contents.Backups.Single(backup => backup.Id == target.Backups[^1]);
        Assert.True(cluster.CanBegin(backup, target.Timeline), $"{what}: the backup is not on the branch");
        Assert.True(backup.End <= target.End, $"{what}: the backup ends later");
        Assert.True(cluster.CanRead(target.Timeline, backup.WalRanges[0].Start, target.End), $"{what}: WAL is missing");
        Assert.True(
            !cluster.UsableFor(target.Timeline, target.End, target.End).Any(other => other.End > backup.End),
            $"{what}: there is a newer backup"
        );
        Assert.Equal(cluster.Timelines.Count + 1, (int)target.NewTimeline.Number);
        Assert.Equal(backup.WalRanges[0].Start, target.Wal[0].Start);
        Assert.Equal(target.End, target.Wal[^1].End);

        // As PostgreSQL replays: from the backup's start along the target timeline, up to the first record that begins
        // at the target or behind.
        var start = backup.WalRanges[0].Start;
        var ahead = cluster.Along(target.Timeline, start).ToList();
        var replayed = target.EndOfBranch ? ahead : ahead.TakeWhile(record => record.Lsn < target.End).ToList();
        Assert.True(
            target.EndOfBranch
                || ahead.Count > replayed.Count
                || !cluster.CanRead(target.Timeline, start, new(target.End.Value + 1)),
            $"{what}: no record stops it"
        );
        Assert.True(replayed[^1].End == target.End, $"{what}: replay comes to {replayed[^1].End}");
        var got = cluster.Find(backup.WalRanges[0].Timeline).Before(start).Concat(replayed);
        Assert.True(
            Commits(visible).SequenceEqual(Commits(got)),
            $"{what}: {string.Join(",", Commits(got))} instead of {string.Join(",", Commits(visible))}"
        );

        var kept = Commits(replayed).Select(xid => (uint?)xid).LastOrDefault();
        Assert.True(target.LastKept?.Xid == kept, $"{what}: last kept {target.LastKept?.Xid} instead of {kept}");
        var dropped = Commits(ahead.Skip(replayed.Count)).Select(xid => (uint?)xid).FirstOrDefault();
        Assert.True(
            target.FirstDropped?.Xid == dropped,
            $"{what}: first dropped {target.FirstDropped?.Xid} instead of {dropped}"
        );
    }

    /// <summary>The last thing that is replayed is a transaction's end, unless the backup ends or the branch begins
    /// there.</summary>
    private static void AssertContainsNothingElse(ModelCluster cluster, ResolvedTarget target, string what)
    {
        var last = cluster
            .Along(target.Timeline, target.Wal[0].Start)
            .LastOrDefault(record => record.End <= target.End);
        Assert.True(
            target.EndOfBranch
                || last?.Kind is not RecordKind.Other
                || cluster.Contents.Backups.Any(backup => backup.End == target.End)
                || cluster.Timelines.Any(timeline => timeline.Fork == target.End)
                || cluster.Timelines.Any(timeline => cluster.RetainedEnd(timeline) == target.End),
            $"{what}: {target.End} is no transaction's end"
        );
    }

    private static IEnumerable<uint> Commits(IEnumerable<WalRecord> records) =>
        records.Where(record => record.Kind is RecordKind.Commit).Select(record => record.Xid);
}
