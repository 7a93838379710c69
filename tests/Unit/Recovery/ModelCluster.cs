using CsCheck;

namespace PgFlow.UnitTests.Recovery;

internal enum RecordKind
{
    Other,
    Commit,
    Abort,
}

/// <summary>A record of the model's WAL.</summary>
internal sealed record WalRecord(Timeline Timeline, RecordKind Kind, uint Xid, Lsn Lsn, Lsn End, DateTimeOffset At);

/// <summary>A timeline of the model: what really happened, whatever a history says.</summary>
internal sealed class ModelTimeline(
    Timeline number,
    ModelTimeline? parent,
    Lsn fork,
    IReadOnlyList<TimelineSwitch> history
)
{
    public Timeline Number => number;

    public ModelTimeline? Parent => parent;

    public Lsn Fork => fork;

    public IReadOnlyList<TimelineSwitch> History => history;

    public List<WalRecord> Records { get; } = [];

    public List<WalMark> Marks { get; } = [];

    public Lsn End => Records.Count == 0 ? fork : Records[^1].End;

    /// <summary>Where the archive's own files of it end, when its last ones were lost with their node.</summary>
    public Lsn? Lost { get; set; }

    public required TimelineOpened Opening { get; init; }

    public DateTimeOffset? LeftAt { get; set; }

    /// <summary>Every record that a server on this timeline had behind it at a position.</summary>
    public IEnumerable<WalRecord> Before(Lsn position) =>
        (parent?.Before(position < fork ? position : fork) ?? []).Concat(
            Records.Where(record => record.Lsn < position)
        );

    /// <summary>The marks that a server on this timeline had behind it at a position.</summary>
    public IEnumerable<WalMark> MarksBefore(Lsn position) =>
        (parent?.MarksBefore(position < fork ? position : fork) ?? []).Concat(Marks.Where(mark => mark.Lsn < position));
}

/// <summary>A cluster that is written to, switched and recovered at random. It answers from brute force what the
/// resolver must find by arithmetic.</summary>
internal sealed class ModelCluster : IWalReader
{
    public const long SegmentSize = 256;
    private static readonly ClusterName Name = ClusterName.Parse("model");
    private readonly List<Backup> _backups = [];
    private readonly List<RestorePoint> _points = [];
    private readonly HashSet<(Timeline, ulong)> _removed = [];
    private readonly Random _random = new(0);
    private uint _xid = 700;

    private ModelCluster(IEnumerable<int[]> events, int[]? gaps)
    {
        Now = Start;
        Live = Open(null, default, [], nameof(InitCluster), null);
        Timelines.Add(Live);
        Write(RecordKind.Other);
        foreach (var draws in events)
        {
            _random = new Drawn(draws);
            Event();
        }

        Pass();
        if (gaps is not null)
        {
            _random = new Drawn(gaps);
            foreach (var timeline in Timelines.Where(_ => _random.Next(4) == 0))
            {
                var (first, end) = (
                    timeline.Fork.Value / SegmentSize,
                    (timeline.Lost ?? timeline.End).Value / SegmentSize
                );
                if (end > first + 1)
                {
                    // never the last: that would be its end
                    _removed.Add((timeline.Number, first + (ulong)_random.Next((int)(end - first - 1))));
                }
            }
        }

        Contents = Read();
    }

    /// <summary>A cluster with a past that a test tells.</summary>
    public ModelCluster(Action<ModelCluster> story)
    {
        Now = Start;
        Live = Open(null, default, [], nameof(InitCluster), null);
        Timelines.Add(Live);
        Write(RecordKind.Other);
        story(this);
        Contents = Read();
    }

    /// <summary>Any cluster, made anew for each that asks.</summary>
    public static Gen<Func<ModelCluster>> Any(bool gaps) =>
        Gen.Select(
            Drawn.Numbers(16).Array[1, 90],
            Drawn.Numbers(32),
            (events, holes) => (Func<ModelCluster>)(() => new(events, gaps ? holes : null))
        );

    public static DateTimeOffset Start { get; } = new(2026, 11, 24, 9, 0, 0, TimeSpan.Zero);

    public DateTimeOffset Now { get; private set; }

    public List<ModelTimeline> Timelines { get; } = [];

    public ModelTimeline Live { get; private set; }

    public RepositoryContents Contents { get; }

    /// <summary>What transactions removed before their commit.</summary>
    public List<EarlyRemoval> Removals { get; } = [];

    public ModelTimeline Find(Timeline number) => Timelines.Single(timeline => timeline.Number == number);

    /// <summary>The end of what is left of a timeline: its own files, or a child's copy of the head of the lost
    /// one.</summary>
    public Lsn RetainedEnd(ModelTimeline timeline)
    {
        if (timeline.Lost is not { } lost)
        {
            return timeline.End;
        }

        var copies = Timelines
            .Where(child => child.Parent == timeline)
            .Where(child =>
                Timelines.Any(reader =>
                    Descends(reader, child) && CanRead(reader.Number, child.Fork.Value / SegmentSize)
                )
            )
            .Select(child => child.Fork)
            .Where(fork => fork > lost);
        return copies
            .DefaultIfEmpty(
                timeline
                    .Records.Where(record => record.End <= lost)
                    .Select(record => record.End)
                    .DefaultIfEmpty(timeline.Fork)
                    .Max()
            )
            .Max();
    }

    private static bool Descends(ModelTimeline? timeline, ModelTimeline from) =>
        timeline == from || timeline is not null && Descends(timeline.Parent, from);

    public bool IsAnythingLeft(ModelTimeline timeline) =>
        RetainedEnd(timeline) > timeline.Fork || HasFile(timeline.Number, timeline.Fork.Value / SegmentSize);

    public bool HasFile(Timeline number, ulong segment)
    {
        var timeline = Find(number);
        return timeline.Records.Count > 0
            && segment >= timeline.Fork.Value / SegmentSize
            && segment <= (timeline.End.Value - 1) / SegmentSize
            && !(timeline.Lost is { } lost && segment * SegmentSize >= lost.Value)
            && !_removed.Contains((number, segment));
    }

    // ---- what PostgreSQL does, by its own rule: newest timeline first whose begin is not behind ----

    public IEnumerable<(Timeline Timeline, Lsn Begin)> Expected(Timeline target)
    {
        var history = Find(target).History;
        yield return (target, history.Count == 0 ? default : history[^1].End);
        for (var index = history.Count - 1; index >= 0; index--)
        {
            yield return (history[index].Timeline, index == 0 ? default : history[index - 1].End);
        }
    }

    public Timeline TimelineAt(Timeline target, Lsn position) =>
        Expected(target).First(entry => entry.Begin <= position).Timeline;

    /// <summary>The file that is opened for a segment; only the newest that has begun, since an older one's content
    /// need not be right.</summary>
    public bool CanRead(Timeline target, ulong segment) =>
        HasFile(Expected(target).First(entry => entry.Begin.Value / SegmentSize <= segment).Timeline, segment);

    public bool CanRead(Timeline target, Lsn start, Lsn end)
    {
        for (var segment = start.Value / SegmentSize; segment * SegmentSize < end.Value; segment++)
        {
            if (!CanRead(target, segment))
            {
                return false;
            }
        }

        return true;
    }

    public bool CanBegin(Backup backup, Timeline target)
    {
        for (
            var part = backup;
            part is not null;
            part = part.Parent is null ? null : _backups.Single(other => other.Id == part.Parent)
        )
        {
            if (
                part.WalRanges.Any(range =>
                    TimelineAt(target, range.Start) != range.Timeline
                    || TimelineAt(target, new(range.End.Value - 1)) != range.Timeline
                )
            )
            {
                return false;
            }
        }

        return true;
    }

    public IEnumerable<Backup> UsableFor(Timeline target, Lsn end, Lsn read) =>
        _backups.Where(backup =>
            backup.End <= end && CanBegin(backup, target) && CanRead(target, backup.WalRanges[0].Start, read)
        );

    /// <summary>The records along a target timeline, in WAL order, as replay meets them.</summary>
    public IEnumerable<WalRecord> Along(Timeline target, Lsn from)
    {
        for (var at = from; ; )
        {
            var timeline = Find(TimelineAt(target, at));
            if (
                timeline.Records.FirstOrDefault(record => record.Lsn == at) is not { } record
                || !CanRead(target, record.Lsn, record.End)
            )
            {
                yield break;
            }

            yield return record;
            at = record.End;
        }
    }

    /// <summary>What happened, for the one who reads of a case that failed.</summary>
    public override string ToString() =>
        string.Join(
            '\n',
            [
                .. Timelines.Select(timeline =>
                    $"timeline {timeline.Number} ({timeline.Opening.Kind}) of {timeline.Parent?.Number} at "
                    + $"{timeline.Fork}, opened {Clock(timeline.Opening.OpenedAt)}, left {Clock(timeline.LeftAt)}, "
                    + $"files lost from {timeline.Lost}: {string.Join(", ", timeline.Records.Select(Text))}"
                ),
                .. _backups.Select(backup =>
                    $"backup {backup.Id} of {backup.Parent}, {Clock(backup.StoppedAt)}: {backup.WalRanges[0]}"
                ),
                $"points: {string.Join(", ", _points.Select(point => $"{point.Name} {point.Timeline}:{point.Lsn}"))}",
                $"missing segments: {string.Join(", ", _removed)}; now {Clock(Now)}",
            ]
        );

    private static string Text(WalRecord record) =>
        $"{record.Kind} {record.Xid} {record.Lsn}-{record.End} {Clock(record.At)}";

    private static string Clock(DateTimeOffset? time) => time?.ToString("HH:mm:ss.fff", null) ?? "never";

    // ---- IWalReader ----

    public Task<Transaction?> FirstAfterAsync(IReadOnlyList<WalRange> path, DateTimeOffset time) =>
        Task.FromResult(
            Read(path)
                .Where(record => record.Kind is not RecordKind.Other && record.At > time)
                .Select(Transaction)
                .FirstOrDefault()
        );

    public Task<Transaction?> LastAsync(IReadOnlyList<WalRange> path) =>
        Task.FromResult(
            Read(path)
                .Where(record => record.Kind is RecordKind.Commit && record.End <= path[^1].End)
                .Select(Transaction)
                .LastOrDefault()
        );

    public Task<Lsn?> LastKeptAsync(IReadOnlyList<WalRange> path, DateTimeOffset time) =>
        Task.FromResult(
            Read(path)
                .Where(record => record.Kind is not RecordKind.Other)
                .Select(record => (Lsn?)record.End)
                .LastOrDefault()
        );

    public Task<IReadOnlyList<EarlyRemoval>> OpenRemovalsAsync(IReadOnlyList<WalRange> path) =>
        Task.FromResult<IReadOnlyList<EarlyRemoval>>([
            .. Removals.Where(removal =>
                path.Covers(new(removal.Timeline, removal.Lsn, removal.End))
                && Read(path).All(record => record.Xid != removal.Xid)
            ),
        ]);

    public Task<Transaction?> FirstAsync(IReadOnlyList<WalRange> path) =>
        Task.FromResult(
            Read(path)
                .Where(record => record.Kind is RecordKind.Commit && record.Lsn >= path[0].Start)
                .Select(Transaction)
                .FirstOrDefault()
        );

    public Task<Transaction?> CommitOfAsync(IReadOnlyList<WalRange> path, uint xid) =>
        Task.FromResult(
            Read(path)
                .Where(record => record.Kind is not RecordKind.Other && record.Xid == xid)
                .Select(Transaction)
                .FirstOrDefault()
        );

    public Task<Lsn> EndOfAsync(Timeline timeline, Lsn from)
    {
        var own = Find(timeline);
        Assert.True(
            from >= own.Fork && (from == own.Fork || own.Records.Any(record => record.End == from)),
            $"{from} is no end of a record of timeline {timeline}"
        );
        var end = from;
        foreach (
            var record in own.Records.Where(record => record.Lsn >= from).TakeWhile(record => HasAll(timeline, record))
        )
        {
            end = record.End;
        }

        return Task.FromResult(end);
    }

    public Task<IReadOnlyList<WalMark>> MarksAsync(Timeline timeline) =>
        Task.FromResult<IReadOnlyList<WalMark>>([
            .. Find(timeline)
                .MarksBefore(Lineage.Endless)
                .Where(mark =>
                    HasFile(timeline, mark.Lsn.Value / SegmentSize)
                    && HasFile(timeline, (mark.End.Value - 1) / SegmentSize)
                ),
        ]);

    private bool HasAll(Timeline timeline, WalRecord record)
    {
        for (var segment = record.Lsn.Value / SegmentSize; segment <= (record.End.Value - 1) / SegmentSize; segment++)
        {
            if (!HasFile(timeline, segment))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reading a file that is not there is the caller's mistake.</summary>
    private List<WalRecord> Read(IReadOnlyList<WalRange> path)
    {
        Assert.All(
            WalSegments.Along(path, SegmentSize),
            segment => Assert.True(HasFile(segment.Timeline, segment.Number), $"{segment} is not there")
        );
        return
        [
            .. path.SelectMany(piece =>
                Find(piece.Timeline).Records.Where(record => record.Lsn >= piece.Start && record.End <= piece.End)
            ),
        ];
    }

    private static Transaction Transaction(WalRecord record) =>
        new(record.Xid, record.Timeline, record.Lsn, record.End, record.At, record.Kind is RecordKind.Commit);

    private RepositoryContents Read() =>
        new()
        {
            Cluster = Name,
            ReadAt = Now,
            SegmentSize = SegmentSize,
            SystemIdentifier = ((ulong)Start.ToUnixTimeSeconds() << 32).ToString(
                System.Globalization.CultureInfo.InvariantCulture
            ),
            Branches =
            [
                .. Timelines.Select(timeline => new Branch(
                    timeline.Number,
                    new(timeline.Number, timeline.History),
                    timeline.Opening
                )),
            ],
            Backups = _backups,
            RestorePoints = _points,
            Segments = [.. Timelines.SelectMany(Runs)],
        };

    // ---- what a test tells ----

    public static DateTimeOffset Time(string time) =>
        DateTimeOffset.ParseExact(
            $"2026-11-24 {time}Z",
            ["yyyy-MM-dd HH:mm'Z'", "yyyy-MM-dd HH:mm:ss'Z'"],
            null,
            System.Globalization.DateTimeStyles.AssumeUniversal
        );

    /// <summary>A commit, of which the transaction is returned.</summary>
    public uint Commit(string time)
    {
        Now = Time(time);
        Write(RecordKind.Commit);
        return _xid - 1;
    }

    public uint Abort(string time)
    {
        Now = Time(time);
        Write(RecordKind.Abort);
        return _xid - 1;
    }

    /// <summary>A transaction removes files, and something happens before its end.</summary>
    public void Remove(Action before)
    {
        Write(RecordKind.Other);
        Removals.Add(
            new(RemovedThing.Database, 5, uint.MaxValue, Live.Number, Live.Records[^1].Lsn, Live.Records[^1].End)
        );
        before();
    }

    /// <summary>The server stops cleanly.</summary>
    public void Stop(string time)
    {
        Now = Time(time);
        Write(RecordKind.Other);
        Mark(WalMarkKind.Stop);
    }

    public void Idle(string until) => Now = Time(until);

    public void Point(string name, string time)
    {
        Now = Time(time);
        Write(RecordKind.Other);
        Mark(WalMarkKind.Point, name);
        _points.Add(new(name, Live.Number, Live.End, Now));
    }

    public void Backup(string id, string from, string until, string? parent = null, Action? meanwhile = null)
    {
        var (started, start) = (Time(from), Live.End);
        Write(RecordKind.Other);
        meanwhile?.Invoke();
        Now = Time(until);
        Write(RecordKind.Other);
        _backups.Add(BackupOf(id, started, start, parent));
    }

    /// <summary>Left at one time, opened at another; where it is no recovery the new timeline continues the live
    /// one.</summary>
    public void Next(string kind, string left, string opened, Timeline? from = null, Lsn? at = null)
    {
        Now = Time(left);
        var source = from is { } number ? Find(number) : Live;
        Switch(source, at ?? source.End, kind, source.Number, () => Now = Time(opened));
    }

    /// <summary>Somebody promotes a standby by hand; clients go on on the live branch.</summary>
    public void Stray(string opened)
    {
        var live = Live;
        Next(nameof(Failover), opened, opened);
        Live = live;
    }

    /// <summary>The last segments of a timeline are lost with their node.</summary>
    public void Lose(Timeline timeline, ulong from) => Find(timeline).Lost = new(from * SegmentSize);

    // ---- what happens ----

    private void Event()
    {
        Pass();
        switch (_random.Next(100))
        {
            case < 55:
                Write(RecordKind.Commit);
                break;
            case < 60:
                Write(RecordKind.Abort);
                break;
            case < 68:
                Write(RecordKind.Other);
                break;
            case < 74:
                Write(RecordKind.Other);
                Mark(WalMarkKind.Point, $"point{_points.Count}");
                _points.Add(new($"point{_points.Count}", Live.Number, Live.End, Now));
                break;
            case < 84:
                BackUp();
                break;
            case < 88:
                Switch(Live, Live.End, nameof(Switchover), Live.Number);
                break;
            case < 93:
                FailOver();
                break;
            default:
                Recover();
                break;
        }
    }

    private void Pass() => Now += TimeSpan.FromMilliseconds(_random.Next(1, 30_000));

    private void Write(RecordKind kind)
    {
        var length = _random.Next(10) == 0 ? _random.Next(200, 700) : _random.Next(8, 90);
        Live.Records.Add(
            new(
                Live.Number,
                kind,
                kind is RecordKind.Other ? 0 : _xid++,
                Live.End,
                new(Live.End.Value + (ulong)length),
                Now
            )
        );
    }

    private void BackUp()
    {
        var (started, start, chain) = (Now, Live.End, _backups.Where(backup => CanBegin(backup, Live.Number)).ToList());
        Write(RecordKind.Other);
        for (var busy = _random.Next(3); busy > 0; busy--)
        {
            Pass();
            Write(RecordKind.Commit);
        }

        Pass();
        var parent = chain.Count > 0 && _random.Next(3) == 0 ? chain[_random.Next(chain.Count)].Id : null;
        _backups.Add(BackupOf($"b{_backups.Count}", started, start, parent));
        Pass();
    }

    private Backup BackupOf(string id, DateTimeOffset started, Lsn start, string? parent) =>
        new()
        {
            Id = id,
            StartedAt = started,
            StoppedAt = Now,
            Node = NodeName.Of(1),
            WalRanges = [new(Live.Number, start, Live.End)],
            Bytes = 1,
            Parent = parent,
            SystemIdentifier = "1",
            Major = 17,
        };

    private void FailOver()
    {
        var lost = _random.Next(3);
        var fork = Live.Records.Count > lost + 1 ? Live.Records[^(lost + 1)].End : Live.End;
        var old = Live;
        Switch(old, fork, nameof(Failover), old.Number);
        var segment = fork.Value / SegmentSize;
        if (_random.Next(2) == 0 && fork.Value % SegmentSize > 0)
        {
            old.Lost = new(segment * SegmentSize);
        }
    }

    private void Recover()
    {
        var timeline = Timelines[_random.Next(Timelines.Count)];
        var all = timeline
            .Before(RetainedEnd(timeline))
            .Where(record => record.End <= RetainedEnd(Find(record.Timeline)))
            .ToList();
        if (all.Count < 2)
        {
            return;
        }

        var last = _random.Next(6) == 0 ? all[^1] : all[_random.Next(1, all.Count)];

        // Another tool may have recovered along a timeline without coming to its beginning: its history goes back then.
        var named = _random.Next(4) == 0 ? timeline.Number : last.Timeline;
        Switch(Find(last.Timeline), last.End, "RecoverCluster", named);
    }

    private void Switch(ModelTimeline from, Lsn fork, string kind, Timeline named, Action? pass = null)
    {
        Live.LeftAt = Now;
        var left = Now;
        if (pass is not null)
        {
            pass();
        }
        else if (_random.Next(4) > 0)
        {
            Pass();
        }

        Live = Open(from, fork, [.. Find(named).History, new(named, fork)], kind, left);
        Timelines.Add(Live);
        Write(RecordKind.Other);
        Mark(WalMarkKind.Opening);
    }

    /// <summary>The newest record tells of something.</summary>
    private void Mark(WalMarkKind kind, string? name = null)
    {
        var record = Live.Records[^1];
        Live.Marks.Add(
            new(kind, kind.ToString(), Live.Number, record.Lsn, record.End, record.At)
            {
                Opened = kind is WalMarkKind.Opening ? Live.Number : null,
                Parent = kind is WalMarkKind.Opening ? Live.Parent!.Number : null,
                Name = name,
            }
        );
    }

    private ModelTimeline Open(
        ModelTimeline? parent,
        Lsn fork,
        IReadOnlyList<TimelineSwitch> history,
        string kind,
        DateTimeOffset? left
    )
    {
        var number = new Timeline((uint)Timelines.Count + 1);
        return new(number, parent, parent is null ? new(SegmentSize) : fork, history)
        {
            Opening = new(new(Name, NodeName.Of(1)), number, parent?.Number, fork, Now, "model", kind, left),
        };
    }

    private List<SegmentRun> Runs(ModelTimeline timeline)
    {
        var runs = new List<SegmentRun>();
        for (var segment = timeline.Fork.Value / SegmentSize; segment <= timeline.End.Value / SegmentSize; segment++)
        {
            if (!HasFile(timeline.Number, segment))
            {
                continue;
            }

            if (runs is [.., var run] && run.Last + 1 == segment)
            {
                runs[^1] = run with { Last = segment };
            }
            else
            {
                runs.Add(new(timeline.Number, segment, segment));
            }
        }

        return runs;
    }
}
