using System.Globalization;

namespace PgFlow.SystemTests;

public sealed class LedgerTests(TemporalServer temporal)
{
    [Fact]
    public async Task That_was_lost_is_read_from_the_WAL_and_a_time_chooses_its_branch_again()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        var story = await Story.OfAsync(cluster, "A", "B");
        await TestCluster.SqlAsync(story.Primary, "SELECT pg_create_restore_point('by-hand')");
        await story.WriteAsync("B2");
        await story.RecoverAsync("A"); // opens timeline 2
        await story.WriteAsync("C");
        var before = await cluster.TimelineAsync();
        Assert.Empty(before.Findings);

        await Host.DockerAsync(
            "exec",
            "-u",
            "0",
            story.Primary.Container,
            "sh",
            "-c",
            "rm /repository/ledger/*-timeline-*.json"
        );
        Assert.Equal(
            2,
            (await cluster.TimelineAsync()).Findings.Count(finding => finding.Code is FindingCode.OpeningUnknown)
        );
        Assert.Contains("not known", await RefusalAsync(cluster, story.TimeOf("B")), StringComparison.Ordinal);

        var report = await cluster.RunAsync(
            (RebuildLedger procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        Assert.Equal(
            $"the ledger of {cluster.Name} has the openings of timeline 1, 2 and 1 restore point, read from the WAL",
            report.Summary
        );
        Assert.Empty(report.Notes);

        var after = await cluster.TimelineAsync();
        Assert.Empty(after.Findings);
        Assert.Equal(
            before.Branches.Select(branch => (branch.Timeline, branch.Parent, branch.SwitchedAt)),
            after.Branches.Select(branch => (branch.Timeline, branch.Parent, branch.SwitchedAt))
        );

        // PgFlow notes a time before it asks for a promotion and after it has fenced; the WAL has what lies between,
        // however slow the machine is.
        Assert.InRange(after.Branches[0].LiveFrom!.Value, before.Branches[0].LiveFrom!.Value, At(story, "A"));
        Assert.InRange(after.Branches[0].LiveTo!.Value, At(story, "B"), before.Branches[0].LiveTo!.Value);
        Assert.InRange(after.Branches[1].LiveFrom!.Value, before.Branches[1].LiveFrom!.Value, At(story, "C"));
        Assert.Equal("by-hand", Assert.Single(after.Branches[0].RestorePoints).Name);
        Assert.Equal(["initdb", "promotion"], after.Branches.Select(branch => branch.Opening!.Kind));

        Assert.Contains(
            "branch: timeline 1;",
            await PlannedAsync(cluster, new() { ToTime = story.TimeOf("B") }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "branch: timeline 2;",
            await PlannedAsync(cluster, new() { ToTime = story.TimeOf("C") }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "branch: timeline 1;",
            await PlannedAsync(cluster, new() { ToPoint = "by-hand" }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "nothing was done",
            (
                await cluster.RunAsync(
                    (RebuildLedger procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
                )
            ).Summary,
            StringComparison.Ordinal
        );
    }

    [Fact, Trait("Suite", "world")]
    public async Task Has_no_entry_of_a_promotion_by_hand_until_it_is_rebuilt_and_keeps_what_it_has()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var story = await Story.OfAsync(cluster, "A", "A2");
        await Host.DockerAsync("kill", cluster.Node(1).Container);
        await Host.UntilAsync(
            "p2 is promoted",
            async () =>
                await Host.TryAsync(() => TestCluster.SqlAsync(cluster.Node(2), "SELECT pg_promote()")) is { } said
                && said.Trim() == "t"
        );
        story.Primary = cluster.Node(2);
        await story.WriteAsync("B");
        var ledger = await EntriesAsync(cluster);

        var report = await cluster.RunAsync(
            (RebuildLedger procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        Assert.Equal($"the ledger of {cluster.Name} has the opening of timeline 2, read from the WAL", report.Summary);

        var after = await EntriesAsync(cluster);
        Assert.Empty(ledger.Except(after));
        Assert.Single(after.Except(ledger), entry => entry.Contains("timeline-00000002", StringComparison.Ordinal));
        Assert.Contains(
            "branch: timeline 2;",
            await PlannedAsync(cluster, new() { ToTime = story.TimeOf("B") }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "branch: timeline 1;",
            await PlannedAsync(cluster, new() { ToTime = story.TimeOf("A") }),
            StringComparison.Ordinal
        );
    }

    /// <summary>Names and contents; procedures' own records left out.</summary>
    private static async Task<string[]> EntriesAsync(TestCluster cluster) =>
        (
            await Host.DockerAsync(
                "exec",
                cluster.Node(2).Container,
                "sh",
                "-c",
                "cd /repository/ledger && cksum *Z-timeline-*"
            )
        ).Split('\n');

    private static DateTimeOffset At(Story story, string word) =>
        DateTimeOffset.Parse(story.TimeOf(word), CultureInfo.InvariantCulture);

    private static async Task<string> PlannedAsync(TestCluster cluster, RecoverClusterInput input)
    {
        var named = input with { Cluster = cluster.Name, By = "test", DryRun = true };
        return (await cluster.RunAsync((RecoverCluster procedure) => procedure.RunAsync(named))).Plan!.Facts[0];
    }

    private static async Task<string> RefusalAsync(TestCluster cluster, string time) =>
        (
            await TestCluster.FailureAsync(
                await cluster.StartAsync(
                    (RecoverCluster procedure) =>
                        procedure.RunAsync(
                            new()
                            {
                                Cluster = cluster.Name,
                                By = "test",
                                ToTime = time,
                                DryRun = true,
                            }
                        )
                )
            )
        ).Message;
}
