using System.CommandLine;
using Microsoft.Extensions.Configuration;

namespace PgFlow.Worker;

/// <summary>Puts flags, environment and file together.</summary>
internal static class ConfigurationLoader
{
    /// <summary>Never throws: what is wrong is added to <paramref name="problems"/>.</summary>
    public static IConfiguration Read(ParseResult line, Func<string, string?> environment, List<string> problems)
    {
        problems.AddRange(line.Errors.Select(error => error.Message));
        var builder = new ConfigurationBuilder();
        AddFile(
            builder,
            WorkerCommandLine.ValueOf(line, WorkerCommandLine.ConfigFile) ?? NullIfEmpty(environment("PGFLOW_CONFIG")),
            problems
        );
        return builder
            .AddInMemoryCollection(
                ConfigurationOption
                    .All.Select(setting =>
                        KeyValuePair.Create(setting.Path, NullIfEmpty(environment(setting.Variable)))
                    )
                    .Where(pair => pair.Value is not null)
            )
            .AddInMemoryCollection(WorkerCommandLine.ValuesOf(line))
            .Build();
    }

    private static void AddFile(ConfigurationBuilder builder, string? file, List<string> problems)
    {
        if (file is null)
        {
            return;
        }

        try
        {
            var content = new ConfigurationBuilder().AddJsonFile(Path.GetFullPath(file)).Build();
            problems.AddRange(Unknown(content).Select(path => $"{file}: there is no setting {path}"));
            builder.AddConfiguration(content);
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException)
        {
            problems.Add($"{file}: {e.InnerException?.Message ?? e.Message}");
        }
    }

    private static IEnumerable<string> Unknown(IConfiguration content) =>
        content
            .AsEnumerable()
            .Where(pair => pair.Value is not null)
            .Select(pair => pair.Key)
            .Except(
                [.. ConfigurationOption.All.Select(setting => setting.Path), .. TimeLimits.Paths],
                StringComparer.OrdinalIgnoreCase
            );

    private static string? NullIfEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
