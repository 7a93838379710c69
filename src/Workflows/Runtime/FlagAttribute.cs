namespace PgFlow.Workflows.Runtime;

/// <summary>Where a field of an input stands on the command line.</summary>
public enum FlagPlace
{
    /// <summary>A flag: <c>--to-time</c> for <c>toTime</c>.</summary>
    Flag,

    /// <summary>An argument before the cluster.</summary>
    Before,

    /// <summary>An argument behind the cluster that must be given.</summary>
    Behind,

    /// <summary>An argument behind the cluster that may be left out.</summary>
    BehindOptional,
}

/// <summary>What a shell completes a value with, besides what its type says.</summary>
public enum FlagWords
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The IDs of the cluster's backups.</summary>
    Backups,

    /// <summary>The names of its restore points.</summary>
    RestorePoints,
}

/// <summary>Lets a field of a procedure's input be typed; the command line is made of these.</summary>
/// <param name="help">What it is.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class FlagAttribute(string help) : Attribute
{
    /// <summary>What it is.</summary>
    public string Help { get; } = help;

    /// <summary>What stands for its value in the help, as <c>TIME</c>; made of its type where none is given.</summary>
    public string? Value { get; init; }

    /// <summary>Where it stands.</summary>
    public FlagPlace Place { get; init; }

    /// <summary>What completes it.</summary>
    public FlagWords Words { get; init; }
}
