using System.Text.RegularExpressions;

namespace PgFlow.SystemTests;

/// <summary>The PostgreSQL in the nodes' image.</summary>
internal static partial class TestedPostgres
{
    private static readonly Lazy<(string Bin, int Major)> Found = new(() => FindAsync().GetAwaiter().GetResult());

    /// <summary>Where its programs are.</summary>
    public static string Bin => Found.Value.Bin;

    public static int Major => Found.Value.Major;

    /// <summary>Skips the test that runs where this PostgreSQL is older.</summary>
    /// <param name="major">The first version.</param>
    /// <param name="what">What the test is about, which there is from it on.</param>
    public static void Require(int major, string what) =>
        Assert.SkipWhen(Major < major, $"{what}: from PostgreSQL {major} on; {Host.Image} has {Major}");

    /// <summary>How CREATE DATABASE is told to copy; before 15 there is the one way only.</summary>
    public static string Strategy(string name) => Major < 15 ? "" : $" STRATEGY {name}";

    private static async Task<(string Bin, int Major)> FindAsync()
    {
        var said = Said()
            .Match(
                await Host.DockerAsync([
                    .. (string[])["run", "--rm", "--network", "none", "--entrypoint", "sh", Host.Image, "-c"],
                    "PATH=$PATH:$(echo /usr/lib/postgresql/*/bin); postgres --version; command -v postgres",
                ])
            );
        return (said.Groups["bin"].Value, int.Parse(said.Groups["major"].Value));
    }

    [GeneratedRegex(@"PostgreSQL\) (?<major>\d+)[^\n]*\n(?<bin>.*)/postgres")]
    private static partial Regex Said();
}
