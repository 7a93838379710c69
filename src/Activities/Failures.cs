using System.Net.Sockets;
using System.Text.Json;
using Docker.DotNet;
using Npgsql;
using Temporalio.Exceptions;

namespace PgFlow.Activities;

/// <summary>Says, in one place, what an activity's failure is: whether it is tried again, and in words that are never
/// empty.</summary>
/// <remarks>
/// What may pass by itself (a daemon or a server that is away or busy) is tried again until the activity's time is
/// over. Everything else is an operation that
/// failed: the same again and again is no progress, so it is tried a few times only, and then undone, or blocked with
/// what it last said.
/// </remarks>
internal static class Failures
{
    /// <param name="failure">What an attempt threw.</param>
    /// <param name="attempt">The how manieth attempt it was, without those that failed for what passes.</param>
    /// <param name="attempts">How often an operation that fails is tried.</param>
    public static ApplicationFailureException Of(Exception failure, int attempt, int attempts)
    {
        var final = failure is PgFlowException { IsFinal: true } || (attempt >= attempts && !MayPass(failure));
        var tried = final && attempt > 1 ? $" (tried {attempt} times)" : "";
        var type = (failure as PgFlowException)?.Type ?? FailureTypes.Failed;
        return new(
            Words(failure) + tried,
            failure,
            type,
            nonRetryable: final,
            details: TemporalFailures.DetailsOf(failure),
            nextRetryDelay: MayPass(failure) ? null : Backoff(attempt)
        );
    }

    /// <summary>0.1 s, 0.4 s, 1.6 s, 6.4 s: clients may be waiting, and a node that starts again needs
    /// seconds.</summary>
    private static TimeSpan Backoff(int attempt) => TimeSpan.FromSeconds(0.1 * Math.Pow(4, Math.Min(attempt, 4) - 1));

    /// <summary>What is away or busy now may be there later.</summary>
    public static bool MayPass(Exception failure) =>
        failure switch
        {
            LoginException login => login.Problem.Kind
                is LoginProblemKind.NoAnswer
                    or LoginProblemKind.NotNow
                    or LoginProblemKind.ConnectionsUsedUp,
            NpgsqlException sql => sql.IsTransient,
            _ => failure
                is DockerTimeoutException
                    or UndeliveredException
                    or HttpRequestException
                    or SocketException
                    or IOException
                    or RpcException,
        };

    /// <summary>What it is in words that are never empty.</summary>
    public static string Words(Exception failure) =>
        failure switch
        {
            DockerApiException docker => $"Docker: {MessageOf(docker)}",
            _ when string.IsNullOrWhiteSpace(failure.Message) => failure.GetType().Name,
            _ => Failure.Said(failure.Message),
        };

    /// <summary>What Docker said, without its JSON.</summary>
    public static string MessageOf(DockerApiException docker)
    {
        try
        {
            return JsonDocument.Parse(docker.ResponseBody ?? "").RootElement.GetProperty("message").GetString()
                ?? docker.Message;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return docker.Message;
        }
    }
}
