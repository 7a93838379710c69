using System.Text.RegularExpressions;
using Npgsql;

namespace PgFlow.Activities.Postgres;

/// <summary>SQL in spans: never with its literals, since one may be a password's verifier.</summary>
internal static partial class SqlTrace
{
    private const int MostCharacters = 1000;

    public static void Configure(NpgsqlTracingOptionsBuilder tracing) =>
        tracing.ConfigureCommandEnrichmentCallback(
            (span, command) =>
            {
                foreach (var (name, value) in span.TagObjects.ToList())
                {
                    if (value is string text && text == command.CommandText)
                    {
                        span.SetTag(name, Sanitized(text));
                    }
                }
            }
        );

    internal static string Sanitized(string sql)
    {
        var text = Literal().Replace(sql, "'?'");
        return text.Length > MostCharacters ? $"{text[..MostCharacters]}…" : text;
    }

    [GeneratedRegex(@"'(?:[^'\\]|''|\\.)*'|\$(?<tag>\w*)\$.*?\$\k<tag>\$", RegexOptions.Singleline)]
    private static partial Regex Literal();
}
