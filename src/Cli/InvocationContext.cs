using System.CommandLine;
using Temporalio.Client;

namespace PgFlow.Cli;

/// <summary>One call of pgflow: what was given, and where the answer goes.</summary>
internal sealed record InvocationContext(ParseResult Parsed, Terminal Terminal)
{
    public bool Json => Parsed.GetValue(Flags.Output) is OutputFormat.Json;

    public string? Reason => Parsed.GetValue(Flags.Reason);

    public bool Yes => Parsed.GetValue<bool>(Flags.Yes.Name);

    public bool Detach => Parsed.GetValue(Flags.Detach);

    public bool DryRun => Parsed.GetValue(Flags.DryRun);

    public TimeSpan? Timeout => Parsed.GetValue(Flags.Timeout);

    public string Id => Parsed.GetRequiredValue(Flags.Id);

    public Task<ITemporalClient> ConnectAsync(CancellationToken cancel) =>
        Temporal.ConnectAsync(Parsed.GetValue(Flags.Address), Parsed.GetValue(Flags.Namespace), cancel);

    /// <summary>A command that ends in <paramref name="act"/>; not where <paramref name="problems"/> finds what is
    /// wrong with its line.</summary>
    public static Command CommandOf(
        Terminal terminal,
        string name,
        string description,
        IEnumerable<Symbol> symbols,
        Func<InvocationContext, CancellationToken, Task<int>> act,
        Func<ParseResult, IEnumerable<string>>? problems = null
    )
    {
        var command = new InputCommand(name, description, problems ?? (_ => []));
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
            {
                command.Add(argument);
            }
            else
            {
                command.Add((Option)symbol);
            }
        }

        command.SetAction((parsed, cancel) => act(new(parsed, terminal), cancel));
        return command;
    }
}
