using PgFlow.Workflows;

namespace PgFlow.Activities;

/// <summary>The POSIX sh programs that every node carries from its creation, and the scripts of jobs.</summary>
internal static class Embedded
{
    /// <summary>The program <paramref name="name"/> as <paramref name="node"/> carries it.</summary>
    public static string For(string name, ClusterSpec spec, NodeName node) => Read(name)
        .Replace("@ARCHIVE@", spec.Archive is ArchiveMode.Local ? $"{Names.NodeVolume}/archive" : $"{Names.RepositoryVolume}/wal", StringComparison.Ordinal)
        .Replace("@NODE@", node.ToString(), StringComparison.Ordinal);

    public static string Read(string name)
    {
        using var stream = typeof(Embedded).Assembly.GetManifestResourceStream($"PgFlow.Activities.Programs.{name}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
