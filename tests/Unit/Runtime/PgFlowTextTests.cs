using System.Text.Json;
using System.Text.RegularExpressions;

namespace PgFlow.UnitTests.Runtime;

public sealed class PgFlowTextTests
{
    [Theory]
    [InlineData(0, "0 bytes")]
    [InlineData(9_999, "9999 bytes")]
    [InlineData(10_240, "10 kB")]
    [InlineData(16 * 1024 * 1024, "16 MB")]
    public void Bytes_in_the_unit_that_fits(long bytes, string text) => Assert.Equal(text, PgFlowText.Bytes(bytes));

    [Theory]
    [InlineData(0.4, "0 s")]
    [InlineData(119, "119 s")]
    [InlineData(720, "12 min")]
    [InlineData(7200, "2 h")]
    [InlineData(259_200, "3 days")]
    public void Durations_in_the_unit_that_fits(double seconds, string text) =>
        Assert.Equal(text, PgFlowText.Duration(seconds));

    [Fact]
    public void Every_outcome_has_a_sentence() =>
        Assert.Equal(
            Enum.GetValues<ProcedureStatus>().Length,
            Enum.GetValues<ProcedureStatus>()
                .Select(outcome => PgFlowText.Sentence(outcome, "a step"))
                .Distinct()
                .Count()
        );

    [Theory]
    [InlineData(
        ProcedureStatus.WaitingForApproval,
        "It waits until 1970-01-01T00:15:00Z for the update `approve` with "
    )]
    [InlineData(ProcedureStatus.Inspecting, "It waits for the update `approve` with ")]
    public void A_procedure_that_waits_has_in_Markdown_what_to_paste(ProcedureStatus status, string beginning)
    {
        DateTimeOffset? until =
            status is ProcedureStatus.WaitingForApproval ? DateTimeOffset.UnixEpoch.AddMinutes(15) : null;
        var text = PgFlowText.Markdown(Cli.Samples.Progress(status) with { Until = until });
        var line = Assert.Single(text.Split('\n'), line => line.Contains("`approve`", StringComparison.Ordinal));
        Assert.StartsWith($"- {beginning}", line, StringComparison.Ordinal);
        var pasted = Regex.Matches(line, "`({[^`]*})`").Select(found => found.Groups[1].Value).ToList();
        Assert.Equal(
            new Approval("abc", "your name"),
            JsonSerializer.Deserialize<Approval>(pasted[0], PgFlowJson.Options)
        );
        Assert.Equal(
            new Rejection("your name", "why"),
            JsonSerializer.Deserialize<Rejection>(pasted[^1], PgFlowJson.Options)
        );
    }

    [Fact]
    public void Markdown_is_a_table_that_no_text_can_break()
    {
        var progress = new ProcedureProgress(
            "Switchover",
            ClusterName.Parse("demo"),
            ProcedureStatus.Blocked,
            "blocked: two",
            new(
                "the plan",
                ["a fact"],
                [new(FindingCode.Irreversible, Hint: Hint.Run("afterwards", "Failback", ClusterName.Parse("demo")))],
                [new("1", "one"), new("2", "two"), new("3", "three")],
                "abc"
            ),
            [
                new(1, "1", "one", StepState.Done, Milliseconds: 12),
                new(2, "2", "two", StepState.Blocked, Error: "a|b\nc"),
            ],
            [
                new(
                    2,
                    "two",
                    "a|b\nc",
                    [
                        Hint.Repair(ClusterName.Parse("demo")),
                        Hint.Resolve("fix it, then", "s-1", ResolveAction.Retry, step: 2),
                        Hint.On("end it", "s-1", WorkflowAction.Cancel),
                        new("ask somebody"),
                    ],
                    CanSkip: true
                ),
            ],
            ["a note"]
        );

        Assert.Equal(
            """
            **blocked: two**

            the plan

            - ⚠ nothing brings it back; afterwards: Failback `{"cluster":"demo"}`

            - a fact

            - Step 2 waits for a person: put it right: RepairCluster `{"cluster":"demo"}`; fix it, then: resolve `{"action":"retry","step":2}` (s-1); end it: cancel (s-1); ask somebody

            - a note

            | | step | took |
            |---|---|---|
            | ✓ | 1. one | 12 ms |
            | ‼ | 2. two<br>a\|b c |  |
            | · | three | |

            """,
            PgFlowText.Markdown(progress)
        );
    }
}
