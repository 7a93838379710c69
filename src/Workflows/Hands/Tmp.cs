namespace PgFlow.Workflows;
internal static partial class Leases { public static Task EndBackupAsync(ClusterName c) => Task.CompletedTask; }
