using System.Collections.Concurrent;
using System.Diagnostics;
using Temporalio.Client;

namespace PgFlow.SystemTests;

/// <summary>The real worker program in a process of its own, so that a test can kill it.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private readonly Process _process;

    private readonly ConcurrentQueue<string> _lines = new();

    private WorkerProcess(Process process)
    {
        _process = process;
        if (process.StartInfo.RedirectStandardOutput)
        {
            process.OutputDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
            process.BeginOutputReadLine();
        }
    }

    /// <summary>What it has logged, where it was started with arguments.</summary>
    public IReadOnlyList<string> Lines => [.. _lines.Where(line => line.Length > 0)];

    public int Id => _process.Id;

    /// <summary>Where the workers of a test run keep the passwords of its clusters.</summary>
    public static string Secrets { get; } =
        Path.Combine(Path.GetTempPath(), $"pgflow-test-secrets-{Environment.ProcessId}");

    /// <summary>Starts the worker that lies in <paramref name="folder"/>; this build's where none is named.</summary>
    /// <param name="client">Of its server.</param>
    /// <param name="arguments">What it is told besides; where nothing is, it logs warnings.</param>
    /// <param name="environment">What it has in its environment besides.</param>
    public static WorkerProcess Start(
        ITemporalClient client,
        string? folder = null,
        string[]? arguments = null,
        params (string Name, string Value)[] environment
    )
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
                "--health-file",
                Path.Combine(Path.GetTempPath(), $"pgflow-test-health-{Guid.NewGuid():N}"),
            },
            RedirectStandardOutput = arguments is not null,
        };
        Array.ForEach(arguments ?? ["--log-level", "warning"], start.ArgumentList.Add);
        Array.ForEach(environment, variable => start.Environment[variable.Name] = variable.Value);
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
