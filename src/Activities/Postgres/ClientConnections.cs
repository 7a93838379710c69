using System.Diagnostics;
using System.Text;
using Docker.DotNet;

namespace PgFlow.Activities.Postgres;

/// <summary>Closes what a node's clients have open, while it still has the address that they came to: a connection
/// whose address is taken away under it waits for ever.</summary>
internal sealed class ClientConnections(DockerEngine docker, Inventory inventory, Sql sql, TimeLimits limits)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5);

    /// <summary>How long sessions have to end by themselves, after they were told to.</summary>
    private static readonly TimeSpan Courtesy = TimeSpan.FromMilliseconds(100);

    /// <summary>Has a running node refuse clients until <see cref="AdmitAsync"/>, and ends their sessions.</summary>
    /// <returns>Whether no connection is open but over the internal network.</returns>
    /// <remarks>By the kernel's table of sockets: one that has not logged in yet is in no view, and process titles hold
    /// what users chose.</remarks>
    public async Task<bool> CloseAsync(NodeContainer node)
    {
        await using var connection = await ChangeHbaAsync(node, file => Hba.Refusing(file, node.Spec));
        var quiet = 0; // looks: the kernel's table may leave one out while it changes
        for (var clock = Stopwatch.StartNew(); ; await Task.Delay(Poll, DockerEngine.ActivityToken))
        {
            var ended = await connection.ChangeAsync<long>(
                """
                SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE pid <> pg_backend_pid() AND client_addr IS NOT NULL AND NOT client_addr <<= $1::inet
                """,
                node.Spec.Subnet
            );
            var open = (await OpenAsync(node, connection)).Count;
            quiet = ended == 0 && open == 0 ? quiet + 1 : 0;
            if (quiet == 2 || clock.Elapsed > limits.Close)
            {
                return quiet == 2;
            }

            if (quiet > 0)
            {
                continue;
            }

            ProgressReporter.Say($"{node.Id}: {PgFlowText.Count(open, "connection")} of clients still open");

            if (clock.Elapsed > Courtesy)
            {
                await docker
                    .Of(node.Id)
                    .ChangeByAsync(
                        $"{node.Spec.Postgres.Uid}:{node.Spec.Postgres.Gid}",
                        limits.Docker,
                        [$"INTERNAL={SocketTable.Render(node.Address)}"],
                        ["/bin/sh", "-c", Embedded.Read("end-connections")]
                    );
            }
        }
    }

    /// <summary>An address that was taken from a running node while somebody connected to it, who waits for an answer
    /// from there since; null where nobody does.</summary>
    public async Task<string?> CutOffAtAsync(NodeContainer node)
    {
        try
        {
            await using var connection = await sql.OpenAsync(node);
            var open = await OpenAsync(node, connection);
            if (open.Count == 0)
            {
                await Task.Delay(Poll, DockerEngine.ActivityToken);
                open = await OpenAsync(node, connection);
            }

            var held = open.Count == 0 ? [] : (await inventory.NodeAsync(node.Id)).Networks.Values;
            return open.Except(held.Select(network => network.IPAddress)).FirstOrDefault();
        }
        catch (Exception e) when (Sql.IsUnavailable(e) && !DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return null; // it is starting or ending: nobody is logged in
        }
    }

    /// <summary>Post-condition: a node that has lost an address under its clients has it again, to close what they have
    /// open: they wait for an answer from there, also after the process has ended that would give it.</summary>
    /// <remarks>Taking it away takes Docker 100 ms, in which somebody may connect; or somebody did it by
    /// hand.</remarks>
    public async Task GiveBackAsync(NodeContainer node)
    {
        if (
            await CutOffAtAsync(node) is { } address
            && (await inventory.NodeAsync(node.Id)).Endpoint is EndpointRole.None
        )
        {
            try
            {
                await docker.Of(node.Id).ConnectAsync(node.Spec.ExternalNetwork, address);
            }
            catch (DockerApiException)
            {
                // Somebody else has it by now, and answers its clients that it knows nothing of their connections.
            }
        }
    }

    private static async Task<IReadOnlyList<string>> OpenAsync(NodeContainer node, SqlSession connection) =>
        SocketTable.OpenBeside(
            node.Address,
            await connection.QueryScalarAsync<string>("SELECT pg_read_file('/proc/net/tcp')")
        );

    /// <summary>Post-condition: clients may log in to the node, if it runs, and when it runs.</summary>
    public async Task AdmitAsync(NodeContainer node)
    {
        if (!node.State.Running)
        {
            var there = Encoding.UTF8.GetString(await docker.Of(node.Id).ReadFileAsync(SettingsFile.HbaPath) ?? []);
            if (Hba.Admitting(there) is var wanted && wanted != there)
            {
                await docker
                    .Of(node.Id)
                    .WriteFilesAsync(ContainerFile.Private(SettingsFile.HbaPath, wanted, node.Spec.Postgres));
            }

            node = await inventory.NodeAsync(node.Id); // another activity may have started it meanwhile
        }

        if (node.State.Running)
        {
            await using var connection = await ChangeHbaAsync(node, Hba.Admitting);
        }
    }

    /// <summary>Changes the file through the server: Docker's archive call takes 50 ms, and keeps the container's
    /// networks waiting.</summary>
    /// <returns>A session that proves that the server has read it.</returns>
    private async Task<SqlSession> ChangeHbaAsync(NodeContainer node, Func<string, string> change)
    {
        string before;
        await using (var connection = await sql.OpenAsync(node))
        {
            // As bytes: users' lines may be in any encoding.
            var there = Encoding.Latin1.GetString(
                Convert.FromBase64String(
                    await connection.QueryScalarAsync<string>(
                        "SELECT encode(pg_read_binary_file($1), 'base64')",
                        SettingsFile.HbaPath
                    )
                )
            );
            var wanted = change(there);
            if (there != wanted)
            {
                await connection.ChangeAsync<string>(Hba.Writing(Encoding.Latin1.GetBytes(wanted)));
            }

            before = await connection.QueryScalarAsync<string>("SELECT clock_timestamp()::text");
            // also where the file is as it should be: an earlier attempt may have ended before this
            await connection.ChangeAsync<bool>("SELECT pg_reload_conf()");
        }

        for (
            var clock = Stopwatch.StartNew();
            clock.Elapsed < limits.Reload;
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            // a new one: the postmaster has read its files before it accepts it
            var connection = await sql.OpenAsync(node);
            var isRead = false;
            try
            {
                isRead = await HasReadAsync(node, connection, before);
                if (isRead)
                {
                    return connection;
                }
            }
            finally
            {
                await (isRead ? ValueTask.CompletedTask : connection.DisposeAsync());
            }
        }

        throw Failure.Fail($"{node.Id} has not read its configuration again within {limits.Reload.TotalSeconds:0} s");
    }

    private static async Task<bool> HasReadAsync(NodeContainer node, SqlSession connection, string since)
    {
        if (!await connection.QueryScalarAsync<bool>("SELECT pg_conf_load_time() >= $1::timestamptz", since))
        {
            return false;
        }

        var wrong = await connection.QueryScalarAsync<string>(
            "SELECT coalesce(string_agg('line ' || line_number || ': ' || error, '; '), '') FROM "
                + "pg_hba_file_rules WHERE error IS NOT NULL"
        );
        return wrong.Length == 0 ? true : throw Failure.Fail($"{node.Id} can't use {SettingsFile.HbaPath}: {wrong}");
    }
}

/// <summary>The kernel's table of TCP sockets, <c>/proc/net/tcp</c>.</summary>
internal static class SocketTable
{
    private const string Loopback = "0100007F";

    // A socket that has sent its FIN and had it acknowledged, or that the client closed itself, leaves nobody waiting.
    private static readonly string[] Open = ["01", "03", "04"]; // established, SYN received, FIN sent

    /// <summary>To which addresses the connections to PostgreSQL's port came that are open, but for this one.</summary>
    public static IReadOnlyList<string> OpenBeside(string address, string table) =>
        [
            .. table
                .Split('\n')
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(socket =>
                    socket is [_, var local, _, var state, ..]
                    && Open.Contains(state)
                    && local.EndsWith(":1538", StringComparison.Ordinal)
                    && local != $"{Render(address)}:1538"
                    && local != $"{Loopback}:1538"
                )
                .Select(socket => Parse(socket[1].Split(':')[0])),
        ];

    /// <summary>An address as the table has it.</summary>
    public static string Render(string address) =>
        Convert.ToHexString([.. System.Net.IPAddress.Parse(address).GetAddressBytes().Reverse()]);

    private static string Parse(string rendered) =>
        new System.Net.IPAddress([.. Convert.FromHexString(rendered).Reverse()]).ToString();
}
