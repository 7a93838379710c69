namespace PgFlow.Activities;

/// <summary>The POSIX sh programs that nodes carry from their creation, and those of jobs with the library that they
/// share.</summary>
internal static class Embedded
{
    private const string Prefix = "PgFlow.Activities.Programs.";

    /// <summary>Every job's library, as files below its folder.</summary>
    public static IReadOnlyDictionary<string, string> Library { get; } =
        typeof(Embedded)
            .Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith($"{Prefix}lib.", StringComparison.Ordinal))
            .ToDictionary(name => $"lib/{name[$"{Prefix}lib.".Length..]}", name => Resource(name[Prefix.Length..]));

    /// <summary>The text of a program.</summary>
    public static string Read(string name) => Resource($"{name}.sh");

    /// <summary>What a node's own programs know of it, besides the settings that PostgreSQL reads.</summary>
    public static string EnvironmentOf(ClusterSpec spec, NodeName node) =>
        $"""
            # Written by PgFlow; changes by hand are lost.
            NODE={node}
            VOLUME={Names.NodeVolume}
            REPOSITORY={Names.RepositoryVolume}
            ARCHIVE={Names.ArchiveOf(spec)}

            """;

    private static string Resource(string name)
    {
        using var stream = typeof(Embedded).Assembly.GetManifestResourceStream(Prefix + name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
