using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace PgFlow.SystemTests.World;

/// <summary>The Docker daemon that is the tests' alone: <c>scripts/own-docker</c> runs them beside it.</summary>
internal static class OwnDocker
{
    private static readonly string Configuration =
        Environment.GetEnvironmentVariable("PGFLOW_OWN_DOCKER")
        ?? throw new InvalidOperationException(
            "only a Docker daemon of the tests' own may be killed: ./test own-docker"
        );

    private static readonly string Folder = Path.GetDirectoryName(Configuration)!;

    /// <summary>As an upgrade (TERM) or a crash (KILL) does; containers end with the daemon, or when it is
    /// back.</summary>
    public static async Task RestartAsync(string signal)
    {
        await EndAsync(signal);
        await StartAsync();
    }

    /// <summary>Restarts it with a setting, until what is returned is disposed.</summary>
    public static async Task<IAsyncDisposable> WithAsync(string setting, string value)
    {
        var before = await File.ReadAllTextAsync(Configuration);
        var settings = JsonNode.Parse(before)!;
        settings[setting] = value;
        await ConfigureAsync(settings.ToJsonString());
        return new Configured(before);
    }

    public static async Task EndAsync(string signal)
    {
        var daemon = int.Parse(await File.ReadAllTextAsync(Path.Combine(Folder, "pid")), CultureInfo.InvariantCulture);
        using var kill = Process.Start("kill", [$"-{signal}", $"{daemon}"]);
        await kill.WaitForExitAsync();
        await Host.UntilAsync("dockerd has ended", () => Task.FromResult(!Directory.Exists($"/proc/{daemon}")));
    }

    public static async Task StartAsync()
    {
        using var daemon = Process.Start(
            "sh",
            ["-c", "exec dockerd --config-file \"$1\" >> \"$2\" 2>&1", "sh", Configuration, Path.Combine(Folder, "log")]
        );
        await Host.UntilAsync("dockerd answers", async () => (await Host.TryDockerAsync("version")).Code == 0);
    }

    private static async Task ConfigureAsync(string settings)
    {
        await File.WriteAllTextAsync(Configuration, settings);
        await RestartAsync("TERM");
    }

    private sealed class Configured(string before) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await ConfigureAsync(before);
    }
}
