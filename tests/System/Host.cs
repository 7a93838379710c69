using System.Diagnostics;

namespace PgFlow.SystemTests;

/// <summary>What a person at the machine does: the docker program, and waiting with a deadline.</summary>
internal static class Host
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    public static string Image { get; } =
        Environment.GetEnvironmentVariable("PGFLOW_TEST_IMAGE") is { Length: > 0 } image ? image : "postgres:17";

    public static string? OfficialLikeImage { get; } =
        Environment.GetEnvironmentVariable("PGFLOW_TEST_OFFICIAL_LIKE_IMAGE");

    /// <returns>What it printed; a failure throws with it.</returns>
    public static async Task<string> DockerAsync(params string[] arguments)
    {
        var (code, output) = await TryDockerAsync(arguments);
        return code == 0
            ? output
            : throw new InvalidOperationException($"docker {string.Join(' ', arguments)}: {output}");
    }

    public static async Task<(int Code, string Output)> TryDockerAsync(params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo("docker", arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, (output + await error).Trim());
    }

    /// <summary>What it gives; null where it fails, as it does while things change.</summary>
    public static async Task<string?> TryAsync(Func<Task<string>> ask)
    {
        try
        {
            return await ask();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Waits until it is so, with a deadline.</summary>
    public static async Task UntilAsync(string what, Func<Task<bool>> isSo, int seconds = 60)
    {
        for (var clock = Stopwatch.StartNew(); !await isSo(); await Task.Delay(Poll))
        {
            Assert.True(clock.Elapsed.TotalSeconds < seconds, $"not within {seconds} s: {what}");
        }
    }
}
