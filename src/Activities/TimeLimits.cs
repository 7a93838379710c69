using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace PgFlow.Activities;

/// <summary>How long what is waited for may take; section <see cref="Section"/> of the worker's configuration, each as
/// <c>hh:mm:ss</c>.</summary>
/// <remarks>Not here: intervals of polling; what bounds how old a permission to change something can be
/// (<see cref="Permit"/>); the instants that clients wait for while an endpoint moves; and what a person gives a
/// procedure (<c>stopWithinSeconds</c>).</remarks>
public sealed class TimeLimits
{
    /// <summary>The section's name.</summary>
    public const string Section = $"{ActivityHostOptions.Section}:Limits";

    /// <summary>All of them, as they are called in the configuration.</summary>
    public static IReadOnlyList<string> Paths { get; } =
    [
        .. typeof(TimeLimits)
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Select(limit => PathOf(limit.Name)),
    ];

    /// <summary>A call to Docker's daemon; it answers within milliseconds, and a busy disk takes seconds.</summary>
    public TimeSpan Docker { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>A pull of a missing image.</summary>
    public TimeSpan Pull { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>The next piece of what a program in a container prints.</summary>
    public TimeSpan Stream { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>A program that reads archive and backups, however large they are.</summary>
    public TimeSpan RepositoryContents { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>A login, and a question that a healthy node answers at once.</summary>
    public TimeSpan Statement { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The second try of a login to a node that is there and slow.</summary>
    public TimeSpan Login { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>The start of psql in a container, on top of its statement; a busy machine takes seconds.</summary>
    public TimeSpan Psql { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>A fast stop where nobody has said how long it may take.</summary>
    public TimeSpan FastStop { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>The end of a container that was killed; longer only where its disk does not answer.</summary>
    public TimeSpan Kill { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The candidate of a switchover that stands still although it has all that it will get, while clients
    /// wait.</summary>
    public TimeSpan Candidate { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A promotion; below an attempt's own limit, so that it says itself what it waits for.</summary>
    public TimeSpan Promotion { get; set; } = TimeSpan.FromSeconds(50);

    /// <summary>A node that is told to read its settings again.</summary>
    public TimeSpan Reload { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Clients' connections to a node that leaves an endpoint: where new ones come as fast as others are
    /// refused, there is no instant without any.</summary>
    public TimeSpan Close { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>One segment's way into the archive; below an attempt's own limit.</summary>
    public TimeSpan Archive { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>All segments that a promoted standby has and the archive lacks.</summary>
    public TimeSpan ArchiveAll { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>What a procedure that was asked to end may need to tidy up.</summary>
    public TimeSpan Cancel { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The answer of another procedure: a worker answers within milliseconds, or there is none that
    /// can.</summary>
    public TimeSpan Answer { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>A webhook's answer, and the program that is run for a notification; below an attempt's own
    /// limit.</summary>
    public TimeSpan Notification { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Where an attempt of the activity that waits has no longer.</summary>
    private static readonly Dictionary<string, TimeSpan> Most = new(StringComparer.Ordinal)
    {
        [PathOf(nameof(FastStop))] = TimeSpan.FromSeconds(30),
        [PathOf(nameof(Candidate))] = TimeSpan.FromSeconds(30),
        [PathOf(nameof(Archive))] = TimeSpan.FromSeconds(35),
        [PathOf(nameof(Promotion))] = TimeSpan.FromSeconds(110),
        [PathOf(nameof(Notification))] = TimeSpan.FromSeconds(50),
    };

    /// <summary>What is wrong in a configuration: values that are no time, or too long.</summary>
    public static IEnumerable<string> Problems(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        foreach (var path in Paths)
        {
            if (configuration[path] is not { } text)
            {
                continue;
            }

            var most = Most.GetValueOrDefault(path, TimeSpan.FromDays(1) - TimeSpan.FromSeconds(1));
            if (
                !TimeSpan.TryParseExact(text, @"hh\:mm\:ss", CultureInfo.InvariantCulture, out var time)
                || time <= TimeSpan.Zero
                || time > most
            )
            {
                yield return $"{path}: '{text}' is not a time as hh:mm:ss, above zero and at most {most}";
            }
        }
    }

    private static string PathOf(string limit) => $"{Section}:{limit}";
}
