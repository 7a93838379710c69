namespace PgFlow.Workflows.Observation;

/// <summary>Makes a verdict of one look after the other: none rests on a single one but that all is well.</summary>
/// <param name="known">The verdict that is known already, and is no news.</param>
/// <param name="seen">The primary when it was last well.</param>
/// <param name="wanted">What else is news.</param>
internal sealed class WitnessJudge(WitnessVerdict? known, PrimarySeen? seen, WantedNews? wanted = null)
{
    /// <summary>What is waited for so long is no mishap of a busy host.</summary>
    public static readonly TimeSpan Alert = TimeSpan.FromSeconds(3);

    /// <summary>A daemon that is restarted is back by then, and has started the nodes again.</summary>
    public static readonly TimeSpan DockerBack = TimeSpan.FromSeconds(10);

    /// <summary>A start that shows nothing new for so long makes no progress. Long, since PostgreSQL says nothing while
    /// it syncs the data directory or writes the checkpoint at the end of a recovery.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>What was seen says nothing of today when nobody could see for so long whether it wrote on.</summary>
    public static readonly TimeSpan Gap = TimeSpan.FromSeconds(30);

    /// <summary>What stood against a failover may be over by then.</summary>
    public static readonly TimeSpan Reconsider = TimeSpan.FromMinutes(1);

    /// <summary>How often in a row Docker's host and the standbys must say that the primary is down.</summary>
    public const int Signs = 2;

    /// <summary>A server that Docker has to start more often can't start.</summary>
    public const int MostStarts = 3;

    /// <summary>A standby that has streamed within this time counts as one that did until now: the last look may have
    /// missed it, or have come in between.</summary>
    public static readonly TimeSpan Streamed = TimeSpan.FromSeconds(10);

    private readonly HashSet<string> _startup = [];
    private readonly Dictionary<NodeName, DateTimeOffset> _streamedAt = OfThoseIn(seen);
    private (DateTimeOffset Since, int Looks) _streak;
    private (DateTimeOffset At, int Starts, bool Restarting) _progress;
    private DateTimeOffset? _awayAt;
    private DateTimeOffset? _toldAt;
    private DateTimeOffset? _enoughAt;

    /// <summary>The primary when it was last well.</summary>
    public PrimarySeen? Seen { get; private set; } = seen;

    /// <summary>What the last look said.</summary>
    public WitnessVerdict? Newest { get; private set; }

    /// <summary>How long until the next look. A first sign that the primary is down is looked into sooner: Docker
    /// decides within 0.1 s whether it starts a container again.</summary>
    public TimeSpan Rest =>
        TimeSpan.FromSeconds(Newest is { Finding: WitnessFinding.Down } && _streak.Looks < Signs ? 0.2 : 0.5);

    /// <summary>Takes one more look into account.</summary>
    /// <returns>A verdict that is news; null as long as there is none.</returns>
    public WitnessVerdict? After(Look look)
    {
        _awayAt = look.Docker is DockerAnswer.Away ? look.At : _awayAt;
        Seen = StillTrue(look);
        var verdict = WitnessVerdict.Of(look, Seen, IsStuck(look));
        if (verdict.SaysNothing && look.At - _toldAt < Alert)
        {
            return null; // it neither counts nor speaks against what the looks around it say
        }

        _toldAt = look.At;
        _streak = verdict.IsSameAs(Newest) ? (_streak.Since, _streak.Looks + 1) : (look.At, 1);
        Newest = verdict;
        _enoughAt = verdict.Streaming >= wanted?.Confirmations ? _enoughAt ?? look.At : null;
        if (verdict is { Finding: WitnessFinding.Well or WitnessFinding.Stalled, Seen: { } now })
        {
            Seen = now with { Streaming = StreamingTo(now) };
            Newest = verdict with { Seen = Seen };
        }

        return IsNews(verdict, look.At) ? Newest : null;
    }

    /// <summary>What is remembered of the primary, as long as it has been seen, or seen not to write.</summary>
    private PrimarySeen? StillTrue(Look look) =>
        Seen is null || look.At - Seen.LookedAt > Gap ? null
        : look.Nodes.Any(node => node.Name == Seen.Node && node.WritesNothing) ? Seen with { LookedAt = look.At }
        : Seen;

    private static Dictionary<NodeName, DateTimeOffset> OfThoseIn(PrimarySeen? seen) =>
        seen?.Streaming.ToDictionary(name => name, _ => seen.At) ?? [];

    /// <summary>Who streams from the primary, or did so a moment ago.</summary>
    private IReadOnlyList<NodeName> StreamingTo(PrimarySeen now)
    {
        if (now.Node != Seen?.Node)
        {
            _streamedAt.Clear();
        }

        foreach (var name in now.Streaming)
        {
            _streamedAt[name] = now.At;
        }

        return
        [
            .. _streamedAt.Where(standby => now.At - standby.Value <= Streamed).Select(standby => standby.Key).Order(),
        ];
    }

    private bool IsNews(WitnessVerdict verdict, DateTimeOffset now) =>
        verdict.Finding switch
        {
            WitnessFinding.Down => _streak.Looks >= Signs
                && !(now - _awayAt < DockerBack)
                && (!verdict.IsSameAs(known) || now - _streak.Since >= Reconsider),
            WitnessFinding.Stalled when verdict.IsSameAs(known) => now - _streak.Since >= wanted?.StalledFor,
            WitnessFinding.Well when verdict.IsSameAs(known) => now - _enoughAt >= Reconsider,
            _ when verdict.IsSameAs(known) => false,
            WitnessFinding.Well => true,
            WitnessFinding.Blind => now - _streak.Since >= DockerBack,
            _ => now - _streak.Since >= Alert,
        };

    /// <summary>Whether the primary's start makes no progress. That Docker starts it again is none.</summary>
    private bool IsStuck(Look look)
    {
        var starting = look.Nodes.FirstOrDefault(node =>
            node.HoldsEndpoint && (node.Server is ServerSign.Starting || node.Container is ContainerSign.Restarting)
        );
        if (starting is null)
        {
            if (look.Nodes.Any(node => node.Server is ServerSign.Writes))
            {
                _startup.Clear();
                _progress = default;
            }

            return false;
        }

        var restarting = starting.Container is ContainerSign.Restarting;
        var known = _startup.Count;
        _startup.UnionWith(starting.Startup ?? []);
        _progress = (
            _progress.At == default || _startup.Count > known || starting.Startup is null ? look.At : _progress.At,
            _progress.Starts + (restarting && !_progress.Restarting ? 1 : 0),
            restarting
        );
        return _progress.Starts > MostStarts || look.At - _progress.At >= Patience;
    }
}
