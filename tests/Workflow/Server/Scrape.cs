using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Temporalio.Runtime;

namespace PgFlow.WorkflowTests.Server;

/// <summary>The metrics that a runtime serves, read as Prometheus reads them.</summary>
internal sealed partial class Scrape
{
    private static readonly HttpClient Http = new();

    private Scrape(int port)
    {
        Address = $"127.0.0.1:{port}";
        Runtime = new(
            new()
            {
                Telemetry = new()
                {
                    Metrics = new(
                        new PrometheusOptions(Address) { HistogramBucketOverrides = ProcedureMetrics.Buckets }
                    ),
                },
            }
        );
    }

    public string Address { get; }

    public TemporalRuntime Runtime { get; }

    public static Scrape Start() => new(FreePort());

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>A metric's value in the series with these labels; null where there is none.</summary>
    public Task<double?> ValueAsync(string name, params (string Name, string Value)[] labels) =>
        ValueAsync(Address, name, labels);

    /// <inheritdoc cref="ValueAsync(string, ValueTuple{string, string}[])"/>
    public static async Task<double?> ValueAsync(
        string address,
        string name,
        params (string Name, string Value)[] labels
    )
    {
        var found = Sample()
            .Matches(await Http.GetStringAsync(new Uri($"http://{address}/metrics")))
            .Where(sample =>
                sample.Groups["name"].Value == name
                && Array.TrueForAll(
                    labels,
                    label =>
                        sample
                            .Groups["labels"]
                            .Value.Contains($"{label.Name}=\"{label.Value}\"", StringComparison.Ordinal)
                )
            )
            .ToList();
        Assert.True(found.Count < 2, string.Join('\n', found));
        return found is [var one] ? double.Parse(one.Groups["value"].Value, CultureInfo.InvariantCulture) : null;
    }

    [GeneratedRegex(@"^(?<name>\w+)(\{(?<labels>.*)\})? (?<value>\S+)$", RegexOptions.Multiline)]
    private static partial Regex Sample();
}
