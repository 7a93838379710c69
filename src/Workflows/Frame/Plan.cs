using System.Security.Cryptography;
using System.Text;

namespace PgFlow.Workflows;

/// <summary>What a procedure will do, decided by a pure function of its input and of what was observed.</summary>
internal abstract record Plan
{
    /// <summary>What it comes to, in one sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>What it rests on. After an approval a plan with other facts is refused, so nothing that changes by itself belongs here.</summary>
    public IReadOnlyList<string> Facts { get; init; } = [];

    /// <summary>What a person should weigh.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The cluster is already as it was asked to be; <see cref="Summary"/> says so.</summary>
    public bool NothingToDo { get; init; }

    internal PlanView View(IReadOnlyList<string> steps)
    {
        var text = string.Join('\n', [Summary, .. Facts, .. steps]);
        return new(Summary, Facts, Warnings, steps, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..12]);
    }
}
