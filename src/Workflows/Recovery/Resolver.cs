namespace PgFlow.Workflows;

/// <summary>Turns a target into one branch, one position and one backup. Pure but for the WAL that it has read.</summary>
public static class Resolver
{
    /// <summary>Resolves <paramref name="target"/>.</summary>
    /// <exception cref="Temporalio.Exceptions.ApplicationFailureException">It can't be had (<see cref="Ends.Refused"/>); the message says what can.</exception>
    public static Task<ResolvedTarget> ResolveAsync(Catalogue catalogue, RecoveryTarget target, IWalReader wal)
    {
        ArgumentNullException.ThrowIfNull(catalogue);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(wal);
        throw Ends.Refuse("not there yet");
    }
}
