using System.Runtime.CompilerServices;

namespace PgFlow.UnitTests.Cli;

/// <summary>What these tests expect to be shown is in UTC, wherever they run.</summary>
internal static class MachineZone
{
    [ModuleInitializer]
    internal static void Set() => Environment.SetEnvironmentVariable("TZ", "UTC");
}
