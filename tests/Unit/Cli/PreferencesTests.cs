namespace PgFlow.UnitTests.Cli;

public sealed class PreferencesTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    [Fact]
    public void Its_keys_are_options_that_hold_where_the_line_gives_none()
    {
        File.WriteAllText(_file, "utc = true\noutput = \"json\"\ntimeout = \"5m\"\n");
        var words = Added("status", "demo");
        Assert.Equal(("status", "demo"), (words[0], words[^1]));
        Assert.Equal(["--output", "--timeout", "--utc", "5m", "json"], words.Skip(1).SkipLast(1).Order());
        Assert.DoesNotContain("json", Added("status", "demo", "-o", "table"));
        Assert.DoesNotContain("--timeout", Added("history")); // which has none
        Assert.Equal("-c", Added("psql", "demo", "-c", "--utc")[^2]);
    }

    [Fact]
    public void What_is_off_adds_nothing()
    {
        File.WriteAllText(_file, "utc = false\n");
        Assert.Equal(["history"], Added("history"));
    }

    [Theory]
    [InlineData("yes = true", "yes is none of its keys")]
    [InlineData("utc", "(1,4)")]
    [InlineData("utc = \"yes\"", "utc is neither true nor false")]
    [InlineData("utc = 1", "utc is neither true nor false")]
    [InlineData("output = true", "output is neither a text nor a number")]
    [InlineData("[output]\nas = \"json\"", "output is neither a text nor a number")]
    [InlineData("timeout = 2026-11-28", "timeout is neither a text nor a number")]
    public void What_it_can_not_say_is_an_error_that_names_the_file(string text, string detail)
    {
        File.WriteAllText(_file, text);
        var error = Assert.Throws<CliError>(() => Added("status"));
        Assert.Equal(2, error.ExitCode);
        Assert.Contains(_file, error.Message, StringComparison.Ordinal);
        Assert.Contains(error.Detail, line => line.Contains(detail, StringComparison.Ordinal));
    }

    [Fact]
    public void A_broken_one_stops_nothing_that_takes_nothing_of_it()
    {
        File.WriteAllText(_file, "utc");
        Assert.Equal(["completions", "bash"], Added("completions", "bash"));
        Assert.Equal(["status", "--help"], Added("status", "--help"));
    }

    [Fact]
    public void Where_there_is_none_nothing_is_added()
    {
        File.Delete(_file);
        Assert.Equal(["history"], Added("history"));
    }

    public void Dispose() => File.Delete(_file);

    private IReadOnlyList<string> Added(params string[] args) =>
        Preferences.Added(_file, args, CommandLine.Read(args, new CliCall().Terminal));
}
