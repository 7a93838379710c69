namespace PgFlow.Activities.Postgres;

/// <summary>A node's pg_hba.conf from when it leaves an endpoint until it is on one again: the same, with a few lines
/// in front of it that refuse clients.</summary>
internal static class Hba
{
    /// <summary>How the file begins while clients are refused.</summary>
    public const string Begin = "# PgFlow refuses clients while an address is taken away\n";
    private const string End = "# PgFlow refuses clients: end\n";

    /// <summary>The file so that only PgFlow and the standbys are let in.</summary>
    public static string Refusing(string file, ClusterSpec spec) =>
        $"""
            {Begin}{SettingsFile.RenderOwnHba(spec)}
            host all all 0.0.0.0/0 reject
            host all all ::/0 reject
            {End}{Admitting(file)}
            """;

    /// <summary>The file as it is otherwise.</summary>
    public static string Admitting(string file) =>
        file.StartsWith(Begin, StringComparison.Ordinal)
        && file.IndexOf(End, StringComparison.Ordinal) is > 0 and var end
            ? file[(end + End.Length)..]
            : file;

    /// <summary>SQL with which the server, a standby too, puts the file in its place as a whole.</summary>
    /// <remarks>Beside it lies a second name of it, which <see cref="FileCalls"/> leaves.</remarks>
    public static string Writing(byte[] file)
    {
        const string part = $"{SettingsFile.HbaPath}.new";
        return $"""
            COPY (SELECT '{Convert.ToBase64String(file)}')
            TO PROGRAM 'rm -f {part} && base64 -d > {part} && mv {part} {SettingsFile.HbaPath}'
            """;
    }
}
