using System.Text;

namespace PgFlow.UnitTests.Runtime;

public sealed class InputReaderTests
{
    [Fact]
    public void Reads_every_kind_of_field()
    {
        var input = Read<InitClusterInput>(
            """{"cluster":"demo","nodes":3,"archive":"local","sync":true,"vip":"10.0.0.9","externalNetwork":"lan","reason":"why","by":"anna","dryRun":true,"approve":false}"""
        );

        Assert.Empty(input.Problems());
        Assert.Equal(
            (ClusterName.Parse("demo"), 3, ArchiveMode.Local, true, "10.0.0.9", "why", true),
            (input.Cluster, input.Nodes, input.Archive, input.Sync, input.Vip, input.Reason, input.DryRun)
        );
        Assert.Equal("postgres:17", input.Image);
    }

    [Theory]
    [InlineData("""{"CLUSTER":"demo","To":"p2"}""")]
    [InlineData("""{"cluster":"demo","to":null,"force":null}""")]
    [InlineData("""  {"cluster":"demo"}  """)]
    [InlineData("""{"cluster":"demo","reason":"first\nsecond\tline"}""")]
    public void Takes_what_can_be_meant(string json) => Assert.Empty(Read<SwitchoverInput>(json).Problems());

    [Theory]
    [InlineData(
        """{"cluster":"demo","unreadable":[]}""",
        "unreadable: unknown field; valid fields: approve, approveWithinSeconds, by, cluster, dryRun, "
            + "force, reason, stopWithinSeconds, takeOver, to"
    )]
    [InlineData("""{"cluster":"demo","force":true,"Force":false}""", "force: is given twice")]
    [InlineData(
        """{"cluster":"Demo"}""",
        "cluster: expected a lower-case letter, then up to 30 lower-case letters, digits or hyphens, got " + "\"Demo\""
    )]
    [InlineData("""{"cluster":"demo","to":["p2"]}""", "to: expected a node's name (p1, p2, …), got an array")]
    [InlineData("""{"cluster":null}""", "cluster: is missing; give the cluster's name")]
    [InlineData("""{"cluster":"demo","reason":5}""", "reason: expected a string, got 5")]
    [InlineData("""{"cluster":"demo","by":"\u001b[2Kanna"}""", "by: has a control character")]
    [InlineData("""{"cluster":"demo","by":"a\nb"}""", "by: has a control character")]
    [InlineData("""{"cluster":"demo","reason":"\u0000"}""", "reason: has a control character")]
    [InlineData("""{"cluster":"demo","reason":"x\rapproved by root"}""", "reason: has a control character")]
    [InlineData("""{"cluster":"demo","takeOver":"\u001b[2K"}""", "takeOver: has a control character")]
    public void Names_the_field_that_is_wrong(string json, string problem) =>
        Assert.Equal([problem], Said(Read<SwitchoverInput>(json)));

    [Theory]
    [InlineData("""{"cluster":"demo","nodes":"3"}""", "nodes: expected an integer, got \"3\"")]
    [InlineData("""{"cluster":"demo","nodes":2.5}""", "nodes: expected an integer, got 2.5")]
    [InlineData("""{"cluster":"demo","nodes":99999999999}""", "nodes: expected an integer, got 99999999999")]
    [InlineData("""{"cluster":"demo","nodes":0}""", "nodes: 0 is not from 1 to 9")]
    [InlineData("""{"cluster":"demo","archive":1}""", "archive: expected one of external, local, got 1")]
    [InlineData(
        """{"cluster":"demo","image":" "}""",
        "image: is empty; give an image that has PostgreSQL 13 to 18, as postgres:17"
    )]
    [InlineData("""{"cluster":"demo","vip":"10.1"}""", "vip: '10.1' is no IPv4 address")]
    [InlineData("""{"cluster":"demo","vip":"::1"}""", "vip: '::1' is no IPv4 address")]
    [InlineData(
        """{"cluster":"demo","externalNetwork":"lan"}""",
        "vip: is missing; with an external network of yours give a free address on it"
    )]
    [InlineData(
        """{"cluster":"demo","subnet":"10.0.0.0/30"}""",
        "subnet: '10.0.0.0/30' is no IPv4 network of /8 to /24, as 10.77.1.0/24"
    )]
    [InlineData(
        """{"cluster":"demo","subnet":"fd00::/16"}""",
        "subnet: 'fd00::/16' is no IPv4 network of /8 to /24, as 10.77.1.0/24"
    )]
    public void Judges_the_values_of_a_new_cluster(string json, string problem) =>
        Assert.Equal([problem], Said(Read<InitClusterInput>(json)));

    [Fact]
    public void Says_everything_at_once() =>
        Assert.Equal(
            ["cluster", "too", "force", "node"],
            Read<RemakeStandbyInput>("""{"cluster":1,"too":2,"force":3}""")
                .Problems()
                .SelectMany(problem => problem.Fields)
        );

    [Theory]
    [InlineData("")]
    [InlineData("demo")]
    [InlineData("{")]
    [InlineData("""{"cluster":"demo"} {}""")]
    [InlineData("""{"cluster":"demo",}""")]
    [InlineData("""{"\ud800":1}""")]
    public void Never_throws_on_what_is_no_JSON(string text) =>
        Assert.StartsWith(
            "the input: is no JSON: ",
            Assert.Single(Said(Read<SwitchoverInput>(text))),
            StringComparison.Ordinal
        );

    [Fact]
    public void Never_throws_on_bytes_that_are_no_text()
    {
        byte[][] inputs =
        [
            [0xff, 0xfe, 0],
            [.. "{\"cluster\":\""u8, 0xff, .. "\"}"u8],
            [.. "{\""u8, 0xff, .. "\":1}"u8],
            [.. "{\"reason\":\""u8, 0xc3, .. "\"}"u8],
        ];
        Assert.All(inputs, bytes => Assert.NotEmpty(InputReader.Read(bytes, typeof(SwitchoverInput)).Unreadable));
    }

    [Fact]
    public void What_was_given_and_can_not_be_read_is_not_missing_too()
    {
        Assert.Equal(["vip"], Fields<InitClusterInput>("""{"cluster":"demo","vip":1,"externalNetwork":"lan"}"""));
        Assert.Equal(["toTime"], Fields<RecoverClusterInput>("""{"cluster":"demo","toTime":1}"""));
        Assert.Equal(
            ["timeline: expected an integer, got \"x\""],
            Said(Read<RecoverClusterInput>("""{"cluster":"demo","latest":true,"timeline":"x"}"""))
        );
    }

    private static IEnumerable<string> Fields<T>(string json)
        where T : ProcedureInput => Read<T>(json).Problems().SelectMany(problem => problem.Fields);

    private static IEnumerable<string> Said(ProcedureInput input) =>
        input.Problems().Select(problem => problem.ToString());

    private static T Read<T>(string json)
        where T : ProcedureInput => (T)InputReader.Read(Encoding.UTF8.GetBytes(json), typeof(T));
}
