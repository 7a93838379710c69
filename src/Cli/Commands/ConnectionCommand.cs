using System.CommandLine;

namespace PgFlow.Cli.Commands;

/// <summary>How clients connect, in the words of their drivers.</summary>
internal static class ConnectionCommand
{
    private const int Port = 5432;

    public static Command Command(Terminal terminal) =>
        InvocationContext.CommandOf(
            terminal,
            "connection",
            "How clients connect to a cluster's primary: URI, libpq, JDBC, Npgsql, .pgpass",
            [Flags.Cluster, Flags.Timeout, .. Flags.Connection],
            RunAsync,
            InputCheck.OfCluster
        );

    private static async Task<int> RunAsync(InvocationContext call, CancellationToken cancel)
    {
        var state = (await new InspectionClient(call).ForAsync<Inspection>(nameof(InspectCluster), cancel)).State;
        var spec =
            state.Spec
            ?? throw new CliError(ExitCodes.Refused, $"{state.Cluster} has no container that names its address");
        var connection = Connection.To(spec);
        if (call.Json)
        {
            call.Terminal.Json(connection);
            return ExitCodes.Done;
        }

        var table = new FittingTable(new("for"), new("connection"));
        table.Add("URI", connection.Uri);
        table.Add("libpq", connection.Libpq);
        table.Add("JDBC", connection.Jdbc);
        table.Add("Npgsql", connection.Npgsql);
        table.Add(".pgpass", connection.Pgpass);
        table.Write(call.Terminal.Out);
        call.Terminal.WriteInfo(
            $"the password of app stands in {spec.Cluster}.pgpass, in the worker's secrets directory; standbys answer "
                + $"read-only under the name {spec.Cluster}-ro on the Docker network {spec.ExternalNetwork}"
        );
        return ExitCodes.Done;
    }

    /// <summary>One address in the words of each driver; a time limit, since nobody answers in the middle of a
    /// failover.</summary>
    internal sealed record Connection(string Uri, string Libpq, string Jdbc, string Npgsql, string Pgpass)
    {
        private const int Limit = 3;

        public static Connection To(ClusterSpec spec) =>
            new(
                $"postgresql://app@{spec.Vip}:{Port}/app?connect_timeout={Limit}",
                $"host={spec.Vip} port={Port} user=app dbname=app connect_timeout={Limit}",
                $"jdbc:postgresql://{spec.Vip}:{Port}/app?user=app&connectTimeout={Limit}",
                $"Host={spec.Vip};Port={Port};Username=app;Database=app;Timeout={Limit}",
                $"{spec.Vip}:{Port}:app:app:PASSWORD"
            );
    }
}
