using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace PgFlow.Cli.Client;

/// <summary>The workflow ID of a procedure: <c>switchover-demo-20261124T105501Z-3fa9</c>.</summary>
internal static partial class WorkflowId
{
    public static string New(string workflow, string? cluster) =>
        New(workflow, cluster, DateTimeOffset.UtcNow, RandomNumberGenerator.GetHexString(4, lowercase: true));

    public static string New(string workflow, string? cluster, DateTimeOffset now, string unique) =>
        string.Join(
            '-',
            new[]
            {
                Words(workflow),
                cluster,
                now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture),
                unique,
            }.Where(part => !string.IsNullOrEmpty(part))
        );

    /// <summary><c>RemakeStandby</c> as <c>remake-standby</c>.</summary>
    public static string Words(string name) => Capitals().Replace(name, "-$0").ToLowerInvariant();

    [GeneratedRegex("(?<!^)[A-Z]", RegexOptions.CultureInvariant)]
    private static partial Regex Capitals();
}
