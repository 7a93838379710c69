namespace PgFlow.UnitTests.Cli;

public sealed class ParsingTests
{
    [Theory]
    [InlineData("switchover")]
    [InlineData("swichover", "demo")]
    [InlineData("switchover", "demo", "--nodes", "3")]
    [InlineData("init", "demo", "--archive", "nowhere")]
    [InlineData("resolve", "id", "ignore")]
    [InlineData("switchover", "demo", "--timeout", "soon", "--yes")]
    [InlineData("remake", "demo")]
    [InlineData("timeline", "demo", "--rebuild")]
    [InlineData("timeline", "demo", "--rebuild", "--check", "--yes")]
    [InlineData("timeline", "demo", "--dry-run")]
    [InlineData("restore-point", "demo")]
    [InlineData("backup", "demo", "--node", "p0", "--yes")]
    [InlineData("backup", "demo", "--schedule", "0 2 * * *", "--dry-run")]
    [InlineData("restore-point", "demo", "before", "--schedule", "0 2 * * *")]
    public async Task What_cannot_be_read_ends_with_2(params string[] args)
    {
        var call = new CliCall();

        Assert.Equal(2, await call.RunAsync(args));
        Assert.NotEmpty(call.People.Output);
        Assert.Empty(call.Data.Output);
    }

    [Theory]
    [InlineData("a lower-case letter, then up to 30", "status", "Demo")]
    [InlineData("'p0' is no node name: p1, p2, …", "switchover", "demo", "--to", "p0")]
    [InlineData("'x' is no node name: p1, p2, …", "failback", "demo", "x")]
    public async Task A_bad_name_is_answered_with_its_rule(string rule, params string[] args)
    {
        var call = new CliCall();

        Assert.Equal(2, await call.RunAsync(args));
        Assert.Contains(rule, call.People.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("switchover", "demo")]
    [InlineData("destroy", "demo", "--detach")]
    [InlineData("approve", "id", "--address", "127.0.0.1:1")]
    public async Task Without_a_terminal_nothing_waits_for_an_answer(params string[] args) =>
        Assert.Contains(await new CliCall().RunAsync(args), (int[])[2, 5]);

    [Fact]
    public async Task The_way_out_is_named_where_nobody_can_answer()
    {
        var call = new CliCall();

        Assert.Equal(2, await call.RunAsync("failover", "demo"));
        Assert.Contains("--yes", call.People.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Temporal_out_of_reach_is_5()
    {
        var call = new CliCall();

        Assert.Equal(5, await call.RunAsync("history", "--address", "127.0.0.1:1"));
        Assert.Contains("Temporal does not answer at 127.0.0.1:1", call.People.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", call.People.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_procedure_that_no_worker_knows_is_not_started()
    {
        var call = new CliCall();

        Assert.Equal(2, await call.RunAsync("run", "Nothing", "--input", "-", "--yes"));
        Assert.Contains("Switchover", call.People.Output, StringComparison.Ordinal);
    }
}
