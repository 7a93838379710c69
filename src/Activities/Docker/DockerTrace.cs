using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace PgFlow.Activities.Docker;

/// <summary>Calls of the daemon as spans, named as the client names them.</summary>
internal static partial class DockerTrace
{
    private static readonly ConcurrentDictionary<string, string> Names = new();

    /// <summary>Null as long as nobody listens.</summary>
    /// <param name="call">The code of the call.</param>
    public static Activity? Start(string call) =>
        ProcedureTrace.Source.HasListeners()
            ? ProcedureTrace.Source.StartActivity($"docker {Names.GetOrAdd(call, NameOf)}", ActivityKind.Client)
            : null;

    internal static string NameOf(string call) =>
        Call().Match(call) is { Success: true } found
            ? $"{found.Groups["group"].Value}.{found.Groups["method"].Value}"
            : "call";

    [GeneratedRegex(@"(?<group>\w+)\s*\.\s*(?<method>\w+?)(Async)?\(")]
    private static partial Regex Call();
}
