using System.Diagnostics;
using Temporalio.Client;

namespace PgFlow.SystemTests;

/// <summary>The real worker program in a process of its own, so that a test can kill it.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private readonly Process _process;

    private WorkerProcess(Process process) => _process = process;

    public int Id => _process.Id;

    /// <summary>Where the workers of a test run keep the passwords of its clusters.</summary>
    public static string Secrets { get; } =
        Path.Combine(Path.GetTempPath(), $"pgflow-test-secrets-{Environment.ProcessId}");

    /// <summary>Starts the worker that lies in <paramref name="folder"/>; this build's where none is named.</summary>
    public static WorkerProcess Start(ITemporalClient client, string? folder = null)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                Path.Combine(folder ?? AppContext.BaseDirectory, "pgflow-worker.dll"),
                "--address",
                client.Connection.Options.TargetHost!,
                "--secrets",
                Secrets,
                "--log-level",
                "warning",
                "--health-file",
                Path.Combine(Path.GetTempPath(), $"pgflow-test-health-{Guid.NewGuid():N}"),
            },
        };
        return new(Process.Start(start)!);
    }

    /// <summary>What a power cut does.</summary>
    public void Kill9()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill9();
        }

        _process.Dispose();
    }
}
