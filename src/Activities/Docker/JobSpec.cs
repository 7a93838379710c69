using System.Globalization;

namespace PgFlow.Activities.Docker;

/// <summary>A program to run in a container of its own.</summary>
/// <param name="Spec">The cluster, for its image.</param>
/// <param name="Name">What it does, in a word.</param>
/// <param name="Program">Its file in Programs; may be repeated from any state that an earlier one left.</param>
internal sealed record JobSpec(ClusterSpec Spec, string Name, string Program)
{
    /// <summary>What stands for the activity where a job is the run's.</summary>
    public const string BesideData = "beside";

    /// <summary>Volumes as <c>NAME:PATH[:ro]</c>.</summary>
    public IReadOnlyList<string> Volumes { get; init; } = [];

    /// <summary>What it writes to a volume is only an index of what is there.</summary>
    public bool OnlyIndexes { get; init; }

    /// <summary>Whether it may change something of a cluster.</summary>
    public bool Changes => !OnlyIndexes && !Volumes.All(volume => volume.EndsWith(":ro", StringComparison.Ordinal));

    /// <summary>Its environment, as <c>NAME=value</c>: whatever a value holds, it is never read as a program.</summary>
    public IReadOnlyList<string> Parameters { get; init; } = [];

    /// <summary>The network; none where it needs none.</summary>
    public string? Network { get; init; }

    /// <summary>More programs, that are run in its container beside it.</summary>
    public IReadOnlyList<string> Further { get; init; } = [];

    /// <summary>Files below <see cref="Names.Job"/>, passwords among them: never by environment or command
    /// line.</summary>
    public IReadOnlyList<ContainerFile> Files { get; init; } = [];

    /// <summary>Leaves the node's data alone, and belongs to the run, not to one of its activities.</summary>
    public bool Beside { get; init; }

    /// <summary>Runs as root instead of <c>postgres</c>.</summary>
    public bool AsRoot { get; init; }

    /// <summary>What a job sees that only reads a cluster's past: its repository as <c>/source</c>, its nodes' volumes
    /// as <c>/nodes/NAME</c>.</summary>
    public static IReadOnlyList<string> VolumesOfPast(ClusterParts parts) =>
        [
            $"{Names.Repository(parts.Cluster)}:{Names.SourceRepository}:ro",
            .. parts.WithVolume.Select(node => $"{node.Container}:{Names.NodeVolumes}/{node.Name}:ro"),
        ];

    /// <summary>Its programs and their library, as <c>begin.sh</c> reads them.</summary>
    public string Programs =>
        string.Concat(
            Embedded
                .Library.Concat(Further.Prepend(Program).ToDictionary(name => $"{name}.sh", Embedded.Read))
                .Select(file => $"#= {file.Key}\n{file.Value}")
        );

    /// <summary>Names that a job works on, one a line.</summary>
    public static ContainerFile List(string name, IEnumerable<string> entries, PostgresInstallation postgres) =>
        ContainerFile.Private($"{Names.Job}/{name}", string.Concat(entries.Select(entry => $"{entry}\n")), postgres);

    /// <summary>The segments that a job works on.</summary>
    public static ContainerFile SegmentList(IEnumerable<string> segments, PostgresInstallation postgres) =>
        List("segments", segments, postgres);

    /// <summary>What programs say as <c>name=value</c>, or with another separator; a name may come again.</summary>
    public static ILookup<string, string> Facts(string output, char separator = '=') =>
        output
            .Split('\n')
            .Select(line => line.Split(separator, 2))
            .Where(fact => fact.Length == 2)
            .ToLookup(fact => fact[0].Trim(), fact => fact[1].Trim());

    /// <summary>What <c>date -u +%s.%N</c> said: the clock of the databases' host. Where it knows no fractions,
    /// <paramref name="whole"/> is added.</summary>
    public static DateTimeOffset TimeOf(string fact, TimeSpan whole = default)
    {
        var seconds = fact.Replace(".%N", "", StringComparison.Ordinal);
        return DateTimeOffset.UnixEpoch.AddTicks(
                (long)(decimal.Parse(seconds, CultureInfo.InvariantCulture) * TimeSpan.TicksPerSecond)
            ) + (seconds == fact ? default : whole);
    }

    /// <summary>A job on a node's volume and the repository, on the internal network only if it is asked for.</summary>
    public static JobSpec On(NodeContainer node, string name, string program) =>
        new(node.Spec, name, program)
        {
            Volumes =
            [
                $"{node.Id.Container}:{Names.NodeVolume}",
                $"{Names.Repository(node.Id.Cluster)}:{Names.RepositoryVolume}",
            ],
        };
}

/// <summary>How a job ended.</summary>
/// <param name="ExitCode">From 0 to 125.</param>
/// <param name="Container">Where its result is.</param>
/// <param name="Output">The last 200 lines of its log: evidence, which nothing is read from.</param>
internal sealed record JobEnd(int ExitCode, string Container, string Output)
{
    /// <summary>How a program ends whose precondition does not hold: another attempt would find the same.</summary>
    private const int Unmet = 3;

    private const int LongestTail = 1500;

    /// <summary>What it means that <paramref name="program"/> did not end with 0.</summary>
    public PgFlowException FailureOf(string program) =>
        ExitCode == Unmet
            ? Failure.Refuse($"{program}: {Tail}")
            : Failure.Fail($"{program} ended with {ExitCode}: {Tail}");

    /// <summary>The end of the output, short enough for a failure message.</summary>
    public string Tail => Output.Length > LongestTail ? $"…{Output[^LongestTail..]}" : Output;

    /// <summary>The line that a progress display shows.</summary>
    public static string LastLine(string output) =>
        output.Split('\r', '\n').LastOrDefault(line => line.Length > 0)?.Trim() ?? "";
}
