using System.Text.Json.Serialization;

namespace PgFlow.Workflows.Observation;

/// <summary>PostgreSQL as it is in an image.</summary>
/// <param name="Major">The major version.</param>
/// <param name="Bin">The folder of its programs.</param>
/// <param name="Uid">The user <c>postgres</c>.</param>
/// <param name="Gid">That user's group.</param>
/// <param name="Minor">The minor version.</param>
/// <param name="ImageId">The image's ID.</param>
public sealed record PostgresInstallation(
    int Major,
    string Bin,
    int Uid,
    int Gid,
    int? Minor = null,
    string? ImageId = null
)
{
    /// <summary>The version, as 17.6; the major one alone where no more is known.</summary>
    [JsonIgnore]
    public string Version => Minor is { } minor ? FormattableString.Invariant($"{Major}.{minor}") : $"{Major}";
}
