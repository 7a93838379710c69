using PgFlow.Workflows;

namespace PgFlow.Cli;

/// <summary>How a blocked step goes on.</summary>
internal static class BlockedText
{
    /// <summary>Where several are blocked, a decision must say which one it means.</summary>
    public static string Mend(Progress progress, BlockedStep blocked) =>
        progress.Blocked.Count > 1 && !blocked.Mend.Contains("--step", StringComparison.Ordinal)
            ? blocked.Mend.Replace(" retry", $" retry --step {blocked.Step}", StringComparison.Ordinal)
            : blocked.Mend;
}
