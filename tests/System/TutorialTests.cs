using System.CommandLine.Parsing;
using System.Text.RegularExpressions;

namespace PgFlow.SystemTests;

/// <summary>docs/tutorial.md, typed as it stands there.</summary>
public sealed partial class TutorialTests(TemporalServer temporal)
{
    private static readonly string Tutorial = Path.Combine(AppContext.BaseDirectory, "../../../../../docs/tutorial.md");

    [Fact]
    public async Task What_it_shows_is_what_happens()
    {
        await using var cluster = await TestCluster.NoneAsync(temporal.Client);
        foreach (
            var (line, shown) in Lines(await File.ReadAllTextAsync(Tutorial, TestContext.Current.CancellationToken))
        )
        {
            var words = CommandLineParser.SplitCommandLine(Named(Comment().Replace(line, ""))).ToArray();
            var expected = ExitCode().Match(line) is { Success: true } code ? code.Groups[1].Value : "0";
            var (exit, said) = words[0] is "docker"
                ? (0, await Host.DockerAsync(words[1..]))
                : await PgFlowProgram.RunAsync(temporal.Client, [.. words[1..], .. Unasked(words[1], cluster)]);
            Assert.True($"{exit}" == expected, $"{line}: exit {exit}\n{said}");
            Assert.All(shown, text => Assert.Contains(Named(text), said, StringComparison.Ordinal));
        }

        string Named(string text) => DemoWord().Replace(text, cluster.Name.ToString());
    }

    /// <summary>What a reader answers at the prompt, and what this machine has instead of the defaults.</summary>
    private static IEnumerable<string> Unasked(string command, TestCluster cluster) =>
        [
            .. ProcedureList.All.Any(one => one.CommandName == command) ? ["--yes"] : Array.Empty<string>(),
            .. command is "init"
                ? ["--image", Host.Image, "--external-network", cluster.Network, "--vip", cluster.Vip]
                : Array.Empty<string>(),
        ];

    /// <summary>The commands of its blocks, each with the lines that stand below it.</summary>
    private static List<(string Line, IReadOnlyList<string> Shown)> Lines(string page)
    {
        var lines = new List<(string, IReadOnlyList<string>)>();
        foreach (var line in Indented().Matches(page).Select(found => found.Groups[1].Value))
        {
            if (
                line.StartsWith("./pgflow ", StringComparison.Ordinal)
                || line.StartsWith("docker ", StringComparison.Ordinal)
            )
            {
                lines.Add((line, []));
            }
            else
            {
                lines[^1] = (lines[^1].Item1, [.. lines[^1].Item2, line]);
            }
        }

        Assert.InRange(lines.Count, 15, 100);
        return lines;
    }

    [GeneratedRegex("^    (.+)$", RegexOptions.Multiline)]
    private static partial Regex Indented();

    [GeneratedRegex(" +#.*$")]
    private static partial Regex Comment();

    [GeneratedRegex("# exits with ([0-9]+)$")]
    private static partial Regex ExitCode();

    [GeneratedRegex(@"\bdemo\b")]
    private static partial Regex DemoWord();
}
