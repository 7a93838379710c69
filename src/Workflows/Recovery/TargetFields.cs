namespace PgFlow.Workflows;
internal static class TargetFields { public static (RecoveryTarget? Target, IReadOnlyList<string> Problems) Read(string? toTime, string? toPoint, string? toLsn, string? toXid, string? toBackup, bool latest, uint? timeline) => (new() { Lsn = toLsn is null ? null : Lsn.Parse(toLsn), Latest = latest }, []); }
