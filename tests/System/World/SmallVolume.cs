using System.Diagnostics;

namespace PgFlow.SystemTests.World;

/// <summary>A small file system on the host in the place of a volume's folder: it can be full, or read-only, without
/// anybody else's disk being so.</summary>
internal sealed class SmallVolume : IAsyncDisposable
{
    private readonly string _folder;

    private SmallVolume(string folder) => _folder = folder;

    /// <summary>Puts one under a volume, with what the volume holds. Its containers are stopped meanwhile: a running
    /// one keeps the folder that it has.</summary>
    public static async Task<SmallVolume> UnderAsync(TestCluster cluster, string volume, int megabytes)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounts a file system");
        var folder = await Host.DockerAsync("volume", "inspect", "-f", "{{.Mountpoint}}", volume);
        var users = (await Host.DockerAsync("ps", "-q", "--filter", $"volume={volume}")).Split(
            '\n',
            StringSplitOptions.RemoveEmptyEntries
        );
        await Host.DockerAsync(["stop", .. users]);
        await OnHostAsync(
            $"""
            set -e
            mkdir -p /run/{volume}
            mount -t tmpfs -o size={megabytes}m tmpfs /run/{volume}
            cp -a {folder}/. /run/{volume}/
            mount --bind /run/{volume} {folder}
            umount /run/{volume}
            rmdir /run/{volume}
            """
        );
        var small = new SmallVolume(folder);
        await Host.DockerAsync(["start", .. users]);
        await Host.UntilAsync("the cluster is well", async () => (await cluster.InspectAsync()).Healthy);
        return small;
    }

    /// <summary>Leaves not a byte.</summary>
    public Task FillAsync() =>
        OnHostAsync(
            $"dd if=/dev/zero of={_folder}/fill bs=4096 2>/dev/null; dd if=/dev/zero of={_folder}/fill2 bs=1 "
                + "count=4096 2>/dev/null; true"
        );

    /// <summary>There is room again.</summary>
    public Task EmptyAsync() => OnHostAsync($"rm -f {_folder}/fill {_folder}/fill2");

    /// <summary>Nobody can write any more, or can again.</summary>
    public Task RemountAsync(string how) => OnHostAsync($"mount -o remount,{how} {_folder}");

    /// <remarks>Lazily: a container may still use it.</remarks>
    public async ValueTask DisposeAsync() => await RunAsync($"umount -l {_folder}");

    private static async Task OnHostAsync(string script)
    {
        var (code, output) = await RunAsync(script);
        Assert.True(code == 0, output);
    }

    private static async Task<(int Code, string Output)> RunAsync(string script)
    {
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", script]) { RedirectStandardError = true })!;
        var output = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }
}
