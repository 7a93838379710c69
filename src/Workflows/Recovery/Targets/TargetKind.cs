using System.Text.Json;

namespace PgFlow.Workflows.Recovery.Targets;

/// <summary>One kind of target: its field in an input, its name between workflow and activity, and how both are
/// read.</summary>
/// <param name="Field">The field of <see cref="TargetInput"/>, as JSON has it.</param>
/// <param name="Name">The name of its value in the JSON of a <see cref="RecoveryTarget"/>.</param>
/// <param name="Given">What was given for it in an input; null for nothing.</param>
/// <param name="Parse">Reads that, or adds what is wrong with it.</param>
/// <param name="Read">Reads the value of that name; null where it stands for nothing.</param>
internal sealed record TargetKind(
    string Field,
    string Name,
    Func<TargetInput, string?> Given,
    Func<string, List<InputProblem>, RecoveryTarget?> Parse,
    Func<JsonElement, RecoveryTarget?> Read
)
{
    private const int LongestName = 63; // MAXFNAMELEN - 1 in access/xlog_internal.h

    /// <summary>All that there are: input, command line, JSON and docs are made of this list.</summary>
    public static IReadOnlyList<TargetKind> All { get; } =
    [
        TimeTarget.Description,
        PointTarget.Description,
        LsnTarget.Description,
        XidTarget.Description,
        BackupTarget.Description,
        LatestTarget.Description,
    ];

    /// <summary>The fields of an input that name a target.</summary>
    public static IReadOnlyList<string> Fields { get; } = [.. All.Select(kind => kind.Field)];

    /// <summary>A name that PostgreSQL, or PgFlow, can have given.</summary>
    public static void CheckName(string field, string text, string what, List<InputProblem> problems)
    {
        if (string.IsNullOrWhiteSpace(text) || text.Length > LongestName)
        {
            problems.Add(new(field, $"'{text}' is not {what}; give one of 1 to {LongestName} characters"));
        }
    }
}
