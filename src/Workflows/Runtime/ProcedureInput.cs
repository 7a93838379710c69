using System.Text.Json.Serialization;
using Temporalio.Exceptions;

namespace PgFlow.Workflows.Runtime;

/// <summary>What every procedure takes: one flat JSON object in which only <c>cluster</c> is required.</summary>
public abstract record ProcedureInput
{
    /// <summary>The cluster.</summary>
    public ClusterName Cluster { get; init; }

    /// <summary>Only say what would be done.</summary>
    public bool DryRun { get; init; }

    /// <summary>Wait for the update <c>approve</c> before anything is done.</summary>
    public bool Approve { get; init; }

    /// <summary>How long it waits for that: 15 minutes where nothing is said.</summary>
    public int ApproveWithinSeconds { get; init; } = 15 * 60;

    /// <summary>Why, for the record.</summary>
    public string? Reason { get; init; }

    /// <summary>Who asks; the CLI fills it in.</summary>
    public string? By { get; init; }

    /// <summary>The workflow from which it takes the cluster: one that is blocked, or makes no progress.</summary>
    public string? TakeOver { get; init; }

    /// <summary>What was wrong with the JSON; never part of it.</summary>
    [JsonIgnore]
    public IReadOnlyList<InputProblem> Unreadable { get; init; } = [];

    /// <summary>Everything that is wrong with this input, each with its field and what is valid.</summary>
    public IReadOnlyList<InputProblem> Problems() =>
        Unreadable.Any(problem => problem.IsOfWhole) ? Unreadable : [.. Unreadable, .. Unfit()];

    private IEnumerable<InputProblem> Unfit() =>
        [
            .. Missing("cluster", Cluster == default, "give the cluster's name"),
            .. ApproveWithinSeconds is < 1 or > 7 * 24 * 60 * 60
                ? [new("approveWithinSeconds", $"{ApproveWithinSeconds} is not from 1 to a week")]
                : Array.Empty<InputProblem>(),
            .. ProblemsOf(By, Reason),
            .. Unfit("takeOver", TakeOver, 1000),
            .. Check(),
        ];

    /// <summary>What is wrong with who asks or decides, and why.</summary>
    internal static IEnumerable<InputProblem> ProblemsOf(string? by, string? reason) =>
        [.. Unfit("by", by, 200), .. Unfit("reason", reason, 2000, lines: true)];

    /// <summary>Refuses a person's decision for those.</summary>
    internal static void RequireFit(string? by, string? reason = null)
    {
        if (ProblemsOf(by, reason).ToList() is { Count: > 0 } problems)
        {
            throw new ApplicationFailureException(string.Join("; ", problems));
        }
    }

    /// <summary>What is wrong with values that can be read.</summary>
    protected virtual IEnumerable<InputProblem> Check() => [];

    /// <summary>A field that must be given; one that was given and can't be read is a problem already.</summary>
    private protected IEnumerable<InputProblem> Missing(string field, bool missing, string hint) =>
        missing && !IsUnreadable(field) ? [new(field, $"is missing; {hint}")] : [];

    private protected bool IsUnreadable(string field) => Unreadable.Any(problem => problem.Fields.Contains(field));

    /// <summary>A text that Temporal would not take as a search attribute or a summary, and then end the workflow or
    /// retry it for ever; or by which a terminal would show something else.</summary>
    private protected static IEnumerable<InputProblem> Unfit(string field, string? text, int most, bool lines = false)
    {
        if (text?.Length > most)
        {
            yield return new(field, $"has {text.Length} characters, more than {most}");
        }

        var plain = lines ? text?.Replace("\r\n", "", StringComparison.Ordinal) : text;
        if (plain?.Any(sign => char.IsControl(sign) && !(lines && sign is '\n' or '\t')) is true)
        {
            yield return new(field, "has a control character");
        }
    }
}
