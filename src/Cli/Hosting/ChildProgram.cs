using System.Diagnostics;
using System.Runtime.InteropServices;

namespace PgFlow.Cli.Hosting;

/// <summary>A program that lives no longer than pgflow does.</summary>
internal sealed partial class ChildProgram : IAsyncDisposable
{
    private const int Terminate = 15;

    private readonly Process _process;

    private ChildProgram(Process process) => _process = process;

    public Task<int> Ended => EndedAsync();

    public static ChildProgram Start(
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null
    )
    {
        var start = new ProcessStartInfo(program, arguments);
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            if (value is not null)
            {
                start.Environment[name] = value;
            }
        }

        return new(Process.Start(start) ?? throw new CliError(ExitCodes.Failed, $"{program} can't be started"));
    }

    /// <summary>Asks it to stop and waits until it has.</summary>
    public async Task<int> StopAsync()
    {
        if (!_process.HasExited)
        {
            if (OperatingSystem.IsWindows() || Kill(_process.Id, Terminate) != 0)
            {
                _process.Kill();
            }
        }

        return await Ended;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
    }

    private async Task<int> EndedAsync()
    {
        await _process.WaitForExitAsync(CancellationToken.None);
        return _process.ExitCode;
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
