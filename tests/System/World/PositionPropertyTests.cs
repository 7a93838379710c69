using System.Globalization;
using System.Text;

namespace PgFlow.SystemTests.World;

/// <summary>
/// Random work of two sessions, with DDL that acts before its commit (databases made by both strategies and dropped)
/// and such that acts with it (tables made, truncated, dropped),
/// prepared transactions among it; afterwards PostgreSQL itself recovers to times in between, and has what was
/// committed then, no more and no less.
/// </summary>
public sealed class PositionPropertyTests
{
    private const long SegmentSize = 1024 * 1024;
    private const int Recoveries = 8;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task PostgreSQL_recovers_at_the_position_of_any_time_what_was_committed_then(int seed)
    {
        await using var postgres = await LonePostgres.StartAsync();
        var work = new RandomWork(seed, operations: 100);
        var times = (await postgres.RunAsync(work.Script))
            .Split('\n')
            .Select(time => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture))
            .ToList();
        Assert.Equal(work.States.Count, times.Count);
        var wal = await postgres.WalAsync();

        // Around what acts early there must be some.
        var random = new Random(seed);
        var chosen = work
            .States.Index()
            .Where(state => state.Item.IsBeforeDrop)
            .Select(state => state.Index)
            .Take(Recoveries / 2)
            .Concat(Enumerable.Range(0, work.States.Count).OrderBy(_ => random.Next()))
            .Distinct()
            .Take(Recoveries)
            .Order();
        foreach (var index in chosen)
        {
            var target = await Resolver.ResolveAsync(wal.RepositoryContents, new TimeTarget(times[index]), wal.Reader);
            Assert.True(
                target.EarlyRemovals.Count == 0,
                $"seed {seed}, operation {index}: {target.End} contains {string.Join(", ", target.EarlyRemovals)}"
            );
            var found = await postgres.RecoveredAsync(
                target.EndOfBranch ? null : target.End,
                work.States[index].Databases
            );
            Assert.True(
                work.States[index].Expected == found,
                $"seed {seed}, behind operation {index} ({work.Operations[index]}), {target.End}: {found} "
                    + $"instead of {work.States[index].Expected}"
            );
        }
    }
}

/// <summary>What was committed at a time.</summary>
internal sealed record CommittedState(string Expected, IReadOnlyList<string> Databases, bool IsBeforeDrop);

/// <summary>Operations of two sessions, and what was committed behind each of them.</summary>
internal sealed class RandomWork
{
    private readonly Random _random;
    private readonly SortedDictionary<string, int> _tables = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _databases = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, (SortedDictionary<string, int?> Changes, string Session)> _prepared = new(
        StringComparer.Ordinal
    );
    private readonly Dictionary<string, SortedDictionary<string, int?>?> _open = new() { ["a"] = null, ["b"] = null };
    private readonly StringBuilder _script = new();
    private int _number;

    public RandomWork(int seed, int operations)
    {
        _random = new(seed);
        _script.AppendLine("SELECT dblink_connect('a', 'dbname=app'), dblink_connect('b', 'dbname=app') \\g /dev/null");
        for (; operations > 0; operations--)
        {
            var session = _random.Next(2) == 0 ? "a" : "b";
            var operation = _open[session] is { } changes ? Within(session, changes) : Outside(session);
            Operations.Add(operation);
            _script.AppendLine(CultureInfo.InvariantCulture, $"SELECT clock_timestamp();");
            States.Add(new(Expected(), [.. _databases], false));
            if (operation.Contains("DROP DATABASE", StringComparison.Ordinal) && States.Count > 1)
            {
                States[^2] = States[^2] with { IsBeforeDrop = true };
            }
        }
    }

    public string Script => _script.ToString();

    public List<string> Operations { get; } = [];

    public List<CommittedState> States { get; } = [];

    private string Expected() =>
        string.Join(
            ';',
            string.Join(',', _databases),
            string.Join(',', _tables.Select(table => $"{table.Key}={table.Value}")),
            string.Join(',', _prepared.Keys)
        );

    private string Outside(string session)
    {
        switch (_random.Next(10))
        {
            case 0 or 1:
                var database = $"d{_number++}";
                _databases.Add(database);
                var strategy = _random.Next(2) == 0 ? "wal_log" : "file_copy";
                Execute(session, $"CREATE DATABASE {database}{TestedPostgres.Strategy(strategy)}");
                return $"CREATE DATABASE {database}";
            case 2 or 3 when _databases.Count > 0:
                var dropped = _databases.ElementAt(_random.Next(_databases.Count));
                _databases.Remove(dropped);
                return Execute(session, $"DROP DATABASE {dropped}");
            case 4 or 5 when _prepared.Count > 0:
                var (name, (changes, _)) = _prepared.ElementAt(_random.Next(_prepared.Count));
                _prepared.Remove(name);
                if (_random.Next(2) == 0)
                {
                    return Execute(session, $"ROLLBACK PREPARED '{name}'");
                }

                Apply(changes);
                return Execute(session, $"COMMIT PREPARED '{name}'");
            default:
                _open[session] = [];
                return Execute(session, "BEGIN");
        }
    }

    private string Within(string session, SortedDictionary<string, int?> changes)
    {
        // What another holds is left alone: a prepared transaction keeps its locks, and so does the other session.
        var held = _prepared
            .Values.SelectMany(prepared => prepared.Changes.Keys)
            .Concat(
                _open
                    .Where(other => other.Key != session)
                    .SelectMany(other => other.Value?.Keys ?? Enumerable.Empty<string>())
            )
            .ToHashSet();
        var visible = _tables
            .Keys.Where(table => !changes.ContainsKey(table))
            .Concat(changes.Where(change => change.Value is not null).Select(change => change.Key))
            .Where(table => !held.Contains(table))
            .ToList();
        int Rows(string table) => changes.TryGetValue(table, out var rows) ? rows!.Value : _tables[table];
        switch (_random.Next(10))
        {
            case 0 or 1:
                var made = $"t{_number++}";
                changes[made] = 2;
                return Execute(session, $"CREATE TABLE {made} AS SELECT generate_series(1, 2) AS id");
            case 2 or 3 or 4 when visible.Count > 0:
                var table = visible[_random.Next(visible.Count)];
                changes[table] = Rows(table) + 3;
                return Execute(session, $"INSERT INTO {table} SELECT generate_series(1, 3)");
            case 5 when visible.Count > 0:
                var emptied = visible[_random.Next(visible.Count)];
                changes[emptied] = 0;
                return Execute(session, $"TRUNCATE {emptied}");
            case 6 when visible.Count > 0:
                var dropped = visible[_random.Next(visible.Count)];
                changes[dropped] = null;
                return Execute(session, $"DROP TABLE {dropped}");
            case 7:
                _open[session] = null;
                return Execute(session, "ROLLBACK");
            case 8 when _prepared.Count < 5:
                _open[session] = null;
                var name = $"desc: COMMIT 2099-01-0{1 + _random.Next(9)} 00:00:0{_number++ % 10}.{_number:000000} UTC";
                _prepared[name] = (changes, session);
                return Execute(session, $"PREPARE TRANSACTION '{name}'");
            default:
                _open[session] = null;
                Apply(changes);
                return Execute(session, "COMMIT");
        }
    }

    private void Apply(SortedDictionary<string, int?> changes)
    {
        foreach (var (table, rows) in changes)
        {
            if (rows is { } some)
            {
                _tables[table] = some;
            }
            else
            {
                _tables.Remove(table);
            }
        }
    }

    private string Execute(string session, string sql)
    {
        _script.AppendLine(
            CultureInfo.InvariantCulture,
            $"SELECT dblink_exec('{session}', '{sql.Replace("'", "''", StringComparison.Ordinal)}') \\g /dev/null"
        );
        return $"{session}: {sql}";
    }
}

/// <summary>A PostgreSQL in a container of its own, with an archive and a base backup from before the work.</summary>
internal sealed class LonePostgres : IAsyncDisposable
{
    private readonly string _container = $"pgflow-test-lone-{Guid.NewGuid():N}"[..28];
    private readonly string _directory = Directory.CreateTempSubdirectory("pgflow-wal-").FullName;

    public static async Task<LonePostgres> StartAsync()
    {
        var postgres = new LonePostgres();
        try
        {
            await Host.DockerAsync(
                "run",
                "-d",
                "--name",
                postgres._container,
                "--network",
                "none",
                "--entrypoint",
                "sleep",
                Host.Image,
                "3600"
            );
            await postgres.ShellAsync(
                """
                mkdir -p /tmp/archive
                initdb -D /tmp/data -A trust --wal-segsize=1 --no-sync > /dev/null
                cat >> /tmp/data/postgresql.conf <<X
                listen_addresses = ''
                unix_socket_directories = '/tmp'
                max_prepared_transactions = 10
                archive_mode = on
                archive_command = 'cp %p /tmp/archive/%f'
                fsync = off
                X
                pg_ctl -D /tmp/data -l /tmp/log -w start > /dev/null
                psql -q -d postgres -c 'CREATE DATABASE app'
                psql -q -d app -c 'CREATE EXTENSION dblink'
                pg_basebackup -D /tmp/base -c fast -X none
                """
            );
            return postgres;
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }
    }

    /// <summary>What a script prints.</summary>
    public Task<string> RunAsync(string script) =>
        ShellAsync(
            "printf '%s' \"$SQL\" > /tmp/sql; psql -XAtq -v ON_ERROR_STOP=1 -d app -f /tmp/sql",
            $"SQL={script}"
        );

    /// <summary>All WAL up to now, and what is known of it. The server is stopped.</summary>
    public async Task<SomeWal> WalAsync()
    {
        await ShellAsync(
            "pg_ctl -D /tmp/data -m fast -w stop > /dev/null; for segment in /tmp/data/pg_wal/0000000*; do [ "
                + "-e /tmp/archive/${segment##*/} ] || cp $segment /tmp/archive/; done"
        );
        await Host.DockerAsync("cp", $"{_container}:/tmp/archive/.", _directory);
        var history = await ShellAsync("cat /tmp/archive/*.backup");
        string Line(string name) =>
            history.Split('\n').Single(line => line.StartsWith($"{name}: ", StringComparison.Ordinal))[
                (name.Length + 2)..
            ];
        DateTimeOffset Time(string name) =>
            DateTimeOffset.Parse(
                Line(name).Replace("UTC", "Z", StringComparison.Ordinal),
                CultureInfo.InvariantCulture
            );
        return new(
            _directory,
            Lsn.Parse(Line("START WAL LOCATION").Split(' ')[0]),
            Lsn.Parse(Line("STOP WAL LOCATION").Split(' ')[0]),
            Time("START TIME"),
            Time("STOP TIME")
        );
    }

    /// <summary>The databases, tables and prepared transactions behind a recovery; to the end where no position is
    /// given.</summary>
    public Task<string> RecoveredAsync(Lsn? end, IReadOnlyList<string> databases) =>
        ShellAsync(
            """
            rm -rf /tmp/again; cp -a /tmp/base /tmp/again; touch /tmp/again/recovery.signal
            cat >> /tmp/again/postgresql.conf <<X
            archive_mode = off
            restore_command = 'cp /tmp/archive/%f %p'
            ${END:+recovery_target_lsn = '$END'}
            recovery_target_inclusive = off
            recovery_target_action = promote
            X
            pg_ctl -D /tmp/again -l /tmp/again.log -w start > /dev/null || { tail -n 5 /tmp/again.log; exit 1; }
            until [ "$(psql -XAtq -d app -c 'SELECT pg_is_in_recovery()')" = f ]; do sleep 0.05; done
            list=$(psql -XAtq -d postgres -c "SELECT coalesce(string_agg(datname, ',' ORDER BY datname), '')
              FROM pg_database WHERE datname ~ '^d[0-9]'")
            prepared=$(psql -XAtq -d app -c "SELECT coalesce(string_agg(gid, ',' ORDER BY gid COLLATE \"C\"), '')
              FROM pg_prepared_xacts")
            psql -XAtq -d app -c "SELECT format('ROLLBACK PREPARED %L;', gid) FROM pg_prepared_xacts" \
              | psql -XAtq -v ON_ERROR_STOP=1 -d app # their locks
            tables=''
            for table in $(psql -XAtq -d app -c "SELECT relname FROM pg_class
              WHERE relkind = 'r' AND relname ~ '^t[0-9]' ORDER BY relname COLLATE \"C\""); do
              tables="$tables${tables:+,}$table=$(psql -XAtq -d app -c "SELECT count(*) FROM $table")"
            done
            echo "$list;$tables;$prepared"
            for database in $DATABASES; do
              psql -XAtq -d "$database" -c 'SELECT count(*) FROM pg_class' > /dev/null || echo "$database is broken"
            done
            pg_ctl -D /tmp/again -m immediate -w stop > /dev/null
            """,
            $"END={end}",
            $"DATABASES={string.Join(' ', databases)}"
        );

    public async ValueTask DisposeAsync()
    {
        Directory.Delete(_directory, recursive: true);
        await Host.TryDockerAsync("rm", "-fv", _container);
    }

    private Task<string> ShellAsync(string script, params string[] environment) =>
        Host.DockerAsync([
            "exec",
            "-u",
            "postgres",
            .. environment.SelectMany(variable => (string[])["-e", variable]),
            _container,
            "bash",
            "-euc",
            $"export PATH={TestedPostgres.Bin}:$PATH PGHOST=/tmp LC_ALL=C TZ=UTC\n{script}",
        ]);
}

/// <summary>Segments in a directory, and the questions to them.</summary>
internal sealed class SomeWal : IWalFiles
{
    private readonly string _directory;

    public SomeWal(string directory, Lsn start, Lsn end, DateTimeOffset startedAt, DateTimeOffset stoppedAt)
    {
        _directory = directory;
        const long size = 1024 * 1024;
        var numbers = Directory
            .GetFiles(directory)
            .Select(Path.GetFileName)
            .Where(name => name!.Length == 24)
            .Select(name => WalSegments.Parse(name!, size).Number)
            .Where(IsThere)
            .Order()
            .ToList();
        RepositoryContents = new()
        {
            Cluster = ClusterName.Parse("lone"),
            ReadAt = DateTimeOffset.UtcNow,
            SegmentSize = size,
            Branches =
            [
                new(
                    new(1),
                    new(new(1), []),
                    new(null, new(1), null, default, startedAt.AddMinutes(-1), "", TimelineOpened.Initdb)
                ),
            ],
            Segments = [new(new(1), numbers[0], numbers[^1])],
            Backups =
            [
                new()
                {
                    Id = "b",
                    StartedAt = startedAt,
                    StoppedAt = stoppedAt,
                    Node = NodeName.Of(1),
                    WalRanges = [new(new(1), start, end)],
                    Bytes = 1,
                    SystemIdentifier = "1",
                    Major = TestedPostgres.Major,
                },
            ],
        };
        Reader = new(this, RepositoryContents);

        bool IsThere(ulong number) =>
            BitConverter.ToUInt64(File.ReadAllBytes(PathOf(WalSegments.Name(new(1), number, size))), 8)
            == number * size; // not one made in advance
    }

    public RepositoryContents RepositoryContents { get; }

    public WalReader Reader { get; }

    public Task<IReadOnlyList<WalFile>> FindAsync(IReadOnlyList<string> segments) =>
        Task.FromResult<IReadOnlyList<WalFile>>([
            .. segments.Select(name => new WalFile(name, PathOf(name), IsComplete: false, "")),
        ]);

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> PagesAsync(IReadOnlyList<WalFile> files)
    {
        foreach (var file in files)
        {
            var content = await File.ReadAllBytesAsync(file.Path);
            for (var at = 0; at < content.Length; at += 8192)
            {
                yield return content.AsMemory(at, 8192);
            }
        }
    }

    public Task RememberAsync(IReadOnlyDictionary<string, string> digests) => Task.CompletedTask;

    private string PathOf(string segment) => Path.Combine(_directory, segment);
}
