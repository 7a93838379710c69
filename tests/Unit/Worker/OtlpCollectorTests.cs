namespace PgFlow.UnitTests.Worker;

public sealed class OtlpCollectorTests
{
    private readonly Dictionary<string, string> _environment = [];
    private readonly List<string> _problems = [];

    [Fact]
    public void Nothing_is_sent_where_no_collector_is_named() => Assert.Null(Read());

    [Fact]
    public void It_is_read_as_the_standard_says()
    {
        _environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://collector:4318/";
        _environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        _environment["OTEL_EXPORTER_OTLP_HEADERS"] = "api-key=a%20b,tenant=x=y";

        var collector = Read()!;

        Assert.Empty(_problems);
        Assert.Equal("http://collector:4318/", collector.Endpoint.ToString());
        Assert.True(collector.IsHttp);
        Assert.Equal(("a b", "x=y"), (collector.Headers["api-key"], collector.Headers["tenant"]));
    }

    [Theory]
    [InlineData("collector:4317", "grpc")]
    [InlineData("http://collector:4317", "http/json")]
    public void What_is_wrong_is_said(string endpoint, string protocol)
    {
        _environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint;
        _environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol;

        Read();

        Assert.StartsWith("OTEL_EXPORTER_OTLP_", Assert.Single(_problems), StringComparison.Ordinal);
    }

    private OtlpCollector? Read() => OtlpCollector.Of(name => _environment.GetValueOrDefault(name), _problems);
}
