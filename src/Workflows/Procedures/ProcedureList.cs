using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PgFlow.Workflows.Procedures;

/// <summary>A procedure as everything around it knows it.</summary>
/// <param name="Name">The workflow type.</param>
/// <param name="Input">What it takes.</param>
/// <param name="CommandName">The command that starts it; null where another command does so besides.</param>
/// <param name="Help">What the command does.</param>
public sealed record ProcedureEntry(string Name, Type Input, string? CommandName = null, string Help = "")
{
    /// <summary>Nothing brings back what it removes: a person types the cluster's name, not just y.</summary>
    public bool TypeTheName { get; init; }

    /// <summary>Temporal can start it by a schedule.</summary>
    public bool CanRepeat { get; init; }

    /// <summary>How long clients can't write because of it, where no run has measured it; null where they don't
    /// notice, and where it depends on the data.</summary>
    public string? TypicalOutage { get; init; }

    /// <summary>It only looks.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>What is typed for it where another command starts it besides: {0} is the cluster.</summary>
    public CompositeFormat? OtherCommand { get; init; }

    /// <summary>The fields of its input that can be typed.</summary>
    public IReadOnlyList<InputField> Fields { get; } = InputField.Of(Input);

    /// <summary>The ID of the schedule that starts it for a cluster: <c>pgflow-backup-demo</c>; null where it can't be
    /// repeated.</summary>
    public string? ScheduleOf(string? cluster) => CanRepeat ? $"pgflow-{CommandName}-{cluster}" : null;

    /// <summary>Plans, or refuses; null where the only precondition is the cluster itself.</summary>
    internal Func<ProcedureInput, ClusterState, Task>? Plan { get; init; }

    /// <summary>What a person types to start it with <paramref name="input"/>. An argument that must be given, or that
    /// the input leaves to the reader, stands there as its name.</summary>
    public string Command(JsonObject input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (OtherCommand is { } format)
        {
            return string.Join(
                ' ',
                [string.Format(CultureInfo.InvariantCulture, format, input["cluster"]), .. TakeOver()]
            );
        }

        var (before, behind) = (
            Fields.Where(field => field.Flag.Place is FlagPlace.Before),
            Fields.Where(field => field.Flag.Place is not FlagPlace.Before)
        );
        return string.Join(
            ' ',
            [
                "pgflow",
                CommandName!,
                .. before.SelectMany(Words),
                input["cluster"]!.ToString(),
                .. behind.SelectMany(Words),
                .. TakeOver(),
            ]
        );

        IEnumerable<string> TakeOver() =>
            input["takeOver"] is { } other ? ["--take-over", Word(other)] : Array.Empty<string>();

        IEnumerable<string> Words(InputField field) =>
            input[field.Name] switch
            {
                null => IsChosen(field) ? [field.Symbol] : [],
                JsonValue flag when flag.TryGetValue<bool>(out var set) => set ? [field.Symbol] : [],
                JsonArray several => several.SelectMany(value => (string[])[field.Symbol, Word(value!)]),
                var value => field.IsArgument ? [Word(value)] : [field.Symbol, Word(value)],
            };

        bool IsChosen(InputField field) =>
            field.IsArgument && (field.Flag.Place is not FlagPlace.BehindOptional || input.ContainsKey(field.Name));

        static string Word(JsonNode value) =>
            value.ToString() is var text
            && text.All(symbol => char.IsLetterOrDigit(symbol) || "-_.:/+".Contains(symbol))
                ? text
                : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }
}

/// <summary>All procedures: a new one is a row here, and everything else (command line, hints, proposals) is made of
/// it.</summary>
public static class ProcedureList
{
    /// <summary>The rows, in the order of the help.</summary>
    public static IReadOnlyList<ProcedureEntry> All { get; } =
    [
        new(
            nameof(InitCluster),
            typeof(InitClusterInput),
            "init",
            "Make a cluster: networks, volumes, primary, standbys, archive, endpoint"
        ),
        new(
            nameof(DestroyCluster),
            typeof(DestroyClusterInput),
            "destroy",
            "Remove a cluster with its data, its archive and its ledger"
        )
        {
            TypeTheName = true,
        },
        new(
            nameof(Switchover),
            typeof(SwitchoverInput),
            "switchover",
            "Make another node the primary while all are healthy"
        )
        {
            TypicalOutage = "for less than 1 s",
            Plan = By<SwitchoverInput>(SwitchoverPlan.From),
        },
        new(
            nameof(Failover),
            typeof(FailoverInput),
            "failover",
            "Make a standby the primary after the primary was lost"
        )
        {
            TypicalOutage = "for 1 to 3 s more",
            Plan = (input, state) => FailoverPlan.FromAsync((FailoverInput)input, state),
        },
        new(
            nameof(Failback),
            typeof(FailbackInput),
            "failback",
            "Bring an old primary or a diverged standby (the only missing node where none is named) back as a standby"
        )
        {
            // else the reader chooses the node
            Plan = By<FailbackInput>((input, state) => input.Node is null ? null : FailbackPlan.From(input, state)),
        },
        new(
            nameof(RepairCluster),
            typeof(RepairClusterInput),
            "repair",
            "Make again what is missing of a cluster (networks, volumes, containers), and put every node back "
                + "in its place"
        )
        {
            Plan = By<RepairClusterInput>(RepairClusterPlan.From),
        },
        new(
            nameof(SetReadOnly),
            typeof(SetReadOnlyInput),
            "read-only",
            "Let no transaction write, or let them again, whoever is the primary"
        )
        {
            Plan = By<SetReadOnlyInput>(SetReadOnlyPlan.From),
        },
        new(nameof(RemakeStandby), typeof(RemakeStandbyInput), "remake", "Give a standby a fresh copy of the primary")
        {
            Plan = By<RemakeStandbyInput>(RemakeStandbyPlan.From),
        },
        new(
            nameof(AddStandby),
            typeof(AddStandbyInput),
            "add-node",
            "Give a cluster one more node: a standby that is a copy of the primary"
        )
        {
            Plan = By<AddStandbyInput>(AddStandbyPlan.From),
        },
        new(
            nameof(RemoveNode),
            typeof(RemoveNodeInput),
            "remove-node",
            "Take a standby, or what is left of one, out of a cluster for good, with its data"
        )
        {
            Plan = By<RemoveNodeInput>(RemoveNodePlan.From),
        },
        new(
            nameof(SetSynchronousReplication),
            typeof(SetSynchronousReplicationInput),
            "synchronous",
            "Change how many standbys confirm each commit, on a primary that runs or is stopped"
        )
        {
            Plan = By<SetSynchronousReplicationInput>(SetSynchronousReplicationPlan.From),
        },
        new(
            nameof(UpdateCluster),
            typeof(UpdateClusterInput),
            "update",
            "Give all nodes another image or other settings, one node after another"
        )
        {
            TypicalOutage = "for less than 1 s, where the primary changes; as long as it restarts, where it can't",
        },
        new(
            nameof(TakeBackup),
            typeof(TakeBackupInput),
            "backup",
            "Take a base backup, and prove that the archive has the WAL for it"
        )
        {
            CanRepeat = true,
            Plan = By<TakeBackupInput>(TakeBackupPlan.From),
        },
        new(
            nameof(VerifyBackup),
            typeof(VerifyBackupInput),
            "verify",
            "Prove that a backup can be recovered: recover it in a container without network, and check every "
                + "table and B-tree"
        )
        {
            CanRepeat = true,
        },
        new(
            nameof(CreateRestorePoint),
            typeof(CreateRestorePointInput),
            "restore-point",
            "Give the position of now a name to go back to"
        ),
        new(
            nameof(RecoverCluster),
            typeof(RecoverClusterInput),
            "recover",
            "Bring a cluster back to a position in its past, on the branch that was live then; its standbys "
                + "are made anew"
        ),
        new(
            nameof(CloneCluster),
            typeof(CloneClusterInput),
            "clone",
            "Make a new cluster from a position in another's past; the other one is only read"
        ),
        new(nameof(InspectCluster), typeof(InspectClusterInput))
        {
            ReadOnly = true,
            OtherCommand = CompositeFormat.Parse("pgflow status {0}"),
        },
        new(nameof(InspectTimeline), typeof(InspectTimelineInput))
        {
            ReadOnly = true,
            OtherCommand = CompositeFormat.Parse("pgflow timeline {0}"),
        },
        new(nameof(RebuildLedger), typeof(RebuildLedgerInput))
        {
            OtherCommand = CompositeFormat.Parse("pgflow timeline {0} --rebuild"),
        },
    ];

    /// <summary>The row of a workflow type.</summary>
    public static ProcedureEntry? Find(string? name) => All.FirstOrDefault(entry => entry.Name == name);

    /// <summary>What a person types for a hint that is a procedure; null for a person's own work.</summary>
    public static string? CommandOf(Hint hint)
    {
        ArgumentNullException.ThrowIfNull(hint);
        return hint.Input is { } input && Find(hint.Procedure) is { } entry ? entry.Command(input) : null;
    }

    /// <summary>Plans what a hint says; throws what keeps it from being carried out.</summary>
    internal static async Task PlanAsync(Hint hint, ClusterState state)
    {
        if (Find(hint.Procedure) is { Plan: { } plan } entry)
        {
            await plan(InputReader.Read(JsonSerializer.SerializeToUtf8Bytes(hint.Input), entry.Input), state);
        }
    }

    private static Func<ProcedureInput, ClusterState, Task> By<TInput>(Func<TInput, ClusterState, Plan?> plan)
        where TInput : ProcedureInput =>
        (input, state) =>
        {
            plan((TInput)input, state);
            return Task.CompletedTask;
        };
}
