using System.Diagnostics;
using System.Text;

namespace PgFlow.Activities.Postgres;

/// <summary>The WAL summarizer of PostgreSQL 17 and later, which incremental backups need.</summary>
/// <remarks>
/// The end of a recovery waits for it (<c>CleanupAfterArchiveRecovery</c> in xlog.c), for a minute where it does not
/// get on, and then the server ends; by then it is too
/// late to switch it off, since the startup process reads no settings while it waits. It sleeps for 10 s after an
/// error, and for up to 30 s where there was little
/// to read (walsummarizer.c); of that sleep a reload wakes it.
/// </remarks>
internal sealed class Summarizer(DockerEngine docker, TimeLimits limits)
{
    private const string On = "summarize_wal = on";
    private const string Off = "summarize_wal = off";
    private const string Keep = $"\nwal_keep_size = {SettingsFile.WalKeepSize}";
    private const string KeepNothing = "\nwal_keep_size = 0";

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(300);

    /// <summary>One that has nothing to go on with says so at once.</summary>
    private static readonly TimeSpan Trial = TimeSpan.FromMilliseconds(500);

    /// <summary>It sleeps for 10 s after an error.</summary>
    private static readonly TimeSpan ErrorSleep = TimeSpan.FromSeconds(15);

    /// <summary>Before a promotion: the summarizer has read what was replayed, or is off until the node's settings are
    /// written anew.</summary>
    public async Task PrepareAsync(NodeContainer node, SqlSession connection)
    {
        if (node.Spec.Postgres.Major >= SettingsFile.FirstWithIncremental && !await KeepsUpAsync(connection))
        {
            await WriteAsync(node, connection, [(On, Off)]);
            await UntilAsync(limits.Reload, async () => await StateAsync(connection) is "left off");
            await Task.Delay(Poll, DockerEngine.ActivityToken); // the startup process was told at the same moment
        }
    }

    /// <summary>One that runs into errors, or was left off, begins anew with the WAL that is there by then; where it
    /// fails again, it is off.</summary>
    /// <remarks>
    /// When it starts it looks for the oldest segment of any branch. Where one of a branch that was left outlived the
    /// beginning of the next, it can't get on, and nobody removes that segment:
    /// PostgreSQL keeps it for the summarizer. A checkpoint without one, and without wal_keep_size, removes it. In its
    /// sleep after an error it holds up a stop too (<c>WalSummarizerMain</c>).
    /// </remarks>
    /// <param name="node">The node.</param>
    /// <param name="connection">A session in which a checkpoint may take as long as it takes.</param>
    /// <returns>Whether it gets on.</returns>
    public async Task<bool> RestartAsync(NodeContainer node, SqlSession connection)
    {
        if (
            node.Spec.Postgres.Major < SettingsFile.FirstWithIncremental
            || await StateAsync(connection) is not ("fails" or "left off")
        )
        {
            return true;
        }

        await SwitchOffAsync(node, connection, [(On, Off), (Keep, KeepNothing)]);
        await connection.ChangeAsync<string>("CHECKPOINT");
        await WriteAsync(node, connection, [(Off, On), (KeepNothing, Keep)]);
        await UntilAsync(limits.Reload, async () => await StateAsync(connection) is not "left off");
        if (!await UntilAsync(Trial, async () => await StateAsync(connection) is "fails"))
        {
            return true;
        }

        await SwitchOffAsync(node, connection, [(On, Off)]);
        return false;
    }

    private static async Task<bool> KeepsUpAsync(SqlSession connection)
    {
        var woken = false;
        for (
            var clock = Stopwatch.StartNew();
            clock.Elapsed < Patience;
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            switch (await StateAsync(connection))
            {
                case "there" or "off" or "left off":
                    return true;
                case "fails":
                    return false;
                case "behind" when !woken:
                    woken = await connection.ChangeAsync<bool>("SELECT pg_reload_conf()");
                    break;
            }
        }

        return false;
    }

    private static Task<string> StateAsync(SqlSession connection) =>
        Sql.QueryScalarAsync<string>(
            connection,
            """
            SELECT CASE WHEN setting = 'off' THEN CASE WHEN sourcefile = $1 THEN 'left off' ELSE 'off' END
                WHEN EXISTS (SELECT FROM pg_stat_activity
                    WHERE backend_type = 'walsummarizer' AND wait_event = 'WalSummarizerError') THEN 'fails'
                WHEN pending_lsn >= CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                    ELSE pg_current_wal_flush_lsn() END THEN 'there'
                ELSE 'behind' END
            FROM pg_get_wal_summarizer_state(), pg_settings WHERE name = 'summarize_wal'
            """,
            SettingsFile.Path
        );

    /// <summary>In PgFlow's own file, which has it on again when the node's settings are written anew.</summary>
    private async Task SwitchOffAsync(NodeContainer node, SqlSession connection, (string From, string To)[] changes)
    {
        await WriteAsync(node, connection, changes);
        await UntilAsync(
            ErrorSleep,
            () =>
                Sql.QueryScalarAsync<bool>(
                    connection,
                    "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'walsummarizer')"
                )
        );
    }

    private async Task WriteAsync(NodeContainer node, SqlSession connection, (string From, string To)[] changes)
    {
        var file =
            await docker.Of(node.Id).ReadFileAsync(SettingsFile.Path)
            ?? throw Failure.Fail($"{node.Id} has no {SettingsFile.Path}");
        var wanted = changes.Aggregate(
            Encoding.UTF8.GetString(file),
            (settings, change) => settings.Replace(change.From, change.To, StringComparison.Ordinal)
        );
        await docker.Of(node.Id).WriteFilesAsync(ContainerFile.Private(SettingsFile.Path, wanted, node.Spec.Postgres));
        await connection.ChangeAsync<bool>("SELECT pg_reload_conf()");
    }

    /// <returns>Whether it became so in time.</returns>
    private static async Task<bool> UntilAsync(TimeSpan limit, Func<Task<bool>> isSo)
    {
        for (
            var clock = Stopwatch.StartNew();
            clock.Elapsed < limit;
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            if (await isSo())
            {
                return true;
            }
        }

        return false;
    }
}
