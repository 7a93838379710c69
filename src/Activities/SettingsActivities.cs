using System.Diagnostics;

namespace PgFlow.Activities;

internal sealed class SettingsActivities(
    DockerEngine docker,
    Inventory inventory,
    NodeLife life,
    Sql sql,
    TimeLimits limits
) : ISettingsActivities
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    private const string Question = """
        SELECT json_build_object(
            'version', current_setting('server_version_num')::int,
            'rows', (SELECT coalesce(json_agg(json_build_object(
                    'name', known.name, 'type', vartype, 'context', context, 'value', known.setting, 'unit', unit,
                    'minimum', min_val, 'maximum', max_val, 'choices', enumvals,
                    'file', file.sourcefile, 'fileValue', file.setting, 'pendingRestart', pending_restart,
                    'unset', CASE WHEN file.key IS NULL THEN boot_val WHEN file.sourcefile = $3 THEN coalesce((
                        SELECT setting FROM pg_file_settings AS other
                        WHERE lower(other.name) = lower(known.name) AND other.sourcefile <> $3
                        ORDER BY other.seqno DESC LIMIT 1), boot_val) END,
                    'isOverridden', coalesce(file.seqno > own.seqno AND file.sourcefile <> $3, false)
                    ) ORDER BY known.name), '[]')
                FROM pg_settings AS known LEFT JOIN (
                    SELECT DISTINCT ON (lower(name)) lower(name) AS key, sourcefile, setting, seqno
                    FROM pg_file_settings ORDER BY lower(name), seqno DESC) AS file ON file.key = lower(known.name),
                    (SELECT min(seqno) AS seqno FROM pg_file_settings WHERE sourcefile = $2) AS own
                WHERE lower(known.name) = ANY (string_to_array($1, ',')) OR pending_restart))::text
        """;

    /// <summary>What keeps a node from using its file; nothing where it uses it. A file that goes before may: what was
    /// set earlier is not to keep anybody from something else.</summary>
    /// <remarks>A session of today's sees what the server had read when it began.</remarks>
    private const string Unused = """
        SELECT CASE WHEN pg_conf_load_time() < $1::timestamptz THEN 'it has not read them' ELSE coalesce((
            SELECT string_agg(key || ': ' || coalesce(last.error, 'not there'), '; ')
                FROM unnest(string_to_array($2, ',')) AS wanted(key) LEFT JOIN (
                    SELECT DISTINCT ON (lower(name)) lower(name) AS key, error,
                        bool_or(sourcefile = $3) OVER (PARTITION BY lower(name)) AS is_there
                    FROM pg_file_settings ORDER BY lower(name), seqno DESC) AS last USING (key)
                WHERE last.is_there IS NOT TRUE OR last.error IS NOT NULL), '') END
        """;

    public async Task<NodeSetup> InspectSettingsAsync(NodeId node, IReadOnlyList<string> names)
    {
        var container = await inventory.NodeAsync(node);
        var settings = KnownSettings.OfCluster(await docker.Of(node).ReadFileAsync(SettingsFile.ClusterPath));
        var answer = await sql.QueryJsonAsync<Answer>(
            container,
            Question,
            string.Join(',', names.Concat(settings.Keys)),
            SettingsFile.Path,
            SettingsFile.ClusterPath
        );
        var own = Text(await docker.Of(node).ReadFileAsync(SettingsFile.Path));
        return new(
            node,
            container.Made,
            settings,
            [.. answer.Rows.Select(row => row with { IsOwned = SettingsFile.IsOwned(row.Name, own) })]
        )
        {
            Version = FormattableString.Invariant($"{answer.Version / 10_000}.{answer.Version % 10_000}"),
            NamedImage = await docker.ImageIdAsync(container.Spec.Image),
        };
    }

    public async Task WriteClusterSettingsAsync(NodeId node, IReadOnlyDictionary<string, string> settings)
    {
        var container = await life.StoppedOrRunningAsync(node);
        await PlaceAsync(container, SettingsFile.ClusterPath, _ => SettingsFile.RenderCluster(settings));
        await PlaceAsync(container, SettingsFile.Path, SettingsFile.Including); // an earlier build may have made it
        if (container.State.Running)
        {
            await UsedAsync(container, settings.Keys);
        }
    }

    private async Task PlaceAsync(NodeContainer node, string path, Func<string, string> wanted)
    {
        var there = Text(await docker.Of(node.Id).ReadFileAsync(path));
        if (wanted(there) != there)
        {
            await docker.Of(node.Id).WriteFilesAsync(ContainerFile.Private(path, wanted(there), node.Spec.Postgres));
        }
    }

    /// <summary>Reloads and proves that the server has read the file since, and that its settings are in force from
    /// there.</summary>
    private async Task UsedAsync(NodeContainer node, IEnumerable<string> names)
    {
        var since = await sql.QueryScalarAsync<string>(node, "SELECT clock_timestamp()::text");
        await sql.ChangeAsync<bool>(node, "SELECT pg_reload_conf()");
        var unused = "";
        for (
            var clock = Stopwatch.StartNew();
            clock.Elapsed < limits.Reload;
            await Task.Delay(Poll, DockerEngine.ActivityToken)
        )
        {
            unused = await sql.QueryScalarAsync<string>(
                node,
                Unused,
                since,
                string.Join(',', names),
                SettingsFile.ClusterPath
            );
            if (unused.Length == 0)
            {
                return;
            }
        }

        throw Failure.Fail($"{node.Id} does not use the settings in {SettingsFile.ClusterPath}: {unused}");
    }

    private static string Text(byte[]? file) => file is null ? "" : System.Text.Encoding.UTF8.GetString(file);

    private sealed record Answer(int Version, IReadOnlyList<Setting> Rows);
}
