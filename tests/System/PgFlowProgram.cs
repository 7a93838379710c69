using System.Diagnostics;
using Temporalio.Client;

namespace PgFlow.SystemTests;

/// <summary>The real <c>pgflow</c>, as somebody types it without a terminal.</summary>
internal static class PgFlowProgram
{
    /// <returns>Its exit code, and what it printed: for programs, then for people.</returns>
    public static Task<(int Code, string Output)> RunAsync(ITemporalClient client, params string[] arguments) =>
        RunInAsync(client, [], arguments);

    /// <summary>The same, with more variables.</summary>
    public static async Task<(int Code, string Output)> RunInAsync(
        ITemporalClient client,
        Dictionary<string, string> environment,
        params string[] arguments
    )
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "pgflow.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["TEMPORAL_ADDRESS"] = client.Connection.Options.TargetHost;
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var people = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await people);
    }
}
