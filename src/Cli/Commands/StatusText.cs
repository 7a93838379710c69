using Spectre.Console;

namespace PgFlow.Cli.Commands;

/// <summary>A cluster's status as a table.</summary>
internal static class StatusText
{
    public static void Write(Terminal terminal, ClusterStatus status)
    {
        if (status.Inspection is not { } inspection)
        {
            terminal.WriteError(
                new(status.ExitCode, $"{status.Cluster} can't be inspected", [status.End.Detail], status.End.HintLines)
            );
            WriteOpen(terminal.Out, status);
            WriteWhatStartsByItself(terminal.Out, status);
            return;
        }

        var (data, state) = (terminal.Out, inspection.State);
        data.MarkupLine($"[bold]{state.Cluster}[/]  {(status.Healthy ? "[green]healthy[/]" : "[red]NOT HEALTHY[/]")}");
        if (state.Spec is { } spec)
        {
            data.WriteLine(
                $"endpoint {state.Cluster}-rw at {spec.Vip} on {spec.ExternalNetwork}; archive "
                    + $"{PgFlowText.Word(spec.Archive)}; {spec.Image} (PostgreSQL {spec.Postgres.Version})"
            );
        }

        if (Confirmations(state) is { } confirmations)
        {
            data.WriteLine(confirmations);
        }

        Nodes(state).Write(data);
        foreach (var line in Archive(inspection))
        {
            data.WriteLine(line);
        }

        WriteOpen(data, status);
        WriteWhatStartsByItself(data, status);
        var held = status.Open.Any(run => run.Outcome is not "waitingForApproval");
        if (held && inspection.Findings.Count > 0)
        {
            data.WriteLine(
                "  while that runs, this may be its own doing, and another procedure would find the cluster busy:"
            );
        }

        foreach (var finding in inspection.Findings)
        {
            data.MarkupLineInterpolated($"[red]‼[/] {(held ? FindingText.Of(finding) : HintText.Line(finding))}");
        }

        data.WriteLine();
    }

    private static void WriteOpen(IAnsiConsole data, ClusterStatus status)
    {
        foreach (var run in status.Open)
        {
            data.WriteLine(
                $"{(run.Outcome is "blocked" ? "‼" : "▶")} {run.Procedure} {run.Outcome}, by {run.By}: "
                    + $"{run.WorkflowId}; {WaysOf(run)}"
            );
        }
    }

    private static void WriteWhatStartsByItself(IAnsiConsole data, ClusterStatus status)
    {
        foreach (var schedule in status.Schedules)
        {
            data.WriteLine(schedule.Line);
        }

        if (status.Witness is { } witness)
        {
            data.WriteLine(witness.Line);
        }
    }

    /// <summary>What can be done about a procedure that runs: before anything else, since it holds the
    /// cluster.</summary>
    private static string WaysOf(Run run) =>
        run.Outcome switch
        {
            "blocked" =>
                $"see what it waits for: pgflow show {run.WorkflowId}; then: pgflow resolve {run.WorkflowId} retry",
            "waitingForApproval" => $"pgflow approve {run.WorkflowId}, or pgflow reject {run.WorkflowId}",
            "inspecting" => LineView.WaysOn(run.WorkflowId),
            _ => $"follow it: pgflow watch {run.WorkflowId}",
        };

    /// <summary>What commits wait for, or will when a stopped primary starts; null where that is nothing.</summary>
    private static string? Confirmations(ClusterState state)
    {
        if ((state.Primaries is [var only] ? only : state.EndpointHolder) is not { } primary)
        {
            return null;
        }

        var (quorum, earlier) = (primary.Quorum ?? 0, primary.EarlierStandbyNames);
        var meant =
            quorum == 0
                ? "asynchronous"
                : $"synchronous: each commit is to wait for {PgFlowText.Count(quorum, "standby")}";
        var until = earlier is null ? "" : $", and was '{earlier}' before";
        return quorum == 0 && earlier is null
            ? null
            : $"{meant}; synchronous_standby_names is '{primary.SynchronousStandbyNames}' on {primary.Id}"
                + (primary.Role is NodeRole.Primary ? "" : $" when it starts{until}");
    }

    public static FittingTable Nodes(ClusterState state)
    {
        var table = new FittingTable(
            new("node"),
            new("role"),
            new("timeline", 3),
            new("wal", 4),
            new("lag", 5),
            new("sync", 1),
            new("endpoint", 2),
            new("archiver", 0)
        );
        foreach (var node in state.Nodes)
        {
            var row = state
                .Primaries.SelectMany(primary => primary.Followers)
                .FirstOrDefault(follower => follower.Node == node.Id.ToString());
            table.Add(
                $"{node.Id}",
                new(Role(node), ColorOf(node.Role)),
                $"{node.Timeline}",
                Wal(node),
                node.Role is NodeRole.Standby ? Lag(row) : "",
                row?.Sync ?? "",
                node.Endpoint switch
                {
                    EndpointRole.ReadWrite => "rw",
                    EndpointRole.ReadOnly => "ro",
                    _ => "",
                },
                Archiver(node)
            );
        }

        return table;
    }

    /// <summary>Its files tell a server's last checkpoint; one that was not shut down may have written more.</summary>
    private static string Wal(NodeState node) =>
        node
            is {
                Role: NodeRole.Stopped or NodeRole.Missing,
                Control: not null and not ControlState.ShutDown and not ControlState.ShutDownInRecovery
            }
            ? $">= {node.Wal}"
            : $"{node.Wal}";

    private static Color? ColorOf(NodeRole role) =>
        role switch
        {
            NodeRole.Primary => Color.Green,
            NodeRole.Standby => null,
            _ => Color.Red,
        };

    private static string Lag(Follower? row) =>
        row is null ? "not attached" : PgFlowText.Lag(row) + (row.State is "streaming" ? "" : $", {row.State}");

    /// <summary>What of today a recovery could bring back.</summary>
    public static IEnumerable<string> Archive(Inspection inspection)
    {
        foreach (var node in inspection.State.Primaries)
        {
            if (node.Archiver is { } archiver)
            {
                yield return $"not archived: {PgFlowText.Bytes(archiver.UnarchivedBytes ?? 0)} of {node.Id}'s WAL; "
                    + $"{PgFlowText.Waiting(archiver)}; last archived: {archiver.LastArchived ?? "nothing"}";
            }
        }

        if (inspection.Archive is { Unreadable: null } archive)
        {
            yield return archive.Backup is { } backup
                ? $"last backup: {backup.Id}, ended {ShownTime.Of(backup.StoppedAt)} on timeline "
                    + $"{backup.Timeline}, "
                    + $"{(backup.VerifiedAt is { } at ? $"verified {ShownTime.Of(at)}" : "never verified")}"
                : "last backup: none";
            foreach (var gap in archive.Gaps)
            {
                var segments = gap.Last == gap.First ? gap.First : $"{gap.First} to {gap.Last}";
                yield return $"gap: timeline {gap.Timeline} lacks {segments}";
            }
        }
    }

    private static string Role(NodeState node) =>
        node.Role switch
        {
            NodeRole.Stopped => $"stopped ({node.Container}{(node.RestartPolicy is "no" ? ", fenced" : "")})",
            NodeRole.Unreachable => $"unreachable: {node.Login?.Detail}",
            NodeRole.Missing => "no container",
            NodeRole.Primary when node.ReadOnly => "primary, read-only",
            NodeRole.Standby when node.ReplayPaused => "standby, replay paused",
            var role => PgFlowText.Word(role),
        };

    private static string Archiver(NodeState node) =>
        node.Archiver switch
        {
            null => "",
            { LastFailed: { } failed } => $"fails on {failed}",
            { Waiting: > 0 } archiver => $"{archiver.Waiting} waiting",
            _ => "ok",
        };
}
