namespace PgFlow.UnitTests.Procedures;

public sealed class RejoinTests
{
    /// <summary>An old primary that was cleanly stopped on timeline 1; the primary's line left it at
    /// 0/4000000.</summary>
    private static readonly Divergence Old = new(
        SameSystem: true,
        ControlState.ShutDown,
        StandbySignal: false,
        new(1),
        End: new(0x3000000),
        CanRewind: true,
        new(2),
        PrimaryWal: new(0x6000000),
        LeftAt: new(0x4000000)
    );

    private static readonly Divergence Standby = Old with
    {
        Control = ControlState.ShutDownInRecovery,
        StandbySignal = true,
    };

    public static TheoryData<string, Divergence, string> Cases =>
        new()
        {
            { "stopped before the fork", Old, nameof(RejoinStrategy.NoAction) },
            { "another timeline of the same number", Old with { Namesake = true }, nameof(RejoinStrategy.Rebuild) },
            {
                "its shutdown checkpoint begins at the fork",
                Old with
                {
                    End = new(0x4000000),
                },
                nameof(RejoinStrategy.Rewind)
            },
            { "stopped behind the fork", Old with { End = new(0x5000000) }, nameof(RejoinStrategy.Rewind) },
            { "crashed, wherever", Old with { Control = ControlState.InProduction }, nameof(RejoinStrategy.Rewind) },
            {
                "crashed, and nothing to rewind by",
                Old with
                {
                    Control = ControlState.InProduction,
                    CanRewind = false,
                },
                nameof(RejoinStrategy.Rebuild)
            },
            { "the line never was on its timeline", Old with { LeftAt = null }, nameof(RejoinStrategy.Rewind) },
            {
                "a higher number on another branch is no ancestor",
                Old with
                {
                    Timeline = new(7),
                    LeftAt = null,
                },
                nameof(RejoinStrategy.Rewind)
            },
            { "another system", Old with { SameSystem = false }, nameof(RejoinStrategy.Rebuild) },
            { "another system that looks fine", Standby with { SameSystem = false }, nameof(RejoinStrategy.Rebuild) },
            {
                "a standby that ended at the fork",
                Standby with
                {
                    End = new(0x4000000),
                },
                nameof(RejoinStrategy.NoAction)
            },
            {
                "a standby that replayed past the fork",
                Standby with
                {
                    End = new(0x4000001),
                },
                nameof(RejoinStrategy.Rewind)
            },
            {
                "a standby that was killed",
                Standby with
                {
                    Control = ControlState.InArchiveRecovery,
                },
                nameof(RejoinStrategy.NoAction)
            },
            {
                "a standby that lost its signal and was killed",
                Standby with
                {
                    Control = ControlState.InArchiveRecovery,
                    StandbySignal = false,
                },
                nameof(RejoinStrategy.Rewind)
            },
            {
                "a crash with a signal is a crash",
                Standby with
                {
                    Control = ControlState.InProduction,
                },
                nameof(RejoinStrategy.Rewind)
            },
            {
                "a standby on the primary's timeline",
                Standby with
                {
                    Timeline = new(2),
                    LeftAt = null,
                    End = new(0x6000000),
                },
                nameof(RejoinStrategy.NoAction)
            },
            {
                "more of the primary's own timeline than the primary",
                Standby with
                {
                    Timeline = new(2),
                    LeftAt = null,
                    End = new(0x6000001),
                },
                nameof(RejoinStrategy.Rebuild)
            },
            {
                "crashed on the primary's own timeline",
                Old with
                {
                    Timeline = new(2),
                    LeftAt = null,
                    Control = ControlState.InProduction,
                },
                nameof(RejoinStrategy.Rebuild)
            },
        };

    [Theory, MemberData(nameof(Cases))]
    public void Is_decided_by_history(string why, Divergence divergence, string kind)
    {
        Assert.NotEmpty(why);
        Assert.Equal(kind, Rejoin.From(divergence).Strategy.ToString());
    }
}
