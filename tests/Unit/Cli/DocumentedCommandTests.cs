using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;

namespace PgFlow.UnitTests.Cli;

/// <summary>Every command that README and docs show is one.</summary>
public sealed partial class DocumentedCommandTests
{
    private static readonly string Docs = Path.GetDirectoryName(Contract.File)!;

    public static TheoryData<string> Commands =>
        [
            .. Directory
                .EnumerateFiles(Docs, "*.md", SearchOption.AllDirectories)
                .Append(Path.Combine(Docs, "../README.md"))
                .SelectMany(file => ShownIn(File.ReadAllText(file)))
                .Distinct()
                .Order(StringComparer.Ordinal),
        ];

    [Fact]
    public void There_are_many() => Assert.InRange(Commands.Count, 80, 1000);

    [Theory]
    [MemberData(nameof(Commands))]
    public void It_is_understood_by_the_command_line(string command)
    {
        var parsed = CommandLine.Read([.. CommandLineParser.SplitCommandLine(command).Skip(1)], new CliCall().Terminal);

        if (command.Count(sign => sign is ' ') == 1) // it is only named, perhaps
        {
            Assert.Equal(command, $"pgflow {parsed.CommandResult.Command.Name}");
            return;
        }

        Assert.Empty(parsed.Errors.Select(error => error.Message));
        Assert.IsNotType<ParseErrorAction>(parsed.Action);
    }

    /// <summary>In a block, up to its comment, or in the text; but what is cut short or names a choice.</summary>
    private static IEnumerable<string> ShownIn(string page) =>
        Block()
            .Matches(page)
            .Concat(Inline().Matches(page))
            .Select(found => Choice().Replace(found.Groups["command"].Value.Trim(), Chosen))
            .Where(command =>
                command.Contains(' ') && command.IndexOfAny(['…', '|', '[', '$', '<', '>', '&', '(']) < 0
            );

    private static string Chosen(Match word) =>
        word.Value switch
        {
            "NODE" => "p2",
            "TIME" => "2026-11-24T10:05:00Z",
            "N" => "2",
            _ => "demo",
        };

    [GeneratedRegex(@"^    (\./)?(?<command>pgflow [a-z][^#\n]*?)( {2,}.*|#.*)?$", RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"`(\./)?(?<command>pgflow [a-z][^`\n]*)`")]
    private static partial Regex Inline();

    [GeneratedRegex(@"\b[A-Z]+\b")]
    private static partial Regex Choice();
}
