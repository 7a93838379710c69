using System.Text.RegularExpressions;

namespace PgFlow.UnitTests.Cli;

/// <summary>The commands that README and docs show.</summary>
internal static partial class DocumentedCommands
{
    private static readonly string Root = Path.Combine(AppContext.BaseDirectory, "../../../../..");

    /// <summary>In a block, up to its comment, or in the text; but what is cut short or names a choice. Its
    /// placeholders, as CLUSTER, are filled in.</summary>
    /// <param name="without">A page that is left out.</param>
    public static IReadOnlyList<string> All(string? without = null) =>
        [
            .. Directory
                .EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories)
                .Append(Path.Combine(Root, "README.md"))
                .Where(file => Path.GetFileName(file) != without)
                .SelectMany(file => ShownIn(File.ReadAllText(file)))
                .Distinct()
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>It only names a command, perhaps.</summary>
    public static bool IsName(string command) => command.Count(sign => sign is ' ') == 1;

    private static IEnumerable<string> ShownIn(string page) =>
        Block()
            .Matches(page)
            .Concat(Inline().Matches(page))
            .Select(found => Placeholder().Replace(found.Groups["command"].Value.Trim(), Meant))
            .Where(command =>
                command.Contains(' ') && command.IndexOfAny(['…', '|', '[', '$', '<', '>', '&', '(']) < 0
            );

    private static string Meant(Match word) =>
        word.Value switch
        {
            "CLUSTER" => "demo",
            "NODE" => "p2",
            "TIME" => "2026-11-24T10:05:00Z",
            "LATER" => "2026-11-24T10:06:00Z",
            "N" => "1",
            var other => other.ToLowerInvariant(),
        };

    [GeneratedRegex(@"^    (\./)?(?<command>pgflow [a-z][^#\n]*?)( {2,}.*|#.*)?$", RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"`(\./)?(?<command>pgflow [a-z][^`\n]*)`")]
    private static partial Regex Inline();

    [GeneratedRegex(@"\b(CLUSTER|NODE|TIME|LATER|N|ID|NAME|FILE)\b")]
    private static partial Regex Placeholder();
}
