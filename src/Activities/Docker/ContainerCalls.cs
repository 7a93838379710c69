using System.Net;
using System.Text;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace PgFlow.Activities.Docker;

/// <summary>What PgFlow does to single containers, each call safe to repeat.</summary>
internal static class ContainerCalls
{
    /// <summary>PostgreSQL's fast stop; Docker's own ends in SIGKILL.</summary>
    public const string FastStop = "SIGINT";

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    /// <summary>The ID of the image that has this name now; null where none has.</summary>
    public static async Task<string?> ImageIdAsync(this DockerEngine docker, string image) =>
        (await docker.FindAsync((client, token) => client.Images.InspectImageAsync(image, token)))?.ID;

    /// <summary>What Docker says of it; null where there is none.</summary>
    public static Task<ContainerInspectResponse?> InspectAsync(this ContainerRef container) =>
        container.Docker.FindAsync((client, token) => client.Containers.InspectContainerAsync(container.Name, token));

    public static Task SetRestartPolicyAsync(this ContainerRef container, RestartPolicyKind policy) =>
        container.Docker.ChangeAsync(
            (client, token) =>
                client.Containers.UpdateContainerAsync(
                    container.Name,
                    new() { RestartPolicy = new() { Name = policy } },
                    token
                )
        );

    /// <summary>PostgreSQL's fast stop of a container's server.</summary>
    /// <returns>Whether it has ended within <paramref name="limit"/>.</returns>
    public static async Task<bool> StopFastAsync(this ContainerRef container, TimeSpan limit)
    {
        await container.SignalAsync(FastStop);
        return await container.EndedAsync(limit);
    }

    /// <summary>Sends a signal; a container that has ended already is no error.</summary>
    public static async Task SignalAsync(this ContainerRef container, string signal)
    {
        try
        {
            await container.Docker.ChangeAsync(
                (client, token) =>
                    client.Containers.KillContainerAsync(container.Name, new() { Signal = signal }, token)
            );
        }
        catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.NotFound)
        {
            // not running: the caller proves the end
        }
    }

    /// <returns>Whether it ended within <paramref name="limit"/>.</returns>
    /// <remarks>By polling: an abandoned wait call stays open in the daemon until the container ends.</remarks>
    public static async Task<bool> EndedAsync(this ContainerRef container, TimeSpan limit)
    {
        for (var until = DateTime.UtcNow + limit; ; await Task.Delay(Poll, DockerEngine.ActivityToken))
        {
            var found = await container.InspectAsync();
            if (found is null or { State.Running: false, State.Restarting: false })
            {
                return true;
            }

            if (DateTime.UtcNow >= until)
            {
                return false;
            }
        }
    }

    /// <summary>Whether nothing runs in a container any more but its init, so that all its sockets are closed. Docker
    /// itself says so 100 ms later.</summary>
    /// <remarks>By descent: titles hold what users chose.</remarks>
    public static async Task<bool> IsEmptyAsync(this ContainerRef container)
    {
        try
        {
            var listed = await container.Docker.FindAsync(
                (client, token) =>
                    client.Containers.ListProcessesAsync(container.Name, new() { PsArgs = "-eo pid,ppid,stat" }, token)
            );
            var processes = listed?.Processes ?? []; // none where the last has just ended
            var all = processes.Select(process => process[0]).ToHashSet();
            return !processes.Any(process => all.Contains(process[1]) && process[2][0] is not ('Z' or 'X'));
        }
        catch (DockerApiException)
        {
            return await container.EndedAsync(TimeSpan.Zero); // one that ends just now can't be asked
        }
    }

    public static Task StartAsync(this ContainerRef container) =>
        container.Docker.ChangeAsync(
            (client, token) => client.Containers.StartContainerAsync(container.Name, new(), token)
        );

    /// <summary>Removes a container with its anonymous volumes, running or not.</summary>
    public static async Task RemoveAsync(this ContainerRef container)
    {
        try
        {
            await container.Docker.ChangeAsync(
                (client, token) =>
                    client.Containers.RemoveContainerAsync(
                        container.Name,
                        new() { Force = true, RemoveVolumes = true },
                        token
                    )
            );
        }
        catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
            // gone, or being removed by somebody else
        }
    }

    /// <summary>Connects a container under a fixed address, or one that Docker chooses; one that is connected already
    /// is no error.</summary>
    public static async Task ConnectAsync(
        this ContainerRef container,
        string network,
        string? address = null,
        string? alias = null
    )
    {
        try
        {
            await container.Docker.ChangeAsync(
                (client, token) =>
                    client.Networks.ConnectNetworkAsync(
                        network,
                        new()
                        {
                            Container = container.Name,
                            EndpointConfig = new EndpointSettings
                            {
                                Aliases = alias is null ? [] : [alias],
                                IPAMConfig = address is null ? null : new() { IPv4Address = address },
                            },
                        },
                        token
                    )
            );
        }
        catch (DockerApiException e)
            when (Failures.MessageOf(e).Contains("already exists in network", StringComparison.Ordinal))
        {
            // by an earlier attempt
        }
    }

    /// <summary>Disconnects a container; one that is not connected is no error.</summary>
    public static async Task DisconnectAsync(this ContainerRef container, string network)
    {
        try
        {
            await container.Docker.ChangeAsync(
                (client, token) =>
                    client.Networks.DisconnectNetworkAsync(
                        network,
                        new() { Container = container.Name, Force = true },
                        token
                    )
            );
        }
        catch (DockerApiException e)
            when (e.StatusCode is HttpStatusCode.NotFound
                || Failures.MessageOf(e).Contains("is not connected", StringComparison.Ordinal)
            )
        {
            // by an earlier attempt
        }
    }

    /// <summary>What the processes of a container are called; none where it does not run.</summary>
    public static async Task<IReadOnlyList<string>> ProcessesAsync(this ContainerRef container)
    {
        try
        {
            var found = await container.Docker.CallAsync(
                (client, token) => client.Containers.ListProcessesAsync(container.Name, new(), token)
            );
            return [.. (found.Processes ?? []).Select(process => process[^1])];
        }
        catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.NotFound)
        {
            return [];
        }
    }

    /// <summary>The last lines that a container printed.</summary>
    public static async Task<string> LogAsync(this ContainerRef container, int lines)
    {
        var (stdout, stderr) = await container.Docker.CallAsync(
            async (client, token) =>
            {
                using var log = await client.Containers.GetContainerLogsAsync(
                    container.Name,
                    new()
                    {
                        ShowStdout = true,
                        ShowStderr = true,
                        Tail = lines.ToString(System.Globalization.CultureInfo.InvariantCulture),
                    },
                    token
                );
                return await log.ReadOutputToEndAsync(token);
            }
        );
        return (stdout + stderr).Trim();
    }

    /// <summary>What a program prints, in pieces of <paramref name="size"/> bytes, each valid until the next; a shorter
    /// rest is left out.</summary>
    /// <remarks>Waits for at most <paramref name="limit"/> for each.</remarks>
    /// <exception cref="IOException">It ended with another code than 0; the message has what it complained
    /// of.</exception>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> StreamAsync(
        this ContainerRef container,
        string user,
        string[] command,
        int size,
        TimeSpan limit
    )
    {
        var created = await container.Docker.CallAsync(
            (client, token) =>
                client.Exec.CreateContainerExecAsync(
                    container.Name,
                    new()
                    {
                        Cmd = command,
                        User = user,
                        AttachStdout = true,
                        AttachStderr = true,
                    },
                    token
                )
        );
        using var stream = await container.Docker.CallAsync(
            (client, token) => client.Exec.StartContainerExecAsync(created.ID, new(), token)
        );
        var (buffer, filled, complaint) = (new byte[64 * size], 0, "");
        while (
            await container.Docker.CallAsync(
                (_, token) => stream.ReadOutputAsync(buffer, filled, buffer.Length - filled, token),
                limit
            )
                is { EOF: false } read
        )
        {
            if (read.Target is MultiplexedStream.TargetStream.StandardError)
            {
                complaint += Encoding.UTF8.GetString(buffer, filled, read.Count);
                continue;
            }

            filled += read.Count;
            var at = 0;
            for (; at + size <= filled; at += size)
            {
                yield return buffer.AsMemory(at, size);
            }

            buffer.AsSpan(at, filled - at).CopyTo(buffer);
            filled -= at;
        }

        var code = await container.Docker.CallAsync((client, token) => client.ExitCodeAsync(created.ID, token));
        if (code != 0)
        {
            throw new IOException($"a program in {container.Name} ended with {code}: {complaint.Trim()}");
        }
    }
}
