using Spectre.Console.Testing;

namespace PgFlow.UnitTests.Cli;

public sealed class TerminalTests
{
    [Theory]
    [InlineData("yes", true)]
    [InlineData("y", true)]
    [InlineData("YES", true)]
    [InlineData("no", false)]
    [InlineData("n", false)]
    [InlineData("", false)]
    public async Task A_question_is_answered_by_a_word_or_its_first_letter(string typed, bool answer)
    {
        var people = new TestConsole().Interactive();
        people.Input.PushTextWithEnter(typed);
        Assert.Equal(answer, await Terminal.ConfirmAsync(people, "Proceed?", CancellationToken.None));
    }

    [Fact]
    public async Task Another_word_is_asked_again()
    {
        var people = new TestConsole().Interactive();
        people.Input.PushTextWithEnter("perhaps");
        people.Input.PushTextWithEnter("yes");
        Assert.True(await Terminal.ConfirmAsync(people, "Proceed?", CancellationToken.None));
    }

    [Fact]
    public void The_fields_of_JSON_are_in_alphabetical_order_at_every_depth()
    {
        var call = new CliCall();
        call.Terminal.Json(new { b = new[] { new { d = 1, c = 2 } }, a = "x" });
        Assert.Equal(
            """{"a":"x","b":[{"c":2,"d":1}]}""",
            call.Out.Output.Replace(" ", "", StringComparison.Ordinal).ReplaceLineEndings("")
        );
    }

    [Theory]
    [InlineData(0.34, "340 ms")]
    [InlineData(2.38, "2.3 s")]
    [InlineData(59.99, "59.9 s")]
    [InlineData(109, "1m49s")]
    [InlineData(7500, "2h05m")]
    public void A_time_is_said_in_the_unit_that_fits(double seconds, string said) =>
        Assert.Equal(said, PgFlowText.Took(TimeSpan.FromSeconds(seconds)));
}
