namespace PgFlow.UnitTests.Procedures;

/// <summary>Values are judged as PostgreSQL does, by what pg_settings says.</summary>
public sealed class SettingTests
{
    private static readonly Setting Memory = new("shared_buffers", "integer", "postmaster", "16384")
    {
        Unit = "8kB",
        Minimum = "16",
        Maximum = "1073741823",
    };

    private static readonly Setting Time = new("checkpoint_timeout", "integer", "sighup", "300")
    {
        Unit = "s",
        Minimum = "30",
        Maximum = "86400",
    };

    private static readonly Setting Plain = new("max_connections", "integer", "postmaster", "100")
    {
        Minimum = "1",
        Maximum = "262143",
    };

    private static readonly Setting Real = new("checkpoint_completion_target", "real", "sighup", "0.9")
    {
        Minimum = "0",
        Maximum = "1",
    };

    private static readonly Setting Level = new("wal_compression", "enum", "superuser", "off")
    {
        Choices = ["pglz", "lz4", "on", "off"],
    };

    private static readonly Setting Flag = new("log_checkpoints", "bool", "sighup", "on");

    public static TheoryData<Setting, string, double> Numbers =>
        new()
        {
            { Memory, "16384", 16384 },
            { Memory, "128MB", 16384 },
            { Memory, " 0.5 GB ", 65536 },
            { Time, "5min", 300 },
            { Time, "1h", 3600 },
            { Plain, "200", 200 },
            { Real, "0.5", 0.5 },
        };

    [Theory, MemberData(nameof(Numbers))]
    public void Units_are_those_of_PostgreSQL(Setting setting, string value, double number)
    {
        Assert.Null(setting.ProblemOf(value));
        Assert.Equal(number, setting.Number(value));
    }

    public static TheoryData<Setting, string, string> Wrong =>
        new()
        {
            {
                Memory,
                "128mb",
                "\"128mb\" is not valid; expected an integer in 8kB, or with a unit of B, kB, MB, GB, TB"
            },
            {
                Memory,
                "1min",
                "\"1min\" is not valid; expected an integer in 8kB, or with a unit of B, kB, MB, GB, TB"
            },
            { Memory, "8kB", "\"8kB\" is outside the valid range (16 .. 1073741823 in 8kB)" },
            { Plain, "many", "\"many\" is not valid; expected an integer without a unit" },
            { Plain, "1GB", "\"1GB\" is not valid; expected an integer without a unit" },
            { Plain, "0", "\"0\" is outside the valid range (1 .. 262143)" },
            { Real, "1.5", "\"1.5\" is outside the valid range (0 .. 1)" },
            { Level, "zip", "\"zip\" is not valid; expected pglz, lz4, on, off" },
            { Flag, "perhaps", "\"perhaps\" is not valid; expected on or off" },
            { Flag with { Type = "string" }, "a\nb", "has a control character" },
            { Plain with { IsOwned = true }, "5", "is PgFlow's own" },
            { Plain with { Context = "internal" }, "5", "can't be changed" },
        };

    [Theory, MemberData(nameof(Wrong))]
    public void What_PostgreSQL_would_not_take_is_said(Setting setting, string value, string problem) =>
        Assert.Equal(problem, setting.ProblemOf(value));

    [Fact]
    public void The_same_value_in_another_unit_is_in_force()
    {
        Assert.True(Memory.Has("128MB"));
        Assert.False(Memory.Has("256MB"));
        Assert.True(Level.Has("OFF"));
    }
}
