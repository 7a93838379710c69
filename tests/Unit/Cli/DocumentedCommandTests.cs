using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace PgFlow.UnitTests.Cli;

/// <summary>Every command that README and docs show is one.</summary>
public sealed class DocumentedCommandTests
{
    public static TheoryData<string> Commands => [.. DocumentedCommands.All()];

    [Fact]
    public void There_are_many() => Assert.InRange(Commands.Count, 80, 1000);

    [Theory]
    [MemberData(nameof(Commands))]
    public void It_is_understood_by_the_command_line(string command)
    {
        var parsed = CommandLine.Read([.. CommandLineParser.SplitCommandLine(command).Skip(1)], new CliCall().Terminal);

        if (DocumentedCommands.IsName(command))
        {
            Assert.Equal(command, $"pgflow {parsed.CommandResult.Command.Name}");
            return;
        }

        Assert.Empty(parsed.Errors.Select(error => error.Message));
        Assert.IsNotType<ParseErrorAction>(parsed.Action);
    }
}
