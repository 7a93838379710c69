using System.Globalization;
using System.Text.RegularExpressions;

namespace PgFlow.Workflows.Values;

/// <summary>What a primary demands before it acknowledges a commit, as synchronous_standby_names says it.</summary>
/// <param name="Number">How many standbys confirm.</param>
/// <param name="Names">Of whom; <see cref="Anybody"/> where others may, too.</param>
internal sealed partial record Demand(int Number, IReadOnlyList<string> Names)
{
    /// <summary>Any standby, whatever its name.</summary>
    public const string Anybody = "*";

    /// <summary>Nobody is asked.</summary>
    public static Demand None { get; } = new(0, []);

    /// <summary>Whether nobody is asked.</summary>
    public bool IsNone => Number < 1 || Names.Count == 0;

    /// <summary>How many standbys a commit waits for.</summary>
    public int Confirmations => IsNone ? 0 : Number;

    /// <summary>Those of them that are nodes.</summary>
    public IReadOnlyList<NodeName> Nodes =>
        [
            .. Names
                .Select(name => NodeName.TryParse(name, null, out var node) ? node : (NodeName?)null)
                .OfType<NodeName>(),
        ];

    /// <summary>So many of those nodes, or as many as there are.</summary>
    public static Demand Of(int number, IEnumerable<NodeName> nodes)
    {
        string[] names = [.. nodes.Distinct().Order().Select(name => name.ToString())];
        return new(Math.Min(number, names.Length), names);
    }

    /// <summary>Reads a setting that PgFlow or a person wrote: <c>ANY 2 (p2, p3)</c>, <c>FIRST 1 (p2, p3)</c>, or a
    /// list, of which the first that is connected confirms.</summary>
    /// <remarks>Which of the FIRST ones confirmed a commit depends on who was connected then: it is one of the list all
    /// the same.</remarks>
    public static Demand Parse(string setting)
    {
        var counted = Counted().Match(setting);
        var list = Name().Matches(counted.Success ? counted.Groups["list"].Value : setting);
        var names = list.Select(name => name.Value.Trim('"')).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var number = 1;
        return
            counted.Success && !int.TryParse(counted.Groups["number"].Value, CultureInfo.InvariantCulture, out number)
            ? new(int.MaxValue, names) // more than anybody has: it was never met
            : new(number, names);
    }

    /// <inheritdoc/>
    public override string ToString() => IsNone ? "" : $"ANY {Number} ({string.Join(", ", Names)})";

    /// <summary>Whether commits go on while <paramref name="streaming"/> confirm.</summary>
    public bool IsMetBy(IReadOnlyCollection<NodeName> streaming) => IsNone || streaming.Count(MayBeGivenBy) >= Number;

    /// <summary>Whether a node's confirmation counts.</summary>
    public bool MayBeGivenBy(NodeName node) =>
        Names.Contains(Anybody) || Names.Contains(node.ToString(), StringComparer.OrdinalIgnoreCase);

    /// <summary>Who is not among <paramref name="read"/>, where those alone may have confirmed a commit; none where
    /// every commit is on one that is.</summary>
    /// <remarks>Each commit is on <see cref="Number"/> of the n that are named. One of those is read if at least
    /// n - <see cref="Number"/> + 1 are, that is, if fewer than <see cref="Number"/> are missing.</remarks>
    public IReadOnlyList<string> MissingFrom(IEnumerable<NodeName> read)
    {
        var there = read.Select(node => node.ToString()).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var missing = Names.Where(name => !there.Contains(name)).ToList();
        return missing.Count < Number && !missing.Contains(Anybody) ? [] : missing;
    }

    /// <summary>Whether what was confirmed by this is confirmed by <paramref name="next"/> too: enough of those that
    /// confirmed it are named there.</summary>
    public bool Implies(Demand next) =>
        next.IsNone
        || (
            !Names.Contains(Anybody)
            && next.Number <= Confirmations - Names.Except(next.Names, StringComparer.OrdinalIgnoreCase).Count()
        );

    /// <summary>What can be demanded now: of those that stream, and of those that are asked already, since one that is
    /// away for a moment comes back. No more are demanded than stream, except where as many are already and nobody is
    /// taken away.</summary>
    /// <param name="quorum">How many are meant to confirm.</param>
    /// <param name="streaming">Who streams.</param>
    /// <param name="without">Who is not asked any more.</param>
    public Demand Next(
        int quorum,
        IReadOnlyCollection<NodeName> streaming,
        IReadOnlyCollection<NodeName>? without = null
    )
    {
        List<NodeName> able = [.. streaming.Except(without ?? [])];
        List<NodeName> names = [.. Nodes.Except(without ?? []).Union(able).Order()];
        var number = Math.Min(
            Math.Min(quorum, names.Count),
            Math.Max(without is { Count: > 0 } ? 0 : Confirmations, able.Count)
        );
        return number == 0 ? None : Of(number, names);
    }

    /// <summary>The same without a node's own name: no node confirms its own commits.</summary>
    public Demand Without(NodeName node) =>
        this with
        {
            Names = [.. Names.Where(name => !name.Equals(node.ToString(), StringComparison.OrdinalIgnoreCase))],
        };

    [GeneratedRegex(
        @"^\s*(?:(?:ANY|FIRST)\s+)?(?<number>[0-9]+)\s*\((?<list>.*)\)\s*$",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase
    )]
    private static partial Regex Counted();

    [GeneratedRegex("\"(?:[^\"]|\"\")*\"|[^,\\s]+", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
