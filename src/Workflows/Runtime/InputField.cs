using System.Reflection;
using System.Text.Json;

namespace PgFlow.Workflows.Runtime;

/// <summary>A field of an input that can be typed.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Name">Its name in JSON, as <c>externalNetwork</c>.</param>
/// <param name="Symbol">What is typed: <c>--external-network</c>, or the name of an argument in the help.</param>
/// <param name="Flag">What its procedure says of it.</param>
public sealed record InputField(Type Type, string Name, string Symbol, FlagAttribute Flag)
{
    /// <summary>Whether it is typed without a flag before it.</summary>
    public bool IsArgument => Flag.Place is not FlagPlace.Flag;

    /// <summary>Those of an input, the ones that it inherits first, targets in the order of their list.</summary>
    public static IReadOnlyList<InputField> Of(Type input) =>
        input == typeof(ProcedureInput) ? [] : [.. Of(input.BaseType!), .. DeclaredBy(input).OrderBy(TargetOrder)];

    private static IEnumerable<InputField> DeclaredBy(Type input) =>
        from property in input.GetProperties(BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Public)
        let flag = property.GetCustomAttribute<FlagAttribute>()
        where flag is not null
        select From(property, flag);

    private static InputField From(PropertyInfo property, FlagAttribute flag) =>
        new(
            Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType,
            JsonNamingPolicy.CamelCase.ConvertName(property.Name),
            flag.Place is FlagPlace.Flag
                ? $"--{JsonNamingPolicy.KebabCaseLower.ConvertName(property.Name)}"
                : property.Name.ToUpperInvariant(),
            flag
        );

    private static int TargetOrder(InputField field)
    {
        var place = TargetKind.All.Select(kind => kind.Field).ToList().IndexOf(field.Name);
        return place < 0 ? TargetKind.All.Count : place;
    }
}
