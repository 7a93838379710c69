namespace PgFlow.UnitTests.Activities;

public sealed class SocketSessionTests
{
    [Theory]
    [InlineData("plain", "E'plain'::text")]
    [InlineData("it's", @"E'it\'s'::text")]
    [InlineData(@"\", @"E'\\'::text")]
    [InlineData(@"\'; DROP TABLE t; --", @"E'\\\'; DROP TABLE t; --'::text")]
    public void A_value_can_not_end_its_literal(string value, string literal) =>
        Assert.Equal(literal, SocketSession.Literal(value));

    [Fact]
    public void Psql_s_complaint_is_the_server_s_error()
    {
        var error = SocketSession.ErrorIn(
            "ERROR:  55000: recovery is not in progress\nHINT:  none\nLOCATION:  pg_promote, xlogfuncs.c:697\n"
        );
        Assert.Equal(("55000", "recovery is not in progress"), (error?.SqlState, error?.MessageText));
        Assert.Null(
            SocketSession.ErrorIn(
                "psql: error: connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed: No "
                    + "such file or directory"
            )
        );
    }
}
