using System.CommandLine;

namespace PgFlow.Cli.Hosting;

/// <summary>Scripts that let a shell ask pgflow itself, by the parser's directive <c>[suggest]</c>, what could come
/// next.</summary>
internal static class CompletionsCommand
{
    private static readonly Dictionary<string, string> Scripts = new()
    {
        ["bash"] = """
            _pgflow() {
              local found=$(pgflow "[suggest:$COMP_POINT]" "$COMP_LINE" 2> /dev/null)
              COMPREPLY=($(compgen -W "$found" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -o default -F _pgflow pgflow
            """,
        ["zsh"] = """
            _pgflow() {
              local -a found=("${(@f)$(pgflow "[suggest:$CURSOR]" "$BUFFER" 2> /dev/null)}")
              compadd -a found
            }
            compdef _pgflow pgflow
            """,
        ["fish"] = """
            complete -f -c pgflow -a '(pgflow "[suggest:"(commandline -C)"]" (commandline -p) 2> /dev/null)'
            """,
    };

    private static readonly Argument<string> Shell = new("SHELL")
    {
        HelpName = string.Join('|', Scripts.Keys),
        Description = "The shell",
    };

    static CompletionsCommand() => Shell.AcceptOnlyFromAmong([.. Scripts.Keys]);

    public static Command Command(Terminal terminal) =>
        InvocationContext.CommandOf(
            terminal,
            "completions",
            "Print the shell's completion script, as in: eval \"$(pgflow completions bash)\"",
            [Shell],
            (call, _) =>
            {
                terminal.Out.Profile.Out.Writer.WriteLine(Scripts[call.Parsed.GetRequiredValue(Shell)]);
                return Task.FromResult(ExitCodes.Done);
            }
        );
}
