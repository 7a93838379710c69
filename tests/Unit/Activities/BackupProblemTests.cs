namespace PgFlow.UnitTests.Activities;

/// <summary>What it means that a backup could not be recovered.</summary>
public sealed class BackupProblemTests
{
    [Theory]
    [InlineData("recovery", "XX001", true, "the recovery ended before 0/3000000")]
    [InlineData("recovery", "", true, "the recovery ended before 0/3000000")] // no word of it: it was cut off
    [InlineData("recovery", "53100", false, "the recovery ended before 0/3000000, for want of resources")]
    [InlineData("standstill", "0/2000000", false, "the recovery stands before 0/3000000 (0/2000000)")]
    [InlineData("promotion", "ended", true, "the recovered server ended when it was promoted")]
    [InlineData("promotion", "refused", false, "the recovered server can not be promoted")]
    [InlineData("database", "16384", false, "database 16384 can not be opened")]
    [InlineData("amcheck", "2", true, "what was recovered is damaged (pg_amcheck)")]
    [InlineData("amcheck", "1", false, "pg_amcheck could not be run")]
    [InlineData("dumpall", "XX002", true, "what was recovered is damaged (pg_dumpall)")]
    [InlineData("dumpall", "", false, "pg_dumpall could not be run")]
    [InlineData("check", "ended", true, "the recovered server ended while it was checked")]
    [InlineData("another", "3", false, "another: 3")]
    public void Only_what_the_backup_itself_may_have_done_is_damage(
        string stage,
        string reason,
        bool isDamage,
        string meaning
    ) => Assert.Equal((isDamage, meaning), new BackupProblem(stage, reason, "").Judge(new(0x3000000)));
}
