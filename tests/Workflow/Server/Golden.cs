using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Temporalio.Client;

namespace PgFlow.WorkflowTests.Server;

/// <summary>The histories that <c>ReplayTests</c> replays. With PGFLOW_WRITE_GOLDEN=1 tests write them anew.</summary>
internal static partial class Golden
{
    public static string Folder { get; } = Path.Combine(Path.GetDirectoryName(Here())!, "..", "Golden");

    /// <summary>Those that a worker goes through when it starts.</summary>
    private static readonly string[] Warmup =
    [
        "real/Failover-succeeded",
        "real/Switchover-succeeded",
        "RecoverCluster-succeeded",
        "NotificationDelivery-succeeded",
    ];

    /// <summary>Keeps the history of a workflow that has ended, if it is asked for.</summary>
    /// <param name="name">The file, below <see cref="Folder"/>; nothing is kept without one.</param>
    /// <param name="handle">The workflow.</param>
    public static async Task KeepAsync(string? name, WorkflowHandle handle)
    {
        if (Environment.GetEnvironmentVariable("PGFLOW_WRITE_GOLDEN") is "1" && name is not null)
        {
            var json = (await handle.FetchHistoryAsync()).ToJson();
            var kept = Path.Combine(Folder, $"{name}.json");
            await File.WriteAllTextAsync(kept, StackTrace().Replace(json, ""));
            if (Warmup.Contains(name))
            {
                File.Copy(
                    kept,
                    Path.Combine(Folder, "../../../src/Worker/Warmup", Path.GetFileName(kept)),
                    overwrite: true
                );
            }
        }
    }

    /// <summary>A replay doesn't need it, and it names this machine's folders.</summary>
    [GeneratedRegex(@"""stackTrace"": ""([^""\\]|\\.)*"",\s*")]
    private static partial Regex StackTrace();

    private static string Here([CallerFilePath] string path = "") => path;
}
