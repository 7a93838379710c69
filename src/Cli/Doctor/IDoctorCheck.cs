using Temporalio.Client;

namespace PgFlow.Cli.Doctor;

/// <summary>Something that <c>pgflow doctor</c> looks at; a new one is a file and a row in
/// <see cref="DoctorCommand"/>.</summary>
internal interface IDoctorCheck
{
    /// <summary>Looks, and says at least one thing.</summary>
    Task<IReadOnlyList<DoctorAnswer>> RunAsync(ITemporalClient client, CancellationToken cancel);
}

/// <summary>One thing that must be so.</summary>
/// <param name="What">The thing.</param>
/// <param name="Ok">Whether it is so.</param>
/// <param name="Found">What was found.</param>
/// <param name="Hint">The command that puts it right.</param>
internal sealed record DoctorAnswer(string What, bool Ok, string Found, string? Hint = null);
