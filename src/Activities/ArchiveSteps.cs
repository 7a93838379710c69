using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using PgFlow.Workflows;

namespace PgFlow.Activities;

internal sealed partial class ArchiveSteps(DockerEngine docker, Inventory inventory, Jobs jobs, Sql sql) : IArchiveSteps
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30); // below an attempt's own
    private static readonly TimeSpan LongLimit = TimeSpan.FromMinutes(30);

    public async Task<int> SalvageAsync(NodeId node)
    {
        await jobs.RequireSoleUseAsync(node);
        return LastNumber(await jobs.SucceedAsync(Job.On(await inventory.NodeAsync(node), "salvage", Embedded.Read("salvage")) with { Parameters = [$"NODE={node}"] }));
    }

    public async Task PublishHistoryAsync(NodeId primary) => await ExecuteAsync(primary, Limit, """
        set -e
        for file in /pgflow/data/pg_wal/*.history; do [ ! -e "$file" ] || /pgflow/bin/archive "$file" "${file##*/}"; done
        """);

    public async Task<int> CompleteAsync(NodeId primary)
    {
        var timeline = await sql.WrittenTimelineAsync(await inventory.NodeAsync(primary));
        return LastNumber(await ExecuteAsync(primary, LongLimit, Embedded.Read("complete"), $"TIMELINE={timeline.Number:X8}"));
    }

    public async Task ProveAsync(NodeId primary)
    {
        var node = await inventory.NodeAsync(primary);
        await Permit.RequireAsync(primary.Cluster);
        // The mark's segment: one that somebody else has ended meanwhile is not ended again.
        var marked = new Lsn((await sql.MarkAsync(node)).Value - 1);
        var segment = await sql.AskAsync<string>(node, $"SELECT pg_walfile_name('{marked}') FROM pg_switch_wal()");
        for (var clock = Stopwatch.StartNew(); ; await Task.Delay(TimeSpan.FromMilliseconds(50), DockerEngine.ActivityToken))
        {
            var archived = await sql.AskAsync<string>(node, "SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver");
            if (string.CompareOrdinal(archived, segment) >= 0)
            {
                return;
            }

            HandProgress.Say($"waits until {segment} is in the archive; now {archived}");
            if (clock.Elapsed > Limit)
            {
                throw Ends.Stick($"{segment} of {primary} is not in the archive after {Limit.TotalSeconds:0} s: {await docker.LogAsync(primary.Container, 5)}");
            }
        }
    }

    public async Task<Loss?> MeasureLossAsync(NodeId old, Promotion promotion)
    {
        var node = await inventory.NodeAsync(old);
        var output = await jobs.SucceedAsync(new(node.Spec, $"loss-{old}", Embedded.Read("loss"))
        {
            Parameters = [$"TIMELINE={promotion.Parent}", $"START={promotion.SwitchedAt}"],
            Volumes = [$"{old.Container}:{Names.NodeVolume}:ro"],
        });
        if (output.StartsWith("gone", StringComparison.Ordinal))
        {
            return null;
        }

        return Record().Match(output) is { Success: true } last
            ? new(
                Lsn.Parse(last.Groups["lsn"].Value).BytesSince(promotion.SwitchedAt) + long.Parse(last.Groups["length"].Value, CultureInfo.InvariantCulture),
                LastNumber(output))
            : new(0, 0);
    }

    private async Task<string> ExecuteAsync(NodeId primary, TimeSpan limit, string script, params string[] parameters)
    {
        var node = await inventory.NodeAsync(primary);
        await Permit.RequireAsync(primary.Cluster);
        return await docker.ExecuteAsync(primary.Container, $"{node.Spec.Postgres.Uid}:{node.Spec.Postgres.Gid}", limit, parameters, ["/bin/sh", "-c", script]);
    }

    /// <summary>What a program counted; a log has what it complained of behind that.</summary>
    private static int LastNumber(string output) =>
        output.Split('\n').Select(line => int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : (int?)null).Last(number => number is not null)!.Value;

    [GeneratedRegex(@"len \(rec/tot\): *\d+/ *(?<length>\d+).* lsn: (?<lsn>[0-9A-F]+/[0-9A-F]+)")]
    private static partial Regex Record();
}
