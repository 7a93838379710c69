using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Temporalio.Activities;
using Temporalio.Workflows;

namespace PgFlow.UnitTests.Runtime;

/// <summary>What people's scripts, their alarms and the histories of running procedures rely on, as text.</summary>
internal sealed class Contract
{
    private readonly SortedDictionary<string, Type> _named = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string[]> _lines = new(StringComparer.Ordinal);
    private readonly StringBuilder _text = new();

    public static string File { get; } = Path.Combine(Path.GetDirectoryName(Here())!, "../../../docs/contract.txt");

    public static string Today() => new Contract().Write();

    private static Type[] Types => typeof(Procedure).Assembly.GetTypes();

    private string Write()
    {
        _text.Append(
            "# What others rely on; docs/contributing.md says what may change, and how this file is written anew.\n"
        );
        Section("Workflows: input fields, result", Types.Where(IsWorkflow).SelectMany(Workflow));
        Section("Queries, updates, signals", Types.Where(IsWorkflow).SelectMany(Handlers).Distinct());
        Section("Failure types", Constants<string>(typeof(FailureTypes)));
        Section("Exit codes", Constants<int>(typeof(ExitCodes)), sorted: false);
        Section("Search attributes", Attributes.All.Select(pair => $"{pair.Key}: {pair.Value}"));
        Section(
            "IDs of leases",
            Enum.GetValues<LeaseKind>().Select(kind => ClusterLease.IdOf(ClusterName.Parse("demo"), kind))
        );
        Section("Activities: parameters, result", Types.SelectMany(type => type.GetMethods()).SelectMany(Activity));
        Section("JSON", Described(), sorted: false);
        return _text.ToString();
    }

    private static bool IsWorkflow(Type type) => type.IsDefined(typeof(WorkflowAttribute), inherit: false);

    private void Section(string title, IEnumerable<string> lines, bool sorted = true)
    {
        string[] all = [.. sorted ? lines.Order(StringComparer.Ordinal) : lines];
        _text.Append('\n').Append("## ").Append(title).Append('\n').Append(string.Join('\n', all)).Append('\n');
    }

    private IEnumerable<string> Workflow(Type type)
    {
        var run = type.GetMethods().Single(method => method.IsDefined(typeof(WorkflowRunAttribute)));
        var fields = run.GetParameters()
            .SelectMany(input => PgFlowJson.Options.GetTypeInfo(input.ParameterType).Properties)
            .Where(field => field.Get is not null || field.Set is not null);
        return
        [
            .. fields.Select(field => $"{type.Name}.{field.Name}: {Name(field.PropertyType)}"),
            $"{type.Name} -> {Name(run.ReturnType)}",
        ];
    }

    private IEnumerable<string> Handlers(Type type)
    {
        var methods = type.GetMembers(BindingFlags.Public | BindingFlags.Instance);
        foreach (var member in methods)
        {
            var of = member.DeclaringType!.IsGenericType ? "Procedure" : member.DeclaringType.Name;
            if (member.GetCustomAttribute<WorkflowQueryAttribute>() is { } query)
            {
                yield return $"{of}: query {query.Name} -> {Name(((PropertyInfo)member).PropertyType)}";
            }
            else if (member.GetCustomAttribute<WorkflowUpdateAttribute>() is { } update)
            {
                yield return $"{of}: update {update.Name}{Signature((MethodInfo)member)}";
            }
            else if (member.GetCustomAttribute<WorkflowSignalAttribute>() is not null)
            {
                var name = member.Name.Replace("Async", "", StringComparison.Ordinal);
                yield return $"{of}: signal {name}{Signature((MethodInfo)member)}";
            }
        }
    }

    private IEnumerable<string> Activity(MethodInfo method) =>
        method.IsDefined(typeof(ActivityAttribute)) ? [$"{method.Name[..^"Async".Length]}{Signature(method)}"] : [];

    private string Signature(MethodInfo method) =>
        "("
        + string.Join(
            ", ",
            method.GetParameters().Select(parameter => $"{parameter.Name}: {Name(parameter.ParameterType)}")
        )
        + $") -> {Name(method.ReturnType)}";

    private static IEnumerable<string> Constants<T>(Type type) =>
        type.GetFields()
            .Where(field => field.IsLiteral && field.FieldType == typeof(T))
            .Select(field => $"{field.Name}: {field.GetRawConstantValue()}");

    /// <summary>Every record and enum that a signature names, and those that these name.</summary>
    private IEnumerable<string> Described()
    {
        var done = new HashSet<string>();
        while (_named.FirstOrDefault(pair => !done.Contains(pair.Key)) is { Value: { } type, Key: { } name })
        {
            done.Add(name);
            _lines[name] = [.. LinesOf(type)];
        }

        return _lines.SelectMany(pair => pair.Value.Select(line => $"{pair.Key}.{line}"));
    }

    private IEnumerable<string> LinesOf(Type type) =>
        type switch
        {
            { IsEnum: true } =>
            [
                string.Join(" | ", Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName)),
            ],
            _ when type == typeof(RecoveryTarget) => [.. TargetKind.All.Select(kind => kind.Name), "timeline"],
            _ => PgFlowJson
                .Options.GetTypeInfo(type)
                .Properties.Where(field => field.Get is not null || field.Set is not null)
                .Select(field => $"{field.Name}: {Name(field.PropertyType)}"),
        };

    /// <summary>How JSON shows it: a name for what is described below, else its kind.</summary>
    private string Name(Type type)
    {
        if (type == typeof(Task) || type == typeof(void))
        {
            return "nothing";
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Task<>))
        {
            return Name(type.GenericTypeArguments[0]);
        }

        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return $"{Name(value)}?";
        }

        var info = PgFlowJson.Options.GetTypeInfo(type);
        return info.Kind switch
        {
            JsonTypeInfoKind.Enumerable => $"{Name(info.ElementType!)}[]",
            JsonTypeInfoKind.Dictionary => $"{{string: {Name(info.ElementType!)}}}",
            JsonTypeInfoKind.Object => Describe(type),
            _ when type.IsEnum || type == typeof(RecoveryTarget) => Describe(type),
            _ => type.Name,
        };
    }

    private string Describe(Type type)
    {
        _named.TryAdd(type.Name, type);
        return type.Name;
    }

    private static string Here([CallerFilePath] string path = "") => path;
}
