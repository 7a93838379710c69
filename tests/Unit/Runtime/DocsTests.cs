using System.Text.RegularExpressions;

namespace PgFlow.UnitTests.Runtime;

/// <summary>A promise in the docs names the test that holds it.</summary>
public sealed partial class DocsTests
{
    [Fact]
    public void Every_test_that_they_name_is_there()
    {
        var tests = string.Concat(Files("tests", "*Tests.cs").Select(File.ReadAllText));
        var named = Files("docs", "*.md").SelectMany(file => NamedTest.Matches(File.ReadAllText(file)));

        Assert.Empty(named.Where(name => !IsThere(name, tests)).Select(name => name.Value).Distinct());
    }

    private static bool IsThere(Match name, string tests) =>
        tests.Contains($"class {name.Groups["class"]}", StringComparison.Ordinal)
        && (
            !name.Groups["method"].Success
            || Regex.IsMatch(tests, $@" {name.Groups["method"].Value.Replace("…", @"\w*", StringComparison.Ordinal)}\(")
        );

    private static string[] Files(string folder, string pattern) =>
        Directory.GetFiles(
            Path.Combine(Path.GetDirectoryName(Contract.File)!, "..", folder),
            pattern,
            SearchOption.AllDirectories
        );

    [GeneratedRegex(@"`(World\.)?(?<class>[A-Za-z]+Tests)(\.(?<method>[\w…]+))?`")]
    private static partial Regex NamedTest { get; }
}
