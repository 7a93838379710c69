using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PgFlow.UnitTests.Activities;

/// <summary>Programs over folders in the place of a job's volumes, with stand-ins for PostgreSQL's.</summary>
public sealed partial class ProgramTests : IDisposable
{
    /// <summary>Whatever reads it as a program leaves a file.</summary>
    private const string Hostile = """it's "a" \ $(touch pwned) `touch pwned`; touch pwned; * | touch pwned & é""";

    private static readonly string[] Folders =
    [
        "bin",
        "tmp/job/lib",
        "nodes/p1",
        "pgflow/data",
        "repository/backups",
        "repository/ledger",
        "source/backups",
    ];

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("pgflow-programs-");

    /// <summary>What the last program printed.</summary>
    private string _printed = "";

    public ProgramTests()
    {
        foreach (var folder in Folders)
        {
            _root.CreateSubdirectory(folder);
        }

        foreach (
            var (path, content) in Embedded.Library.Concat(
                Programs().Select(name => KeyValuePair.Create($"{name}.sh", Embedded.Read(name)))
            )
        )
        {
            Write($"tmp/job/{path}", content);
        }

        // Each says with what it was called; a copy is made where one is asked for.
        foreach (
            var program in new[]
            {
                "initdb",
                "pg_combinebackup",
                "pg_controldata",
                "pg_rewind",
                "pg_verifybackup",
                "pg_waldump",
                "postgres",
                "psql",
            }
        )
        {
            Stub(program, """printf '%s\n' "$@" >> "$JOB/../../called" """);
        }

        Stub("sync", "true"); // the whole machine's, which takes long
        Stub(
            "pg_basebackup",
            """printf '%s\n' "$@" >> "$JOB/../../called"; mkdir -p "$2/pg_tblspc"; echo > "$2/backup_manifest" """
        );
        Write(
            "tmp/job/node.env",
            $"NODE=p1\nVOLUME={_root}/pgflow\nREPOSITORY={_root}/repository\nARCHIVE={_root}/repository/wal\n"
        );
    }

    public void Dispose() => _root.Delete(recursive: true);

    /// <summary>All but the one that does nothing for a day.</summary>
    public static IEnumerable<TheoryDataRow<string>> All() =>
        Programs().Where(name => name != "wait").Select(name => new TheoryDataRow<string>(name));

    [Theory, MemberData(nameof(All))]
    public void Whatever_a_program_is_given_is_no_program(string program)
    {
        foreach (var list in new[] { "backups", "names", "ready", "segments" })
        {
            Write($"tmp/job/{list}", $"{Hostile}\n$(touch pwned)\n");
        }

        Write("pgflow/data/postgresql.auto.conf", "");
        Write("1.json", "{}");
        var parameters = Parameter()
            .Matches(Embedded.Read(program))
            .Concat(Embedded.Library.Values.SelectMany(text => Parameter().Matches(text)))
            .Select(match => match.Groups["name"].Value)
            .Except(Names.Environment.Select(path => path.Split('=')[0]))
            .Distinct();
        Try(program, [Hostile, Hostile], [.. parameters.Select(name => (name, Hostile))]);

        Assert.DoesNotContain(
            _root.EnumerateFileSystemInfos("*", SearchOption.AllDirectories),
            file => file.Name == "pwned"
        );
    }

    [Theory]
    [InlineData("prove-endpoint", "DATABASE", """dbname='it\'s "a" \\ $(touch pwned) """)]
    [InlineData("prove-endpoint", "VIP", """hostaddr='it\'s "a" \\ $(touch pwned) """)]
    [InlineData("prove-endpoint", "ROLE", """user='it\'s "a" \\ $(touch pwned) """)]
    [InlineData("copy", "PRIMARY", """hostaddr='it\'s "a" \\ $(touch pwned) """)]
    [InlineData("rewind", "PRIMARY", """hostaddr='it\'s "a" \\ $(touch pwned) """)]
    [InlineData("backup", "ADDRESS", """hostaddr='it\'s "a" \\ $(touch pwned) """)]
    [InlineData("backup", "PARENT", """/backups/it's "a" \ $(touch pwned) """)]
    public void A_value_arrives_as_it_is(string program, string parameter, string expected)
    {
        Try(
            program,
            [],
            [
                ("OWNED", ""),
                ("RUN", "r1"),
                ("ID", "b1"),
                ("BY", "b"),
                ("PARENT", ""),
                ("VIP", ""),
                ("ROLE", ""),
                ("DATABASE", ""),
                ("STATEMENT", ""),
                ("PRIMARY", ""),
                ("ADDRESS", ""),
                (parameter, Hostile),
            ]
        );

        Assert.Contains(expected, Read("called"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_backup_is_known_by_whoever_staged_it_whatever_his_name()
    {
        Try("backup", [], [("ID", Hostile), ("BY", Hostile), ("ADDRESS", "a"), ("PARENT", "")]);
        Assert.Equal(Hostile, Read($"repository/backups/.{Hostile}.new/by").TrimEnd());

        Try("discard-backup", [], [("BY", "another")]);
        Assert.True(Directory.Exists(Path.Combine(_root.FullName, "repository/backups", $".{Hostile}.new")));
        Try("discard-backup", [], [("BY", Hostile)]);
        Assert.False(Directory.Exists(Path.Combine(_root.FullName, "repository/backups", $".{Hostile}.new")));
    }

    [Fact]
    public void A_restore_point_is_found_by_its_name_whatever_it_is()
    {
        Write($"repository/ledger/20260101T000000.000Z-restore-point-{Hostile}.json", """{"name": "a \"b\" \\"}""");
        Write("repository/ledger/20260101T000000.000Z-restore-point-b.json", "another");

        Run("find-point", ("NAME", Hostile));
        Assert.Equal("""{"name": "a \"b\" \\"}""", Result().GetProperty("point").GetString());
        Run("find-point", ("NAME", "*"));
        Assert.Equal("", Result().GetProperty("point").GetString());
    }

    [Fact]
    public void What_the_repository_has_is_read_also_where_a_nodes_pg_control_is_broken()
    {
        Write("nodes/p1/data/global/pg_control", "");
        Write("nodes/p2/data/global/pg_control", "");
        File.WriteAllBytes(
            $"{_root}/nodes/p2/data/global/pg_control",
            ControlFileFixture.Of(systemIdentifier: 7, segmentSize: 1 << 26)
        );
        Write("repository/wal/000000010000000000000001", "");

        Assert.Equal(0, Try("read-repository", [], []).ExitCode);

        var read = RepositoryActivities.Parse(ClusterName.Parse("demo"), _printed);
        Assert.Equal(("7", 1 << 26), (read.SystemIdentifier, read.SegmentSize));
        Assert.Equal([new(new(1), 1, 1)], read.Segments);
    }

    [Fact]
    public void The_room_of_volumes_is_the_same_for_whoever_asks()
    {
        Stub("df", """printf 'Filesystem Size Used Free Use Mount\n/dev/a b 1000 900 100 90%% /nodes/p1\n' """);
        Run("volume-space");
        var said = Assert.Single(Result().GetProperty("spaces").EnumerateArray()).GetString()!;
        Assert.Equal(0, Try("read-repository", [], []).ExitCode);

        VolumeSpace room = new("p1", 100 * 1024, 1000 * 1024);
        Assert.Equal(room, RepositoryActivities.SpaceOf(said));
        Assert.Equal([room], RepositoryActivities.Parse(ClusterName.Parse("demo"), _printed).Spaces);
    }

    [Fact]
    public void Settings_are_raised_to_the_greatest_that_the_WAL_was_written_with_and_never_lowered()
    {
        StubControlData();
        Stub("postgres", """cat "$2/own/$4" """);
        foreach (
            var (name, own) in new[]
            {
                ("max_connections", 100),
                ("max_wal_senders", 50),
                ("max_locks_per_transaction", 64),
            }
        )
        {
            Write($"pgflow/data/own/{name}", $"{own}");
        }

        Write(
            "pgflow/data/said",
            "max_connections setting:   20\nmax_wal_senders setting:  10\nmax_locks_per_xact setting: 64\n"
        );
        Write(
            "nodes/p1/data/said",
            "max_connections setting:   900\nmax_wal_senders setting:  9\nmax_locks_per_xact setting: 65\n"
        );
        Write("nodes/p2/data/said", "max_connections setting:   1953063009\n");
        Write("nodes/p2/data/damaged", "");
        Write("nodes/p3/data/said", "max_connections setting:   90\n");
        Write("tmp/job/raise.sh", """. "$JOB/lib/raise-settings.sh"; raise_settings "$VOLUME/data" "$NODES"/*/data""");

        Run("raise");

        Assert.Equal(["max_connections = 900", "max_locks_per_transaction = 65"], Lines(_printed));
        Assert.Equal(
            ["max_connections = 900", "max_locks_per_transaction = 65"],
            Lines(Read("pgflow/data/postgresql.conf")).Select(line => line.Split(" #")[0])
        );
    }

    [Fact]
    public void A_directory_whose_pg_control_is_damaged_is_of_no_cluster()
    {
        StubControlData();
        Write("pgflow/data/global/pg_control", "");
        Write("pgflow/data/said", "Database system identifier:           7\n");
        Run("examine");
        Assert.Equal("7", Result().GetProperty("systemIdentifier").GetString());

        Write("pgflow/data/damaged", "");
        Run("examine");
        Assert.Equal("", Result().GetProperty("systemIdentifier").GetString());
    }

    /// <summary>As that of PostgreSQL 17, which succeeds whatever it has read.</summary>
    private void StubControlData() =>
        Stub(
            "pg_controldata",
            """
            [ ! -e "$1/damaged" ] \
              || echo "pg_controldata: warning: calculated CRC checksum does not match value stored in control file" >&2
            cat "$1/said"
            """
        );

    [Theory]
    [InlineData("one")]
    [InlineData("")]
    [InlineData(Hostile)]
    [InlineData("two\nlines\twith tabs\nand \"more\" \\n")]
    public void A_result_is_JSON_whatever_was_found(string value)
    {
        Write(
            "tmp/job/say.sh",
            """
            . "$JOB/lib/result.sh"
            result first "$VALUE" 'lines[]' "$VALUE" last "$VALUE"
            """
        );

        Run("say", ("VALUE", value));

        Assert.Equal(
            (value, value),
            (Result().GetProperty("first").GetString(), Result().GetProperty("last").GetString())
        );
        Assert.Equal(
            value.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            Result().GetProperty("lines").EnumerateArray().Select(line => line.GetString())
        );
    }

    [Fact]
    public void Every_path_and_library_of_a_program_is_there()
    {
        foreach (var text in Programs().Select(Embedded.Read).Concat(Embedded.Library.Values))
        {
            Assert.All(
                Sourced().Matches(text),
                match => Assert.Contains(match.Groups["file"].Value, Embedded.Library.Keys)
            );
            Assert.DoesNotMatch("""(?m)^[^#]*(/pgflow/|/repository/|/source/|/nodes/|/job/)""", text);
        }
    }

    [Fact]
    public void A_job_brings_its_programs_and_the_library_and_becomes_the_one_it_is_called_by()
    {
        var folder = new DirectoryInfo($"{_root}/tmp/job");
        folder.Delete(recursive: true);
        var job = new JobSpec(null!, "space", "volume-space") { Further = [.. Programs().Except(["volume-space"])] };
        Assert.Equal(
            (0, ""),
            Shell(
                ["-c", Embedded.Read("begin"), job.Program],
                [("PROGRAMS", job.Programs), ("NODES", $"{_root}/nodes")]
            )
        );

        var expected = Embedded.Library.Concat(
            Programs().Select(name => KeyValuePair.Create($"{name}.sh", Embedded.Read(name)))
        );
        Assert.All(expected, file => Assert.Equal(file.Value, Read($"tmp/job/{file.Key}")));
        Assert.True(Result().TryGetProperty("spaces", out _));
    }

    [Fact]
    public void A_copy_after_a_finished_swap_changes_nothing_and_what_was_set_aside_stays()
    {
        Write("pgflow/data/PG_VERSION", "today's");
        Write("pgflow/data.copy/PG_VERSION", "the copy's");
        Write("pgflow/data.copy/.copied-r1", "");
        (string Name, string Value)[] parameters = [("RUN", "r1"), ("PRIMARY", ""), ("OWNED", "")];

        Run("swap-data-directory", parameters);
        Run("copy", parameters);
        Run("swap-data-directory", parameters);
        Assert.Equal(
            ("the copy's", "today's"),
            (Read("pgflow/data/PG_VERSION"), Read("pgflow/data.old.r1/PG_VERSION"))
        );
        Assert.False(File.Exists(Path.Combine(_root.FullName, "called"))); // nothing was copied

        Run("swap-data-directory-back", parameters);
        Run("swap-data-directory-back", parameters);
        Assert.Equal("today's", Read("pgflow/data/PG_VERSION"));
    }

    /// <summary>The archive's file comes first, then a whole one of a node's own archive, then whatever reaches
    /// furthest.</summary>
    [Fact]
    public void A_segment_is_taken_from_where_most_of_it_is()
    {
        Stub(
            "pg_waldump",
            """
            read -r end < "$2"
            [ "$end" != whole ] || exit 0
            echo "pg_waldump: error: error in WAL record at $end: invalid record length" >&2
            exit 1
            """
        );
        var random = new Random(1);
        var expected = new List<string>();
        for (var number = 1; number <= 40; number++)
        {
            var segment = $"0000000100000000000000{number:X2}";
            var files = PlacesOf(segment)
                .Where(_ => random.Next(3) == 0)
                .Select(path =>
                    (Path: path, End: random.Next(4) == 0 ? Whole : (ulong)random.Next(1, 4) << random.Next(40))
                )
                .ToList();
            files.ForEach(file =>
                Write(file.Path, file.End == Whole ? "whole\n" : $"{file.End >> 32:X}/{file.End & uint.MaxValue:X}\n")
            );
            expected.Add($"{segment}\t{Choice(files)}\t");
        }

        Assert.Equal((0, ""), Try("locate-segments", [.. expected.Select(line => line[..24])], []));

        Assert.Equal(expected, Lines(_printed));
    }

    private const ulong Whole = ulong.MaxValue;

    private static string[] PlacesOf(string segment) =>
        [
            $"source/wal/{segment}",
            $"source/wal/{segment}.tail.p1",
            $"nodes/p1/archive/{segment}",
            $"nodes/p2/archive/{segment}",
            $"nodes/p1/data/pg_wal/{segment}",
            $"nodes/p2/data/pg_wal/{segment}",
            $"nodes/p1/data.rewind/pg_wal/{segment}",
            $"nodes/p1/data.old.r1/pg_wal/{segment}",
        ];

    private string Choice(List<(string Path, ulong End)> files)
    {
        var archived = files
            .Where(file =>
                file.Path.StartsWith("source/wal/", StringComparison.Ordinal)
                    ? !file.Path.Contains(".tail.", StringComparison.Ordinal)
                    : file.Path.Contains("/archive/", StringComparison.Ordinal) && file.End == Whole
            )
            .Select(file => $"complete\t{_root}/{file.Path}")
            .FirstOrDefault();
        return archived ?? $"open\t{(files.Count == 0 ? "" : $"{_root}/{files.MaxBy(file => file.End).Path}")}";
    }

    /// <remarks>Seen after some hundred role changes: each node has in that segment what was in its file before, the
    /// archive took the first and refused the others for ever.</remarks>
    [Theory]
    // the line left timeline 105 at 1/260000A0, in its middle
    [InlineData(106, "000000690000000100000026", "000000690000000100000026.partial.p1")]
    [InlineData(106, "000000690000000100000025", "000000690000000100000025")] // before
    // behind: what a lost primary wrote past the fork
    [InlineData(106, "000000690000000100000027", "000000690000000100000027")]
    [InlineData(105, "000000690000000100000026", "000000690000000100000026")] // a lost primary, which has not left it
    [InlineData(106, "0000006A0000000100000026", "0000006A0000000100000026")] // timeline 106 itself
    public void The_archive_takes_the_segment_in_which_a_nodes_line_left_a_timeline_as_partial(
        int timeline,
        string segment,
        string archived
    )
    {
        Write("pgflow/data/global/pg_control", "");
        File.WriteAllBytes(
            Path.Combine(_root.FullName, "pgflow/data/global/pg_control"),
            [.. new byte[48], .. BitConverter.GetBytes(timeline)]
        );
        Write(
            "pgflow/data/pg_wal/0000006A.history",
            "104\t1/250000A0\tno recovery target specified\n\n105\t1/260000A0\tno recovery target specified\n"
        );
        File.WriteAllBytes(Path.Combine(_root.FullName, "pgflow/data/pg_wal", segment), new byte[16 * 1024 * 1024]);
        Write("repository/wal/" + segment + ".partial.p2", "");

        InstallArchiveProgram();

        Archive(segment);
        Archive(segment);

        Assert.Equal(
            [archived, segment + ".partial.p2"],
            Directory.GetFiles(Path.Combine(_root.FullName, "repository/wal")).Select(Path.GetFileName).Order()
        );
    }

    [Fact]
    public void The_archive_loses_no_copy_of_a_neighbour_and_keeps_none_of_one_that_was_killed()
    {
        const string Segment = "000000010000000000000001";
        const string Of = $"repository/wal/.{Segment}.p1";
        Write($"pgflow/data/pg_wal/{Segment}", "one");
        InstallArchiveProgram();
        Write($"{Of}.999999", "o"); // killed, or still copying
        Stub("dd", $"test -e {_root}/{Of}.999999 && exec /bin/dd \"$@\""); // it is there while this one copies

        Archive(Segment);
        Write($"{Of}.999998", "one"); // killed after it had published
        Archive(Segment);

        Assert.Equal([Segment], Directory.GetFiles($"{_root}/repository/wal").Select(Path.GetFileName));
    }

    private void Archive(string segment)
    {
        using var process = Process.Start(
            new ProcessStartInfo($"{_root}/pgflow/bin/archive", [$"pg_wal/{segment}", segment])
            {
                WorkingDirectory = $"{_root}/pgflow/data",
                Environment = { ["PATH"] = $"{_root}/bin:{Environment.GetEnvironmentVariable("PATH")}" },
            }
        )!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public void What_waits_for_the_archive_is_put_there_and_the_segment_that_was_written_lies_beside_it()
    {
        Write("pgflow/data/pg_wal/000000010000000000000001", "one");
        Write("pgflow/data/pg_wal/000000010000000000000002", "two");
        Write("pgflow/data/pg_wal/00000002.history", "1\t0/2000000\tno recovery target\n");
        Write("pgflow/data/pg_wal/archive_status/000000010000000000000001.ready", "");
        Write("pgflow/data/pg_wal/archive_status/00000002.history.done", "");
        Stub(
            "pg_controldata",
            """
            echo 'Database cluster state:               in production'
            echo "Latest checkpoint's TimeLineID:       1"
            """
        );
        InstallArchiveProgram();
        _root.CreateSubdirectory("repository/wal");

        var left = ListWal();
        Assert.Equal(["000000010000000000000001"], left.Ready);
        Assert.Equal(["00000002.history"], left.Archived);
        Assert.Equal(["00000002 1"], left.Ancestors);
        Assert.Equal("000000010000000000000002", left.Tail);

        Write("tmp/job/ready", string.Concat(left.Ready.Select(name => $"{name}\n")));
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            Run("salvage", ("OWNER", "p1"), ("TAIL", left.Tail!));
        }

        Assert.Equal(
            ("one", "two"),
            (Read("repository/wal/000000010000000000000001"), Read("repository/wal/000000010000000000000002.tail.p1"))
        );
    }

    [Fact]
    public void What_a_removed_node_alone_has_archived_is_kept_and_twice_is_the_same()
    {
        Stub(
            "pg_waldump",
            """
            [ "$(cat "$2")" != partial ] || { echo "pg_waldump: error: error in WAL record at 0/1: invalid" >&2; exit 1; }
            """
        );
        var names = Enumerable.Range(1, 6).Select(number => $"0000000100000000000000{number:X2}").ToList();
        Write($"pgflow/archive/{names[0]}", "elsewhere too");
        Write($"nodes/p1/archive/{names[0]}", "elsewhere too");
        Write($"pgflow/archive/{names[1]}", "alone");
        Write($"pgflow/archive/{names[2]}", "partial");
        Write($"nodes/p1/archive/{names[2]}", "more");
        Write($"pgflow/archive/{names[3]}", "another");
        Write($"repository/wal/{names[3]}", "kept before");
        Write($"pgflow/archive/{names[4]}.partial.p3", "read by nobody");
        Write($"pgflow/archive/{names[5]}", "of another line");
        Write($"nodes/p1/archive/{names[5]}", "of this line");
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            Run("keep-archive", ("OWNER", "p3"));
            Assert.Equal(
                [
                    $"{names[1]}: alone",
                    $"{names[2]}.tail.p3-archive: partial",
                    $"{names[3]}: kept before",
                    $"{names[3]}.tail.p3-archive: another",
                    $"{names[5]}.tail.p3-archive: of another line",
                ],
                Directory
                    .GetFiles(Path.Combine(_root.FullName, "repository/wal"))
                    .Order(StringComparer.Ordinal)
                    .Select(file => $"{Path.GetFileName(file)}: {File.ReadAllText(file)}")
            );
        }
    }

    [Fact]
    public void A_node_that_archives_into_the_repository_has_nothing_to_keep() => Run("keep-archive", ("OWNER", "p3"));

    [Fact]
    public void A_node_without_WAL_has_nothing_to_save()
    {
        var left = ListWal();
        Assert.Empty(left.Ready);
        Assert.Null(left.Tail);

        Write("tmp/job/ready", "");
        Run("salvage", ("OWNER", "p1"), ("TAIL", ""));
    }

    [Fact]
    public void What_waits_for_the_archive_is_put_there_also_where_pg_control_is_broken()
    {
        Write("pgflow/data/pg_wal/000000010000000000000001", "one");
        Write("pgflow/data/pg_wal/archive_status/000000010000000000000001.ready", "");
        Stub("pg_controldata", "echo 'pg_controldata: error: could not open file' >&2; exit 1");
        InstallArchiveProgram();

        var left = ListWal("pg_controldata: error: could not open file\n");
        Assert.Equal(["000000010000000000000001"], left.Ready);

        Write("tmp/job/ready", "000000010000000000000001\n");
        Run("salvage", ("OWNER", "p1"), ("TAIL", ""));
        Assert.Equal("one", Read("repository/wal/000000010000000000000001"));
    }

    private void InstallArchiveProgram()
    {
        Write("pgflow/bin/archive", Embedded.Read("archive"), executable: true);
        Write("pgflow/bin/node.env", Read("tmp/job/node.env"));
    }

    private UnarchivedWal ListWal(string complaint = "")
    {
        Assert.Equal((0, complaint), Try("list-wal", [], []));
        return JsonSerializer.Deserialize<UnarchivedWal>(Read("tmp/job/result.json"), PgFlowJson.Options)!;
    }

    private static IEnumerable<string> Programs() =>
        typeof(Embedded)
            .Assembly.GetManifestResourceNames()
            .Where(name =>
                name.EndsWith(".sh", StringComparison.Ordinal)
                && !name.Contains(".Programs.lib.", StringComparison.Ordinal)
            )
            .Select(name => name["PgFlow.Activities.Programs.".Length..^".sh".Length]);

    private void Stub(string name, string script) => Write($"bin/{name}", $"#!/bin/sh\n{script}\n", executable: true);

    private void Write(string name, string content, bool executable = false)
    {
        var path = Path.Combine(_root.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        if (executable && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private string Read(string name) => File.ReadAllText(Path.Combine(_root.FullName, name));

    private JsonElement Result() => JsonDocument.Parse(Read("tmp/job/result.json")).RootElement;

    private void Run(string program, params (string Name, string Value)[] parameters) =>
        Assert.Equal((0, ""), Try(program, [], parameters));

    private (int ExitCode, string Complaint) Try(
        string program,
        string[] arguments,
        (string Name, string Value)[] parameters
    ) => Shell([$"{_root}/tmp/job/{program}.sh", .. arguments], parameters);

    private (int ExitCode, string Complaint) Shell(string[] arguments, (string Name, string Value)[] parameters)
    {
        var start = new ProcessStartInfo("sh", arguments)
        {
            WorkingDirectory = _root.FullName,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["PATH"] = $"{_root}/bin:{Environment.GetEnvironmentVariable("PATH")}";
        foreach (var path in Names.Environment.Select(path => path.Split('=')))
        {
            start.Environment[path[0]] = _root.FullName + path[1];
        }

        foreach (var (name, value) in parameters)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var printing = process.StandardOutput.ReadToEndAsync();
        var complaint = process.StandardError.ReadToEnd();
        process.WaitForExit();
        _printed = printing.GetAwaiter().GetResult();
        return (process.ExitCode, complaint);
    }

    [GeneratedRegex("""\$\{?(?<name>[A-Z][A-Z_]*)""")]
    private static partial Regex Parameter();

    [GeneratedRegex("""(?m)^\. "\$JOB/(?<file>[^"]*)"$""")]
    private static partial Regex Sourced();
}
