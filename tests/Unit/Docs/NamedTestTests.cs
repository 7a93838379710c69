using System.Text.RegularExpressions;

namespace PgFlow.UnitTests.Docs;

/// <summary>The tests that docs name for what they promise are there, and run where docs say so.</summary>
public sealed partial class NamedTestTests
{
    private static readonly string Root = Path.Combine(AppContext.BaseDirectory, "../../../../..");

    private static readonly List<Test> Tests =
    [
        .. Directory
            .EnumerateFiles(Path.Combine(Root, "tests"), "*Tests*.cs", SearchOption.AllDirectories)
            .SelectMany(TestsOf),
    ];

    public static TheoryData<string> Pages =>
        [
            .. Directory
                .EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(Root, file))
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_page_names_tests_that_are_there_and_says_which_CI_runs(string page)
    {
        var (wrong, last) = (new List<string>(), "");
        foreach (Match named in Reference().Matches(File.ReadAllText(Path.Combine(Root, page))))
        {
            var name = named.Groups["class"].Value;
            last = name is "…" ? last : name;
            var meant = Named(last, named.Groups["method"].Value);
            if (meant.Count == 0)
            {
                wrong.Add($"{named.Value}: there is no such test");
            }
            else if (
                page.EndsWith("guarantees.md", StringComparison.Ordinal)
                && Mark(meant) != named.Groups["mark"].Value
            )
            {
                wrong.Add($"{named.Value}: its mark is '{Mark(meant)}'");
            }
        }

        Assert.Empty(wrong);
    }

    /// <summary>Docs leave out the rest of a long name.</summary>
    private static List<Test> Named(string type, string method) =>
        [
            .. Tests.Where(test =>
                test.Type == type
                && (
                    method.Length == 0
                    || Regex.IsMatch(test.Name, $"^{method.Replace("…", ".*", StringComparison.Ordinal)}$")
                )
            ),
        ];

    /// <summary>What guarantees.md says of them: of World those that CI runs, of the others those that it does
    /// not.</summary>
    private static string Mark(List<Test> tests) =>
        tests.Any(test => test.Suite is "ci") ? "ci"
        : tests.All(test => test.Suite is "world") ? "world"
        : "";

    private static IEnumerable<Test> TestsOf(string file)
    {
        var text = File.ReadAllText(file);
        var type = Path.GetFileName(file).Split('.')[0];
        var world = Path.GetFileName(Path.GetDirectoryName(file)) is "World" ? "World." : "";
        return Method()
            .Matches(text)
            .Select(method => new Test(
                $"{world}{type}",
                method.Groups["name"].Value,
                Suite().Match(text[text.LastIndexOf("\n\n", method.Index, StringComparison.Ordinal)..method.Index])
                    is { Success: true } suite
                    ? suite.Groups["name"].Value
                    : ""
            ));
    }

    /// <param name="Type">Its class, as docs write it.</param>
    /// <param name="Name">Its method.</param>
    /// <param name="Suite">What all of its rows are marked with.</param>
    private sealed record Test(string Type, string Name, string Suite);

    [GeneratedRegex(@"`(?<class>(World\.)?[A-Z]\w*Tests|…)(\.(?<method>[A-Z][\w…]+))?`( \((?<mark>ci|world)\))?")]
    private static partial Regex Reference();

    [GeneratedRegex(@"public (static )?(async )?(Task|void) (?<name>\w+)\(")]
    private static partial Regex Method();

    [GeneratedRegex("""Trait\("Suite", "(?<name>[\w-]+)"\)""")]
    private static partial Regex Suite();
}
