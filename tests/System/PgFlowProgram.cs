using System.Diagnostics;
using System.Text;
using Temporalio.Client;

namespace PgFlow.SystemTests;

/// <summary>The real <c>pgflow</c>, as somebody types it without a terminal.</summary>
internal static class PgFlowProgram
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "pgflow.dll");

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
        using var process = Start(client, environment, ["dotnet", Program, .. arguments]);
        process.StandardInput.Close();
        var people = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await people);
    }

    /// <summary>The same, for one that goes on: it is told to stop (SIGTERM) when it has printed what it must, for
    /// programs or for people.</summary>
    public static async Task<(int Code, string Output)> RunUntilAsync(
        ITemporalClient client,
        Func<string, bool> hasSaid,
        params string[] arguments
    )
    {
        using var process = Start(client, [], ["dotnet", Program, .. arguments]);
        process.StandardInput.Close();
        var said = new StringBuilder();
        process.OutputDataReceived += Take;
        process.ErrorDataReceived += Take;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await Host.UntilAsync(
                $"pgflow {string.Join(' ', arguments)} has said what it must",
                () => Task.FromResult(process.HasExited || hasSaid(Said()))
            );
        }
        finally
        {
            using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
            await kill.WaitForExitAsync();
        }

        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(70));
        return (process.ExitCode, Said());

        void Take(object sender, DataReceivedEventArgs line)
        {
            lock (said)
            {
                said.Append(line.Data).Append('\n');
            }
        }

        string Said()
        {
            lock (said)
            {
                return said.ToString();
            }
        }
    }

    /// <summary>The same at a terminal (<c>script</c> makes one), where somebody types before it asks, and then
    /// answers.</summary>
    public static async Task<(int Code, string Output)> RunAtTerminalAsync(
        ITemporalClient client,
        string before,
        string question,
        string answer,
        params string[] arguments
    )
    {
        // Ctrl-C reaches it also where the tests run in the background
        var line = $"env --default-signal=INT dotnet {Program} {string.Join(' ', arguments)}";
        using var process = Start(client, [], ["script", "-qec", line, "/dev/null"]);
        await process.StandardInput.WriteAsync(before);
        await process.StandardInput.FlushAsync();
        var said = new StringBuilder();
        var buffer = new char[4096];
        var limit = TimeSpan.FromMinutes(1);
        while (await process.StandardOutput.ReadAsync(buffer).AsTask().WaitAsync(limit) is > 0 and var read)
        {
            var asked = $"{said}".Contains(question, StringComparison.Ordinal);
            said.Append(buffer, 0, read);
            if (!asked && $"{said}".Contains(question, StringComparison.Ordinal))
            {
                await process.StandardInput.WriteAsync(answer);
                await process.StandardInput.FlushAsync();
            }
        }

        await process.WaitForExitAsync().WaitAsync(limit);
        return (process.ExitCode, $"{said}");
    }

    private static Process Start(ITemporalClient client, Dictionary<string, string> environment, string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["TEMPORAL_ADDRESS"] = client.Connection.Options.TargetHost;
        start.Environment["PGFLOW_SECRETS"] = WorkerProcess.Secrets;
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }
}
