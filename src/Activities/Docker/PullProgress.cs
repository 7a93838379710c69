using System.Net;
using System.Text.RegularExpressions;
using Docker.DotNet.Models;

namespace PgFlow.Activities.Docker;

/// <summary>How a pull goes on, and what ended it: Docker says that in its answer, or behind an OK in the
/// stream.</summary>
internal sealed partial class PullProgress : IProgress<JSONMessage>
{
    /// <summary>What Docker said in the stream when the pull failed; null where it did not.</summary>
    public string? Error { get; private set; }

    public void Report(JSONMessage value)
    {
        ProgressReporter.Say(value.Status ?? "");
        Error ??= value.Error?.Message;
    }

    /// <summary>A registry that has no such image, or does not show it, is a precondition; one that is away or busy may
    /// be there later.</summary>
    public static PgFlowException FailureOf(string image, HttpStatusCode status, string said) =>
        IsFinal(status, said)
            ? Failure.Refuse(
                $"image: there is no {image} here, and its registry does not give it: {said}; check the name, "
                    + "or pull or build it on the Docker host (docker login, if it is private)"
            )
            : Failure.Fail(
                $"image: there is no {image} here, and it can't be pulled: {said}; run it again when the registry "
                    + "answers, or load the image on the Docker host"
            );

    private static bool IsFinal(HttpStatusCode status, string said) =>
        status
            is HttpStatusCode.BadRequest
                or HttpStatusCode.Unauthorized
                or HttpStatusCode.Forbidden
                or HttpStatusCode.NotFound
        || Final().IsMatch(said);

    /// <summary>The registry's own answers, which some daemons pass on as their own error (500) or in the
    /// stream.</summary>
    [GeneratedRegex(
        "manifest unknown|manifest for .* not found|no matching manifest|name unknown|pull access denied"
            + "|(^|: )denied\\b|unauthorized|authentication required|authorization failed|no basic auth credentials"
            + "|invalid reference format|: not found$",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase
    )]
    private static partial Regex Final();
}
