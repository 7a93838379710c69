using Temporalio.Client;
using Temporalio.Exceptions;

namespace PgFlow.SystemTests.World;

/// <summary>What a procedure did not make, it never touches.</summary>
public sealed class OwnershipTests(TemporalServer temporal)
{
    private const string NotOurs = "belongs to somebody else\n";

    /// <summary>Each kind of thing that can be there under a name of the cluster's, with what a refusal must
    /// name.</summary>
    private static readonly (string What, Func<TestCluster, Task> MakeAsync)[] Leftovers =
    [
        ("volume pgflow-{0}-p1", other => FilledVolumeAsync($"pgflow-{other.Name}-p1")),
        (
            "volume pgflow-{0}-p2",
            other => FilledVolumeAsync($"pgflow-{other.Name}-p2", "--label", $"pgflow.cluster={other.Name}")
        ),
        ("volume pgflow-{0}-repository", other => FilledVolumeAsync($"pgflow-{other.Name}-repository")),
        (
            "container pgflow-{0}-p1",
            other =>
                Host.DockerAsync(
                    "run",
                    "-d",
                    "--network",
                    "none",
                    "--name",
                    $"pgflow-{other.Name}-p1",
                    "--entrypoint",
                    "sleep",
                    Host.Image,
                    "600"
                )
        ),
        (
            "network pgflow-{0}-internal",
            other => Host.DockerAsync("network", "create", "--internal", $"pgflow-{other.Name}-internal")
        ),
        ("secrets", other => WriteSecretsAsync(other)),
    ];

    [Fact, Trait("Suite", "ci")]
    public async Task What_is_there_under_a_new_clusters_names_is_named_and_stays_as_it_is()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        foreach (var (what, makeAsync) in Leftovers)
        {
            await using var other = await cluster.SiblingAsync();
            await makeAsync(other);
            var before = await other.InventoryAsync();

            foreach (
                var start in (Func<Task<WorkflowHandle>>[])[() => InitAsync(other), () => CloneAsync(cluster, other)]
            )
            {
                var (type, report, message) = await TestCluster.FailureAsync(await start());
                Assert.Equal(FailureTypes.Refused, type);
                Assert.Contains(
                    string.Format(System.Globalization.CultureInfo.InvariantCulture, what, other.Name),
                    message,
                    StringComparison.Ordinal
                );
                Assert.Contains("choose another name", report!.Hints.Select(hint => hint.Text));
            }

            Assert.Equal(before, await other.InventoryAsync());
        }
    }

    [Fact]
    public async Task What_comes_meanwhile_is_refused_and_the_undo_removes_only_what_the_run_made()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        foreach (
            var (what, makeAsync) in Leftovers.Where(leftover =>
                leftover.What.StartsWith("volume", StringComparison.Ordinal)
                || leftover.What.StartsWith("container", StringComparison.Ordinal)
            )
        )
        {
            await using var other = await cluster.SiblingAsync();
            var init = await InitAsync(other);
            await TestCluster.ActivityAsync(init, "InspectImage"); // behind the plan, before anything is made
            await makeAsync(other);

            var (type, _, message) = await TestCluster.FailureAsync(init);
            Assert.Equal(FailureTypes.Refused, type);
            Assert.Contains(
                string.Format(System.Globalization.CultureInfo.InvariantCulture, what, other.Name),
                message,
                StringComparison.Ordinal
            );
            var left = await other.InventoryAsync();
            Assert.DoesNotContain("created-by", left, StringComparison.Ordinal);
            await using var same = await cluster.SiblingAsync(); // what it looks like where nobody came near it
            await makeAsync(same);
            Assert.Equal(Anonymous(await same.InventoryAsync(), same), Anonymous(left, other));
        }
    }

    /// <summary>An inventory without what is another one's each time: names, IDs, times.</summary>
    private static string Anonymous(string inventory, TestCluster cluster) =>
        System.Text.RegularExpressions.Regex.Replace(
            inventory.Replace(cluster.Name.ToString(), "NAME", StringComparison.Ordinal),
            @"\b[0-9a-f]{64}\b(?! +-)|\d{4}-\d\d-\d\dT\S+",
            ""
        );

    [Fact]
    public async Task Volumes_of_a_cluster_whose_containers_are_gone_survive_an_init_a_clone_and_come_back_by_a_repair()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var (p1, p2) = (cluster.Node(1), cluster.Node(2));
        await TestCluster.SqlAsync(p1, "CREATE TABLE yesterday AS SELECT 1 AS day");
        await cluster.RunAsync(
            (Switchover procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await using var other = await cluster.SiblingAsync();
        await TestCluster.ReportAsync(await CloneOfAsync(cluster, other));
        await Host.DockerAsync("rm", "-f", p1.Container, p2.Container);
        var before = await cluster.InventoryAsync();

        foreach (
            var start in (Func<Task<WorkflowHandle>>[])[() => InitAsync(cluster), () => CloneAsync(other, cluster)]
        )
        {
            var refused = await TestCluster.FailureAsync(await start());
            Assert.Equal(FailureTypes.Refused, refused.Type);
            Assert.Contains(nameof(RepairCluster), refused.Report!.Hints.Select(hint => hint.Procedure));
        }

        Assert.Equal(before, await cluster.InventoryAsync());
        var lost = await cluster.InspectAsync();
        Assert.Equal(
            [FindingCode.NoPrimary, FindingCode.ContainerMissing, FindingCode.ContainerMissing],
            lost.Findings.Take(3).Select(finding => finding.Code)
        );
        Assert.Equal((false, true), (lost.State.Find(p2.Name)!.StandbySignal, lost.State.Find(p1.Name)!.StandbySignal));

        await cluster.RunAsync(
            (RepairCluster procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await cluster.HealthyAsync(p2, timeline: 2);
        Assert.Equal("1", (await TestCluster.SqlAsync(p1, "SELECT day FROM yesterday")).Trim());
    }

    /// <summary>An ID may be used again as soon as its workflow has ended.</summary>
    [Fact]
    public async Task What_an_earlier_workflow_of_the_same_ID_made_is_not_taken_back()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client);
        var (p1, p2) = (cluster.Node(1), cluster.Node(2));
        await TestCluster.SqlAsync(p1, "CREATE TABLE kept AS SELECT 1 AS row");
        await Host.DockerAsync("rm", "-f", p2.Container);

        var repair = await cluster.StartAsync(
            (RepairCluster procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" }),
            await cluster.CreatedByAsync()
        );
        await TestCluster.ActivityAsync(repair, "RecreateNode");
        await repair.CancelAsync();
        await Assert.ThrowsAsync<Temporalio.Exceptions.WorkflowFailedException>(() => repair.GetResultAsync());

        Assert.Equal("1", (await TestCluster.SqlAsync(p1, "SELECT row FROM kept")).Trim());
        await cluster.RunAsync(
            (RepairCluster procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await cluster.HealthyAsync(p1, timeline: 1);
    }

    [Fact]
    public async Task A_cancelled_init_leaves_nothing_and_destroy_leaves_what_is_foreign()
    {
        await using var cluster = await TestCluster.CreateAsync(temporal.Client, nodes: 1);
        await using var other = await cluster.SiblingAsync();
        var volume = $"pgflow-{cluster.Name}-p1";
        var init = await InitAsync(other);
        await TestCluster.ActivityAsync(init, "InitializeDatabase");
        await init.CancelAsync();
        await Assert.ThrowsAsync<WorkflowFailedException>(() => init.GetResultAsync());
        Assert.Equal("", await other.InventoryAsync());

        await FilledVolumeAsync($"pgflow-{cluster.Name}-p2");
        var foreign = await Host.DockerAsync(
            "run",
            "-d",
            "--network",
            "none",
            "-v",
            $"{volume}:/data:ro",
            "--name",
            $"pgflow-{cluster.Name}-user",
            "--entrypoint",
            "sleep",
            Host.Image,
            "600"
        );
        var refused = await TestCluster.FailureAsync(await DestroyAsync());
        Assert.Contains($"uses volume {volume}", refused.Message, StringComparison.Ordinal);
        await Host.DockerAsync("rm", "-f", foreign);

        await Host.DockerAsync(
            "exec",
            cluster.Node(1).Container,
            "sh",
            "-c",
            "cd /pgflow/bin && printf '#!/bin/sh\\nexec sleep 600\\n' > slow && chmod 755 slow && mv slow archive"
        );
        var backup = await cluster.StartAsync(
            (TakeBackup procedure) => procedure.RunAsync(new() { Cluster = cluster.Name, By = "test" })
        );
        await cluster.WorkedOnAsync(backup, "CopyToRepository");

        Assert.SkipUnless(Environment.IsPrivilegedProcess, "makes a file that can't be removed");
        var kept = $"{await Host.DockerAsync("volume", "inspect", "-f", "{{.Mountpoint}}", volume)}/kept";
        await File.WriteAllTextAsync(kept, "", TestContext.Current.CancellationToken);
        await ChangeAsync("+i", kept);
        WorkflowHandle<DestroyCluster, Report> destroy;
        try
        {
            destroy = await DestroyAsync();
            await TestCluster.StepAsync(destroy, "remove", StepState.Blocked);
            var why = (await destroy.QueryAsync<ProcedureProgress>("progress", [])).Blocked.Single().Why;
            Assert.True($"{volume}\npgflow-{cluster.Name}-p2" == await VolumesAsync(), why);
        }
        finally
        {
            await ChangeAsync("-i", kept);
        }

        var cancel = Assert.Single((await backup.QueryAsync<ProcedureProgress>("progress", [])).Acts!);
        Assert.Equal(("cancel", destroy.Id, "it was in the way"), (cancel.What, cancel.By, cancel.Reason));
        await destroy.ExecuteUpdateAsync("resolve", [new Resolution(ResolveAction.Retry, "test")]);
        var report = await TestCluster.ReportAsync(destroy);
        Assert.Contains(
            report.Notes,
            note => note.Contains($"volume pgflow-{cluster.Name}-p2 stays", StringComparison.Ordinal)
        );
        Assert.Equal($"pgflow-{cluster.Name}-p2", await VolumesAsync());
        Assert.Empty(cluster.SecretsFiles);

        static async Task ChangeAsync(string attribute, string file)
        {
            using var change = System.Diagnostics.Process.Start("chattr", [attribute, file]);
            await change.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, change.ExitCode);
        }

        Task<string> VolumesAsync() =>
            Host.DockerAsync("volume", "ls", "-q", "--filter", $"name=pgflow-{cluster.Name}-");

        Task<WorkflowHandle<DestroyCluster, Report>> DestroyAsync() =>
            cluster.StartAsync(
                (DestroyCluster procedure) =>
                    procedure.RunAsync(
                        new()
                        {
                            Cluster = cluster.Name,
                            By = "test",
                            Approve = false,
                        }
                    )
            );
    }

    private static async Task<WorkflowHandle> InitAsync(TestCluster other) =>
        await other.StartAsync(
            (InitCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = other.Name,
                        By = "test",
                        Image = Host.Image,
                        ExternalNetwork = other.Network,
                        Vip = other.Vip,
                    }
                )
        );

    private static async Task<WorkflowHandle> CloneAsync(TestCluster source, TestCluster other) =>
        await CloneOfAsync(source, other);

    private static Task<WorkflowHandle<CloneCluster, Report>> CloneOfAsync(TestCluster source, TestCluster other) =>
        other.StartAsync(
            (CloneCluster procedure) =>
                procedure.RunAsync(
                    new()
                    {
                        Cluster = other.Name,
                        From = source.Name,
                        By = "test",
                        Latest = true,
                        ExternalNetwork = other.Network,
                        Vip = other.Vip,
                    }
                )
        );

    private static async Task FilledVolumeAsync(string name, params string[] labels)
    {
        await Host.DockerAsync(["volume", "create", .. labels, name]);
        await Host.DockerAsync(
            "run",
            "--rm",
            "--network",
            "none",
            "-u",
            "0",
            "-v",
            $"{name}:/v",
            "--entrypoint",
            "sh",
            Host.Image,
            "-c",
            $"printf '{NotOurs}' > /v/file"
        );
    }

    private static Task WriteSecretsAsync(TestCluster other)
    {
        Directory.CreateDirectory(WorkerProcess.Secrets);
        return File.WriteAllTextAsync(Path.Combine(WorkerProcess.Secrets, $"{other.Name}.pgpass"), $"# {NotOurs}");
    }
}
