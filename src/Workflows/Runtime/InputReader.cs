using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace PgFlow.Workflows.Runtime;

/// <summary>Reads a procedure's input field by field and collects everything that is wrong instead of stopping at the
/// first.</summary>
public static class InputReader
{
    /// <summary>An input of <paramref name="type"/> with what could be read; <see cref="ProcedureInput.Unreadable"/>
    /// has the rest.</summary>
    public static ProcedureInput Read(ReadOnlyMemory<byte> json, Type type)
    {
        var info = PgFlowJson.Options.GetTypeInfo(type);
        var input = (ProcedureInput)info.CreateObject!();
        var problems = new List<InputProblem>();
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind is JsonValueKind.Object)
            {
                ReadFields(document.RootElement, info, input, problems);
            }
            else
            {
                problems.Add(
                    new(
                        InputProblem.Whole,
                        $"expected a JSON object, as {{\"cluster\": \"demo\"}}, got {Kind(document.RootElement)}"
                    )
                );
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a text that is no Unicode (half of a surrogate pair, bytes that are no UTF-8),
            // found only when it is read.
            problems.Add(new(InputProblem.Whole, $"is no JSON: {(json.IsEmpty ? "it is empty" : e.Message)}"));
        }

        return input with
        {
            Unreadable = problems,
        };
    }

    /// <summary>The names of the fields that <paramref name="type"/> has.</summary>
    public static IEnumerable<string> Fields(Type type) =>
        Settable(PgFlowJson.Options.GetTypeInfo(type)).Select(field => field.Name);

    private static IEnumerable<JsonPropertyInfo> Settable(JsonTypeInfo info) =>
        info.Properties.Where(field => field.Set is not null);

    private static void ReadFields(
        JsonElement json,
        JsonTypeInfo info,
        ProcedureInput input,
        List<InputProblem> problems
    )
    {
        var fields = Settable(info).ToDictionary(field => field.Name, StringComparer.OrdinalIgnoreCase);
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var given in json.EnumerateObject())
        {
            if (!fields.TryGetValue(given.Name, out var field))
            {
                problems.Add(
                    new(
                        given.Name,
                        "unknown field; valid fields: "
                            + $"{string.Join(", ", fields.Keys.Order(StringComparer.Ordinal))}"
                    )
                );
            }
            else if (!seen.Add(given.Name))
            {
                problems.Add(new(field.Name, "is given twice"));
            }
            else if (ReadField(given.Value, field, input) is { } problem)
            {
                problems.Add(new(field.Name, problem));
            }
        }
    }

    private static string? ReadField(JsonElement given, JsonPropertyInfo field, ProcedureInput input)
    {
        if (given.ValueKind is JsonValueKind.Null)
        {
            return null; // a field left empty in a form
        }

        try
        {
            field.Set!(input, given.Deserialize(field.PropertyType, PgFlowJson.Options));
            return null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return $"expected {Wanted(field.PropertyType)}, got {Kind(given)}";
        }
    }

    private static string Wanted(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) switch
        {
            var t when t == typeof(ClusterName) => ClusterName.Syntax,
            var t when t == typeof(NodeName) => $"a node's name ({NodeName.Syntax})",
            var t when t == typeof(Lsn) => Lsn.Syntax,
            var t when t == typeof(bool) => "true or false",
            var t when t == typeof(int) || t == typeof(uint) => "an integer",
            var t when t == typeof(string) => "a string",
            var t when t == typeof(IReadOnlyList<string>) => "an array of strings",
            { IsEnum: true } t =>
                $"one of {string.Join(", ", Enum.GetNames(t).Select(JsonNamingPolicy.CamelCase.ConvertName))}",
            var t => t.Name,
        };

    private static string Kind(JsonElement given) =>
        given.ValueKind switch
        {
            JsonValueKind.Array => "an array",
            JsonValueKind.Object => "an object",
            _ => given.GetRawText(),
        };
}
