using Npgsql;

namespace PgFlow.Activities.Postgres;

/// <summary>PgFlow could not log in to a node.</summary>
/// <param name="problem">What is wrong.</param>
/// <param name="cause">What was thrown.</param>
internal sealed class LoginException(LoginProblem problem, Exception? cause = null) : IOException(problem.Detail, cause)
{
    public LoginProblem Problem => problem;

    /// <summary>Whether a server is there that refuses this login, and may let another one in.</summary>
    public bool IsRefusal => problem.Kind is not (LoginProblemKind.NoAnswer or LoginProblemKind.NotNow);

    /// <summary>What a failed login, or the end of a session, says of its server.</summary>
    public static LoginException Of(Exception failure) =>
        failure switch
        {
            LoginException known => known,
            PostgresException refusal => new(
                new(KindOf(refusal.SqlState), $"{refusal.SqlState}: {refusal.MessageText}"),
                refusal
            ),
            NoPasswordException noPassword => new(new(LoginProblemKind.Authentication, noPassword.Message), noPassword),
            _ => new(new(LoginProblemKind.NoAnswer, failure.InnerException?.Message ?? failure.Message), failure),
        };

    private static LoginProblemKind KindOf(string state) =>
        state switch
        {
            "57P01" or "57P02" or "57P03" => LoginProblemKind.NotNow,
            "53300" => LoginProblemKind.ConnectionsUsedUp,
            "28000" or "28P01" or "42501" => LoginProblemKind.Authentication, // the last one: no superuser any more
            "3D000" or "55000" => LoginProblemKind.Database,
            "XX001" or "XX002" => LoginProblemKind.Damaged,
            _ => LoginProblemKind.Refused,
        };
}
