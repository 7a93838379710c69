using System.Security.Cryptography;
using System.Text.Json;

namespace PgFlow.Workflows.Runtime;

/// <summary>What a procedure will do, decided by a pure function of its input and of what was observed.</summary>
internal abstract record Plan
{
    /// <summary>What it comes to, in one sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>What it rests on.</summary>
    public IReadOnlyList<string> Facts { get; init; } = [];

    /// <summary>What a person should weigh.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The cluster is already as it was asked to be; <see cref="Summary"/> says so.</summary>
    public bool NothingToDo { get; init; }

    /// <summary>What was decided, as data. After an approval a plan with another one is refused, so nothing that
    /// changes by itself belongs here.</summary>
    internal abstract object Decision { get; }

    internal PlanView View(IReadOnlyList<PlannedStep> steps)
    {
        var decided = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                Plan = GetType().Name,
                Decision,
                Steps = steps.Select(step => step.Id),
            },
            PgFlowJson.Options
        );
        return new(Summary, Facts, Warnings, steps, Convert.ToHexStringLower(SHA256.HashData(decided))[..12]);
    }
}
