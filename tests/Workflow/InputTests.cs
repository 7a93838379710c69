namespace PgFlow.WorkflowTests;

/// <summary>Inputs as people type them into the Web UI: wrong ones fail at once, with everything that is wrong, and
/// touch nothing.</summary>
public sealed class InputTests(TemporalServer server)
{
    private const string Missing = "cluster: is missing; give the cluster's name";

    public static TheoryData<string, string, string> Wrong =>
        new()
        {
            {
                "Switchover",
                """{"cluster":"demo","too":"p2"}""",
                "too: unknown field; valid fields: approve, approveWithinSeconds, by, cluster, dryRun, "
                    + "force, reason, stopWithinSeconds, takeOver, to"
            },
            {
                "Switchover",
                """{"cluster":"demo","stopWithinSeconds":0}""",
                "stopWithinSeconds: 0 is not from 1 to 3600"
            },
            {
                "RecoverCluster",
                """{"cluster":"demo","latest":true,"stopWithinSeconds":3601}""",
                "stopWithinSeconds: 3601 is not from 1 to 3600"
            },
            { "Switchover", """{"cluster":"demo","to":"p0"}""", "to: expected a node's name (p1, p2, …), got \"p0\"" },
            { "Switchover", """{"cluster":"demo","force":"yes"}""", "force: expected true or false, got \"yes\"" },
            {
                "Switchover",
                """{"cluster":7,"to":{},"force":1}""",
                "cluster: expected a lower-case letter, then up to 30 lower-case letters, digits or hyphens, got "
                    + "7; to: expected a node's name (p1, p2, …), got an object; force: expected true or "
                    + "false, got 1"
            },
            { "Switchover", "{}", Missing },
            { "Switchover", "[]", $"the input: expected a JSON object, as {{\"cluster\": \"demo\"}}, got an array" },
            { "Switchover", "null", $"the input: expected a JSON object, as {{\"cluster\": \"demo\"}}, got null" },
            {
                "Switchover",
                "\"demo\"",
                $"the input: expected a JSON object, as {{\"cluster\": \"demo\"}}, got \"demo\""
            },
            {
                "RemakeStandby",
                """{"cluster":"demo","x":1}""",
                "x: unknown field; valid fields: approve, approveWithinSeconds, by, cluster, dryRun, "
                    + "node, reason, takeOver; node: is missing; name the standby to remake"
            },
            {
                "InitCluster",
                """{"cluster":"demo","nodes":77,"archive":"tape","vip":"here"}""",
                "archive: expected one of external, local, got \"tape\"; nodes: 77 is not from 1 to 9; "
                    + "vip: 'here' is no IPv4 address"
            },
            {
                "TakeBackup",
                """{"cluster":"demo","keep":0,"keepDays":-1}""",
                "keep: 0 is not from 1 to 10000; keepDays: -1 is not from 1 to 36500"
            },
            {
                "VerifyBackup",
                """{"cluster":"demo","backup":""}""",
                "backup: '' is not the ID of a backup; give one of 1 to 63 characters, or none for the newest"
            },
            {
                "InspectCluster",
                """{"name":"demo"}""",
                "name: unknown field; valid fields: approve, approveWithinSeconds, by, cluster, "
                    + $"dryRun, reason, takeOver; {Missing}"
            },
        };

    [Theory, MemberData(nameof(Wrong))]
    public async Task A_wrong_field_fails_at_once(string procedure, string json, string message)
    {
        await using var world = TestEnvironment.Start(server);
        var failed = await TestEnvironment.FailureAsync(
            await world.StartRawAsync(procedure, TestEnvironment.Typed(json))
        );

        Assert.Equal((FailureTypes.InvalidInput, message), (failed.Type, failed.Message));
        Assert.Empty(world.InMemory.Calls);
    }

    [Theory]
    [InlineData("", "json/plain")]
    [InlineData("{\"cluster\":", "json/plain")]
    [InlineData("{\"\\ud800\":1}", "json/plain")]
    [InlineData("demo", "binary/plain")]
    [InlineData("", "binary/null")]
    public async Task What_is_no_JSON_fails_at_once(string data, string encoding)
    {
        await using var world = TestEnvironment.Start(server);
        var failed = await TestEnvironment.FailureAsync(
            await world.StartRawAsync("Failover", TestEnvironment.Encoded(data, encoding))
        );

        Assert.Equal(FailureTypes.InvalidInput, failed.Type);
        Assert.StartsWith("the input: is no JSON: ", failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("cluster", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_input_at_all_fails_at_once()
    {
        await using var world = TestEnvironment.Start(server);
        var failed = await TestEnvironment.FailureAsync(await world.StartRawAsync("Switchover"));

        Assert.Equal((FailureTypes.InvalidInput, Missing), (failed.Type, failed.Message));
    }

    [Fact]
    public async Task What_Temporal_could_not_store_fails_at_once()
    {
        await using var world = TestEnvironment.Start(server, nodes: 0);
        var failed = await world.FailAsync(
            "InitCluster",
            ("by", new string('x', 5000)),
            ("image", new string('i', 5000))
        );

        Assert.Equal(FailureTypes.InvalidInput, failed.Type);
        Assert.Contains("by: ", failed.Message, StringComparison.Ordinal);
        Assert.Contains("image: ", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fields_left_empty_in_a_form_are_as_if_they_were_not_there()
    {
        await using var world = TestEnvironment.Start(server);
        var handle = await world.StartRawAsync(
            "Switchover",
            TestEnvironment.Typed($$"""{"Cluster":"{{world.Cluster}}","to":null,"reason":null}""")
        );
        var report = await handle.GetResultAsync<Report>();

        Assert.Equal("unknown (Web UI)", report.By);
    }

    [Theory]
    [InlineData("Switchover")]
    [InlineData("Failover")]
    [InlineData("Failback")]
    [InlineData("InspectCluster")]
    [InlineData("InspectTimeline")]
    [InlineData("RebuildLedger")]
    public async Task A_cluster_that_does_not_exist_is_refused(string procedure)
    {
        await using var world = TestEnvironment.Start(server, nodes: 0);
        var failed = await world.FailAsync(procedure);

        Assert.Equal((FailureTypes.Refused, $"there is no cluster {world.Cluster}"), (failed.Type, failed.Message));
        Assert.Equal($"make it: pgflow init {world.Cluster}", HintText.Of(Assert.Single(failed.Hints)));
    }
}
