using System.Diagnostics;
using System.Text;

namespace PgFlow.Activities;

/// <summary>The WAL summarizer of PostgreSQL 17 and later, which incremental backups need.</summary>
/// <remarks>
/// The end of a recovery waits for it (<c>CleanupAfterArchiveRecovery</c> in xlog.c), for a minute where it does not get on, and then the server ends; by then it is too
/// late to switch it off, since the startup process reads no settings while it waits. It sleeps for 10 s after an error, and for up to 30 s where there was little
/// to read (walsummarizer.c); of that sleep a reload wakes it.
/// </remarks>
internal sealed class Summarizer(NodeFiles files)
{
    private const string On = "summarize_wal = on";
    private const string Off = "summarize_wal = off";

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan ReloadLimit = TimeSpan.FromSeconds(5);

    /// <summary>Before a promotion: the summarizer has read what was replayed, or is off until the node's settings are written anew.</summary>
    public async Task PrepareAsync(NodeContainer node, SqlSession connection)
    {
        if (node.Spec.Postgres.Major >= SettingsFile.FirstWithIncremental && !await KeepsUpAsync(connection))
        {
            await SwitchOffAsync(node, connection);
        }
    }

    private static async Task<bool> KeepsUpAsync(SqlSession connection)
    {
        var woken = false;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Patience; await Task.Delay(Poll, DockerEngine.ActivityToken))
        {
            switch (await Sql.AskAsync<string>(connection, """
                SELECT CASE WHEN current_setting('summarize_wal') = 'off' OR pending_lsn >= pg_last_wal_replay_lsn() THEN 'there' WHEN summarizer_pid IS NULL
                    OR EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'walsummarizer' AND wait_event = 'WalSummarizerError') THEN 'fails' ELSE 'behind' END
                FROM pg_get_wal_summarizer_state()
                """))
            {
                case "there":
                    return true;
                case "fails":
                    return false;
                case "behind" when !woken:
                    woken = await Sql.AskAsync<bool>(connection, "SELECT pg_reload_conf()");
                    break;
            }
        }

        return false;
    }

    /// <summary>Written by PgFlow's own file, and so gone with the settings of a primary.</summary>
    private async Task SwitchOffAsync(NodeContainer node, SqlSession connection)
    {
        var settings = Encoding.UTF8.GetString(await files.ReadAsync(node.Id.Container, SettingsFile.Path) ?? []);
        await files.WriteAsync(node.Id.Container, ContainerFile.Private(SettingsFile.Path, settings.Replace(On, Off, StringComparison.Ordinal), node.Spec.Postgres));
        await Sql.AskAsync<bool>(connection, "SELECT pg_reload_conf()");
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < ReloadLimit && await Sql.AskAsync<string>(connection, "SHOW summarize_wal") != "off";)
        {
            await Task.Delay(Poll, DockerEngine.ActivityToken);
        }

        await Task.Delay(Poll, DockerEngine.ActivityToken); // the startup process was told at the same moment
    }
}
