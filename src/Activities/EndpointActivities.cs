using System.Diagnostics;
using Temporalio.Activities;

namespace PgFlow.Activities;

internal sealed class EndpointActivities(
    DockerEngine docker,
    Inventory inventory,
    NodeLife life,
    NodeEnd ends,
    ClientConnections clients,
    JobRunner jobs,
    Sql sql,
    Secrets secrets,
    Roles roles,
    TimeLimits limits
) : IEndpointActivities
{
    /// <summary>What the cluster's own files say; what users set for roles and databases is theirs.</summary>
    private const string SynchronousCommit = """
        SELECT coalesce((
            SELECT setting FROM pg_file_settings WHERE lower(name) = 'synchronous_commit' AND error IS NULL
            ORDER BY seqno DESC LIMIT 1), 'on')
        """;

    /// <summary>Why a commit may have waited.</summary>
    private const string WaitedFor = """
        SELECT format('synchronous_standby_names is ''%s'', streaming: %s',
            current_setting('synchronous_standby_names'), coalesce((
                SELECT string_agg(application_name, ', ') FROM pg_stat_replication WHERE state = 'streaming'), 'none'))
        """;

    /// <summary>Committed as the cluster is meant to.</summary>
    private const string Commit = "SELECT pg_logical_emit_message(true, 'pgflow', 'endpoint')";

    /// <summary>Who says for itself whether its transactions may write.</summary>
    private const string OwnReadOnly = """
        SELECT coalesce(json_agg(
            concat_ws(' in ', 'role ' || rolname, 'database ' || datname) ORDER BY rolname, datname), '[]')::text
        FROM pg_db_role_setting
            LEFT JOIN pg_roles AS role ON role.oid = setrole
            LEFT JOIN pg_database AS database ON database.oid = setdatabase
        WHERE EXISTS (
            SELECT FROM unnest(setconfig) AS setting
            WHERE CASE WHEN lower(split_part(setting, '=', 1)) = 'default_transaction_read_only'
                THEN split_part(setting, '=', 2)::boolean <> $1 ELSE false END)
        """;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    /// <summary>How often a node gives its address up while it runs.</summary>
    private const int MostTries = 3;

    public async Task ReleaseVirtualIpAsync(NodeId node, bool hasShutDown)
    {
        if (hasShutDown)
        {
            if (await inventory.NetworkOfVirtualIpAsync(node) is { } network)
            {
                await ends.KillAsync(node);
                await docker.Of(node).DisconnectAsync(network);
            }
        }
        else if (await inventory.FindAsync(node) is { } container && IsOnOrRepeated(container, EndpointRole.ReadWrite))
        {
            await FreeAsync(container, EndpointRole.ReadWrite);
        }
    }

    public async Task TakeVirtualIpAsync(NodeId node)
    {
        var looking = inventory.NodeAsync(node);
        await Task.WhenAll(looking, Permit.RequireAsync()); // side by side: clients are waiting
        var winner = await looking;
        if (winner.Endpoint is EndpointRole.ReadWrite)
        {
            await clients.AdmitAsync(winner); // an earlier attempt may have ended before that
            return;
        }

        if (IsOnOrRepeated(winner, EndpointRole.ReadOnly))
        {
            await FreeAsync(winner, EndpointRole.ReadOnly);
        }

        await Task.WhenAll(
            clients.AdmitAsync(winner),
            docker
                .Of(node)
                .ConnectAsync(winner.Spec.ExternalNetwork, winner.Spec.Vip, Names.Alias(node.Cluster, readOnly: false))
        );
        if ((await inventory.NodeAsync(node)).Endpoint is not EndpointRole.ReadWrite)
        {
            throw Failure.Fail($"{node} was given {winner.Spec.Vip} and does not hold it");
        }
    }

    public async Task LeaveEndpointAsync(NodeId node)
    {
        var container = await inventory.NodeAsync(node);
        await FreeAsync(container, container.Endpoint);
    }

    public async Task OfferReadOnlyAsync(NodeId node)
    {
        var container = await inventory.NodeAsync(node);
        await clients.AdmitAsync(container);
        if (container.Endpoint is EndpointRole.None)
        {
            await docker
                .Of(node)
                .ConnectAsync(container.Spec.ExternalNetwork, address: null, Names.Alias(node.Cluster, readOnly: true));
        }
    }

    public async Task ProveEndpointAsync(NodeId primary)
    {
        var container = await life.RunningAsync(primary);
        var spec = container.Spec;
        await using var session = await sql.OpenAsync(container);
        await roles.EnsureAsync(container, session);
        await EndProofsAsync(session);
        var synchronous = await session.QueryScalarAsync<string>(SynchronousCommit);
        var end = await ThroughEndpointAsync(
            container,
            session,
            Commit,
            SessionSettings.OptionsOfProof(spec.Postgres, synchronous)
        );
        if (end.ExitCode != 0)
        {
            await EndProofsAsync(session); // a commit that waits for a standby in vain would wait on without its client
            throw Failure.Fail(
                $"no commit through {spec.Vip}: {end.Tail.Trim()}; "
                    + await Evidence.OfAsync("whom it waited for", () => session.QueryScalarAsync<string>(WaitedFor))
            );
        }

        var said = (await jobs.ResultOfAsync<EndpointProof>(end)).Lines;
        var (written, timeline) = (Lsn.Parse(said[^2].Trim()), said[^1].Split('|')[1]);
        var reached = await sql.IdentifyAsync(container);
        if (reached.Wal < written || reached.Timeline.ToString() != timeline)
        {
            throw Failure.Fail(
                $"a commit through {spec.Vip} at {written} on timeline {timeline} did not arrive on {primary}, "
                    + $"which is at {reached.Wal} on timeline {reached.Timeline}"
            );
        }
    }

    public async Task EndSessionsAsync(NodeId primary)
    {
        await using var session = await sql.OpenAsync(await life.RunningAsync(primary));
        for (
            var clock = Stopwatch.StartNew();
            await session.ChangeAsync<long>(
                """
                SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND backend_start <= pg_conf_load_time()
                    AND usename <> ALL (string_to_array($1, ','))
                """,
                string.Join(',', Roles.Names)
            )
                is > 0
                    and var left;
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            ProgressReporter.Say($"{primary}: {PgFlowText.Count((int)left, "session")} of clients still open");
            if (clock.Elapsed > limits.Close)
            {
                throw Failure.Fail($"{PgFlowText.Count((int)left, "session")} on {primary} did not end when told to");
            }
        }
    }

    public async Task<IReadOnlyList<string>> ProveReadOnlyAsync(NodeId primary, bool isOn)
    {
        var container = await life.RunningAsync(primary);
        await using var session = await sql.OpenAsync(container);
        await roles.EnsureAsync(container, session);
        var end = await ThroughEndpointAsync(container, session, "SHOW transaction_read_only", options: "");
        if (end.ExitCode != 0)
        {
            throw Failure.Fail($"no transaction through {container.Spec.Vip}: {end.Tail.Trim()}");
        }

        var said = (await jobs.ResultOfAsync<EndpointProof>(end)).Lines[^2].Trim();
        return said == (isOn ? "on" : "off")
            ? await Sql.QueryJsonAsync<IReadOnlyList<string>>(session, OwnReadOnly, isOn)
            : throw Failure.Fail($"transaction_read_only is {said} through {container.Spec.Vip}");
    }

    /// <summary>From a third container, as clients come: a neighbour may still know the address's old MAC. A lone write
    /// to the node would prove nothing of that.</summary>
    private async Task<JobEnd> ThroughEndpointAsync(
        NodeContainer node,
        SqlSession session,
        string statement,
        string options
    ) =>
        await jobs.RunAsync(
            new(node.Spec, "endpoint", "prove-endpoint")
            {
                Parameters =
                [
                    $"VIP={node.Spec.Vip}",
                    $"ROLE={Roles.Proof}",
                    $"DATABASE={await session.QueryScalarAsync<string>("SELECT current_database()::text")}",
                    $"STATEMENT={statement}",
                    $"PGOPTIONS={options}",
                ],
                Network = node.Spec.ExternalNetwork,
                Files =
                [
                    ContainerFile.Private(
                        $"{Names.Job}/pgpass",
                        secrets.FileFor(node.Id.Cluster, Roles.Proof),
                        node.Spec.Postgres
                    ),
                ],
            }
        );

    /// <summary>Ends what earlier proofs have left: nobody waits for them.</summary>
    private static Task<long> EndProofsAsync(SqlSession session) =>
        session.ChangeAsync<long>(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = $1",
            Roles.Proof
        );

    /// <summary>While clients wait, one that is on no endpoint is asked only where an earlier attempt may have taken it
    /// off.</summary>
    private static bool IsOnOrRepeated(NodeContainer node, EndpointRole role) =>
        node.Endpoint == role || ActivityExecutionContext.Current.Info.Attempt > 1;

    /// <summary>Takes it off that endpoint; also where an attempt ended between the address that it took away and its
    /// look who was cut off.</summary>
    private async Task FreeAsync(NodeContainer node, EndpointRole role)
    {
        if (
            node.Endpoint is EndpointRole.None
                ? node.Running && await clients.CutOffAtAsync(node) is not null
                : node.Endpoint == role
        )
        {
            await TakeOffAsync(node);
        }
    }

    /// <summary>Post-condition: it has no external address, nobody waits for an answer from one that it had, and it
    /// refuses clients until it is on an endpoint again.</summary>
    private async Task TakeOffAsync(NodeContainer node)
    {
        if (!node.State.Running || await ends.HasEndedAsync(node))
        {
            await docker.Of(node.Id).DisconnectAsync(node.Spec.ExternalNetwork);
            return;
        }

        for (var tries = 0; tries < MostTries; tries++)
        {
            await clients.GiveBackAsync(node);
            if (!await clients.CloseAsync(node))
            {
                break;
            }

            await docker.Of(node.Id).DisconnectAsync(node.Spec.ExternalNetwork);
            if (await clients.CutOffAtAsync(node) is null)
            {
                return;
            }
        }

        ProgressReporter.Say(
            $"{node.Id}: clients connect faster than they are refused; it is restarted without its address"
        );
        await clients.GiveBackAsync(node);
        await life.EndAsync(node);
        await docker.Of(node.Id).DisconnectAsync(node.Spec.ExternalNetwork);
        await life.StartAsync(node.Id);
    }
}

/// <summary>The result of prove-endpoint.</summary>
/// <param name="Lines">What psql printed: the commit's position, then who took it.</param>
internal sealed record EndpointProof(IReadOnlyList<string> Lines);
