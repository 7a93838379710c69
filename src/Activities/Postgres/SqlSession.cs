using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace PgFlow.Activities.Postgres;

/// <summary>A session of PgFlow's own on a node, whichever way it got in.</summary>
/// <param name="problem">What kept it from coming in as usual; null where nothing did.</param>
internal abstract class SqlSession(LoginProblem? problem) : IAsyncDisposable
{
    public LoginProblem? Problem => problem;

    /// <summary>The one value that a statement returns.</summary>
    public abstract Task<T> QueryScalarAsync<T>(string sql, params object[] parameters);

    /// <summary>The one value of a statement that changes something, by an activity that still may.</summary>
    public async Task<T> ChangeAsync<T>(string sql, params object[] parameters)
    {
        await Permit.RequireAsync();
        return await QueryScalarAsync<T>(sql, parameters);
    }

    /// <summary>Waits for the server to end it.</summary>
    /// <returns>The SQLSTATE that the server ended it with; null where it does not say.</returns>
    public virtual Task<string?> EndedWithAsync(TimeSpan limit) => Task.FromResult<string?>(null);

    public abstract ValueTask DisposeAsync();
}

/// <summary>Over the internal network.</summary>
internal sealed class NetworkSession(NpgsqlConnection connection, LoginProblem? problem) : SqlSession(problem)
{
    public override async Task<T> QueryScalarAsync<T>(string sql, params object[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new() { Value = parameter });
        }

        return await command.ExecuteScalarAsync(DockerEngine.ActivityToken) is T value ? value : default!;
    }

    public override async Task<string?> EndedWithAsync(TimeSpan limit)
    {
        try
        {
            while (await connection.WaitAsync(limit, DockerEngine.ActivityToken)) { }
        }
        catch (NpgsqlException e)
        {
            return e.SqlState;
        }
        catch (InvalidOperationException)
        {
            // its keepalive has met the end
        }

        return null;
    }

    public override ValueTask DisposeAsync() => connection.DisposeAsync();
}

/// <summary>
/// Through the node's own socket by peer, with the image's psql. As a walsender, which takes none of the connections
/// that clients and superusers share.
/// </summary>
/// <remarks>Each question is a session of its own; its psql may take <paramref name="psql"/> to start.</remarks>
internal sealed partial class SocketSession(
    DockerEngine docker,
    NodeContainer node,
    string role,
    string database,
    TimeSpan statement,
    TimeSpan psql,
    LoginProblem problem
) : SqlSession(problem)
{
    public override async Task<T> QueryScalarAsync<T>(string sql, params object[] parameters)
    {
        // A text without parameters may have a verifier in it, which has its own dollar signs.
        var text = await AskTextAsync(
            parameters.Length == 0
                ? sql
                : Parameter()
                    .Replace(
                        sql,
                        match => Literal(parameters[int.Parse(match.ValueSpan[1..], CultureInfo.InvariantCulture) - 1])
                    )
        );
        return text.Length > 0 || typeof(T) == typeof(string) ? Parse<T>(text) : default!;
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>A command of the replication protocol.</summary>
    public async Task<string[]> CommandAsync(string command) => (await AskTextAsync(command)).Split('|');

    /// <summary>A value as a literal that means the same whatever standard_conforming_strings says.</summary>
    internal static string Literal(object value)
    {
        var text = Convert.ToString(value, CultureInfo.InvariantCulture)!;
        var escaped = text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("'", @"\'", StringComparison.Ordinal);
        return $"E'{escaped}'::text";
    }

    /// <summary>What psql complains of: the server's SQLSTATE and text where it has them.</summary>
    internal static PostgresException? ErrorIn(string complaint) =>
        Error().Match(complaint) is { Success: true } error
            ? new(error.Groups["text"].Value.Trim(), "ERROR", "ERROR", error.Groups["state"].Value)
            : null;

    private async Task<string> AskTextAsync(string sql)
    {
        var postgres = node.Spec.Postgres;
        string[] command =
        [
            $"{postgres.Bin}/psql",
            "-XAtqw",
            "-v",
            "VERBOSITY=verbose",
            "-d",
            $"host=/var/run/postgresql port=5432 user={role} dbname={database} replication=database "
                + "connect_timeout=10 application_name=pgflow-worker",
            "-c",
            sql, // as one argument, which psql sends as it is: no shell and no variable reads it
        ];
        var end = await docker
            .Of(node.Id)
            .TryExecuteAsync(
                $"{postgres.Uid}:{postgres.Gid}",
                statement == Timeout.InfiniteTimeSpan ? statement : statement + psql,
                [$"PGOPTIONS={SessionSettings.Options(postgres, statement)}"],
                command
            );
        return end.ExitCode == 0
            ? end.Output.TrimEnd('\n')
            : throw (
                ErrorIn(end.Complaint)
                ?? (Exception)new IOException($"psql in {node.Id.Container} as {role}: {end.Complaint.Trim()}")
            );
    }

    private static T Parse<T>(string text) =>
        typeof(T) == typeof(bool)
            ? (T)(object)(text == "t")
            : (T)Convert.ChangeType(text, typeof(T), CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\$[0-9]+")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"^(psql: error: )?\w+: +(?<state>[0-9A-Z]{5}): (?<text>.*)$", RegexOptions.Multiline)]
    private static partial Regex Error();
}
