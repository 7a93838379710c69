using System.CommandLine;

namespace PgFlow.Cli.Procedures;

/// <summary>Any procedure with its full JSON input.</summary>
internal static class RunCommand
{
    private static readonly Argument<string> Procedure = new("PROCEDURE")
    {
        HelpName = "PROCEDURE",
        Description = "One of the procedures, as Switchover",
    };

    private static readonly Option<string> Input = new("--input")
    {
        Required = true,
        HelpName = "FILE|-",
        Description = "The JSON input; - reads it from standard input",
    };

    /// <summary>The workflow types that there are. Asked for another, a worker would retry for ever.</summary>
    public static IReadOnlyList<string> Procedures { get; } =
    [.. ProcedureList.All.Select(entry => entry.Name).Order(StringComparer.Ordinal)];

    public static Command Command(Terminal terminal)
    {
        Procedure.CompletionSources.Clear();
        Procedure.CompletionSources.Add([.. Procedures]);
        return InvocationContext.CommandOf(
            terminal,
            "run",
            "Start any procedure with its full JSON input",
            [Procedure, Input, .. Flags.Start, .. Flags.Connection],
            RunAsync
        );
    }

    private static async Task<int> RunAsync(InvocationContext call, CancellationToken cancel)
    {
        var given = call.Parsed.GetRequiredValue(Procedure);
        var procedure =
            Procedures.FirstOrDefault(name =>
                string.Equals(
                    name,
                    given.Replace("-", "", StringComparison.Ordinal),
                    StringComparison.OrdinalIgnoreCase
                )
            )
            ?? throw new CliError(
                ExitCodes.Usage,
                $"'{given}' is no procedure",
                $"there are {string.Join(", ", Procedures)}"
            );
        var json = await ReadAsync(call.Parsed.GetRequiredValue(Input), cancel);
        var entry = ProcedureList.Find(procedure)!;
        InputCheck.Require(entry, ProcedureStarter.WithWords(call, json));
        return await new ProcedureStarter(call).RunAsync(
            new(procedure, json, InputJson.Cluster(json), entry.TypeTheName),
            cancel
        );
    }

    private static async Task<string> ReadAsync(string file, CancellationToken cancel)
    {
        try
        {
            return await (file is "-" ? Console.In.ReadToEndAsync(cancel) : File.ReadAllTextAsync(file, cancel));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliError(
                ExitCodes.Usage,
                $"{file} can't be read",
                e.Message,
                "--input takes a file; - reads what is piped in"
            );
        }
    }
}
