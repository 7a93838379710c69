using System.Globalization;
using Npgsql;

namespace PgFlow.SystemTests;

/// <summary>A client's session whose process stands still: a fast stop of its server waits for it.</summary>
internal sealed class HeldSession(NodeId node, NpgsqlConnection client) : IAsyncDisposable
{
    public static async Task<HeldSession> OpenAsync(TestCluster cluster, NodeId primary)
    {
        var client = new NpgsqlConnection(World.ClientSessions.ConnectionString(cluster, cluster.Vip));
        await client.OpenAsync(TestContext.Current.CancellationToken);
        var session = new HeldSession(primary, client);
        await session.SignalAsync("STOP");
        return session;
    }

    public Task LetGoAsync() => SignalAsync("CONT");

    public ValueTask DisposeAsync() => client.DisposeAsync();

    private Task<string> SignalAsync(string signal) =>
        Host.DockerAsync(
            "exec",
            node.Container,
            "sh",
            "-c",
            $"kill -{signal} {client.ProcessID.ToString(CultureInfo.InvariantCulture)}"
        );
}
