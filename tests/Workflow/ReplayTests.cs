using System.Text.Json.Nodes;
using Temporalio.Common;
using Temporalio.Worker;

namespace PgFlow.WorkflowTests;

/// <summary>Histories of earlier versions run through today's workflows: what runs while a new version is installed
/// goes on.</summary>
public sealed class ReplayTests
{
    public static TheoryData<string> Files =>
        [
            .. Directory
                .EnumerateFiles(Golden.Folder, "*.json", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(Golden.Folder, file))
                .Order(StringComparer.Ordinal),
        ];

    [Theory, MemberData(nameof(Files))]
    public async Task Goes_the_same_way_again(string file)
    {
        var options = new WorkflowReplayerOptions
        {
            DataConverter = PgFlowJson.Converter,
            Interceptors = [new ProcedureInterceptor()],
        };
        Array.ForEach(TestEnvironment.AllWorkflows, type => options.AddWorkflow(type));
        var json = await File.ReadAllTextAsync(
            Path.Combine(Golden.Folder, file),
            TestContext.Current.CancellationToken
        );
        var history = WorkflowHistory.FromJson(IdIn(json) ?? Path.GetFileNameWithoutExtension(file), json);

        await new WorkflowReplayer(options).ReplayWorkflowAsync(
            history,
            cancellationToken: TestContext.Current.CancellationToken
        );
    }

    /// <summary>A witness goes by its own workflow ID.</summary>
    private static string? IdIn(string history) =>
        (string?)JsonNode.Parse(history)?["events"]?[0]?["workflowExecutionStartedEventAttributes"]?["workflowId"];

    [Fact]
    public void Has_a_history_of_every_scenario() =>
        Assert.Equal(
            Scenario.All.Select(scenario => $"{scenario.Name}.json").Order(StringComparer.Ordinal),
            Files.Select(row => row.Data).Where(file => Path.GetDirectoryName(file) is "")
        );
}
