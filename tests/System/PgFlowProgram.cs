using System.Diagnostics;
using Temporalio.Client;

namespace PgFlow.SystemTests;

/// <summary>The real <c>pgflow</c>, as somebody types it without a terminal.</summary>
internal static class PgFlowProgram
{
    /// <returns>Its exit code, and what it printed: for programs, then for people.</returns>
    public static async Task<(int Code, string Output)> RunAsync(ITemporalClient client, params string[] arguments)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [
                Path.Combine(AppContext.BaseDirectory, "pgflow.dll"),
                .. arguments,
                "--address",
                client.Connection.Options.TargetHost!,
            ]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var people = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await people);
    }
}
