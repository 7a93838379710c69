using System.Net;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace PgFlow.Activities.Docker;

/// <summary>Programs in a running container.</summary>
internal static class ExecCalls
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    /// <summary>Title and processor time of the first PostgreSQL process of a container whose title has
    /// <paramref name="word"/>: what changes while it works.</summary>
    /// <remarks>By the host's ps: it says the same in every language, and needs nothing in the image.</remarks>
    public static async Task<string> ProcessAsync(this ContainerRef container, string word)
    {
        try
        {
            var table = await container.Docker.CallAsync(
                (client, token) =>
                    client.Containers.ListProcessesAsync(container.Name, new() { PsArgs = "-eo pid,time,args" }, token)
            );
            return string.Join(
                ' ',
                (table.Processes ?? []).FirstOrDefault(row =>
                    row[^1].StartsWith("postgres:", StringComparison.Ordinal)
                    && row[^1].Contains(word, StringComparison.Ordinal)
                ) ?? []
            );
        }
        catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.NotFound)
        {
            return ""; // it has ended
        }
    }

    /// <summary>Runs a short program that changes something in a running container, by an activity that still
    /// may.</summary>
    /// <inheritdoc cref="ExecuteAsync"/>
    public static async Task<string> ChangeByAsync(
        this ContainerRef container,
        string user,
        TimeSpan limit,
        IReadOnlyList<string> parameters,
        string[] command
    )
    {
        await Permit.RequireAsync();
        return await container.ExecuteAsync(user, limit, parameters, command);
    }

    /// <summary>Runs a short program in a running container; its parameters are its environment, as
    /// <c>NAME=value</c>.</summary>
    /// <exception cref="PgFlowException">It ended with another code than 0; the
    /// message has its output.</exception>
    public static async Task<string> ExecuteAsync(
        this ContainerRef container,
        string user,
        TimeSpan limit,
        IReadOnlyList<string> parameters,
        string[] command
    )
    {
        var end = await container.TryExecuteAsync(user, limit, parameters, command);
        return end.ExitCode == 0
            ? end.Output
            : throw Failure.Fail(
                $"{command[0]} in {container.Name} ended with {end.ExitCode}: {(end.Output + end.Complaint).Trim()}"
            );
    }

    /// <summary>The same, and says how it ended.</summary>
    public static Task<ExecEnd> TryExecuteAsync(
        this ContainerRef container,
        string user,
        TimeSpan limit,
        IReadOnlyList<string> parameters,
        string[] command
    ) =>
        container.Docker.CallAsync(
            async (client, token) =>
            {
                var created = await client.Exec.CreateContainerExecAsync(
                    container.Name,
                    new()
                    {
                        Cmd = command,
                        User = user,
                        Env = [.. parameters],
                        AttachStdout = true,
                        AttachStderr = true,
                    },
                    token
                );
                using var stream = await client.Exec.StartContainerExecAsync(created.ID, new(), token);
                var (stdout, stderr) = await stream.ReadOutputToEndAsync(token);
                return new ExecEnd(await client.ExitCodeAsync(created.ID, token), stdout, stderr);
            },
            limit
        );

    /// <summary>How a program ended; Docker knows it a moment after the end of its output.</summary>
    public static async Task<long> ExitCodeAsync(this IDockerClient client, string exec, CancellationToken token)
    {
        ContainerExecInspectResponse ended;
        while ((ended = await client.Exec.InspectContainerExecAsync(exec, token)).Running)
        {
            await Task.Delay(Poll, token);
        }

        return ended.ExitCode ?? -1;
    }
}

/// <summary>How a program in a container ended.</summary>
/// <param name="ExitCode">Its code.</param>
/// <param name="Output">What it printed.</param>
/// <param name="Complaint">What it printed to its standard error.</param>
internal sealed record ExecEnd(long ExitCode, string Output, string Complaint);
