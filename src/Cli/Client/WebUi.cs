using System.Globalization;
using Temporalio.Client;

namespace PgFlow.Cli.Client;

/// <summary>Links into Temporal's Web UI.</summary>
internal static class WebUi
{
    private const int PortsApart = 1000; // 7233 and 8233: the dev server's own default

    public static Uri LinkTo(ITemporalClient client, string workflowId, string? runId = null) =>
        WebUiLink.To(AddressOf(client), client.Options.Namespace, workflowId, runId);

    public static Uri AddressOf(ITemporalClient client) =>
        AddressOf(client.Connection.Options.TargetHost ?? Temporal.DefaultAddress);

    public static Uri AddressOf(string target)
    {
        if (
            Environment.GetEnvironmentVariable("PGFLOW_UI") is { Length: > 0 } address
            && Uri.TryCreate(address, UriKind.Absolute, out var ui)
        )
        {
            return ui;
        }

        var colon = target.LastIndexOf(':');
        var (host, port) =
            colon >= 0
            && int.TryParse(target[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var given)
                ? (target[..colon], given)
                : (target, 7233);
        return
            host.EndsWith(".tmprl.cloud", StringComparison.Ordinal)
            || host.EndsWith(".temporal.io", StringComparison.Ordinal)
            ? new("https://cloud.temporal.io")
            : new UriBuilder(Uri.UriSchemeHttp, host, port + PortsApart).Uri;
    }
}
