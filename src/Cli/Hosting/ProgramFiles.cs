namespace PgFlow.Cli.Hosting;

/// <summary>Where the programs are that pgflow starts.</summary>
internal static class ProgramFiles
{
    private static readonly string Suffix = OperatingSystem.IsWindows() ? ".exe" : "";

    /// <summary>Beside pgflow, else PGFLOW_WORKER, else in the checkout.</summary>
    public static string Worker() =>
        new[]
        {
            Path.Combine(AppContext.BaseDirectory, $"pgflow-worker{Suffix}"),
            Environment.GetEnvironmentVariable("PGFLOW_WORKER"),
            BuiltWorker(),
        }.FirstOrDefault(File.Exists)
        ?? throw new CliError(
            ExitCodes.Usage,
            "the program pgflow-worker is not there",
            $"it is neither in {AppContext.BaseDirectory}, nor named by PGFLOW_WORKER, nor built in a checkout",
            "build it: dotnet build src/Worker"
        );

    /// <summary>Given, else PGFLOW_TEMPORAL_CLI, else on the PATH, else in the folder PGFLOW_PROGRAMS; null where it
    /// must be downloaded.</summary>
    public static string? TemporalCli(string? given)
    {
        foreach (
            var named in new[] { given, Environment.GetEnvironmentVariable("PGFLOW_TEMPORAL_CLI") }.Where(path =>
                !string.IsNullOrEmpty(path)
            )
        )
        {
            return File.Exists(named)
                ? named
                : throw new CliError(
                    ExitCodes.Usage,
                    $"there is no program {named}",
                    hint: "name Temporal's command line program with --temporal-cli or PGFLOW_TEMPORAL_CLI"
                );
        }

        return Find(
            "temporal",
            [Environment.GetEnvironmentVariable("PATH"), Environment.GetEnvironmentVariable("PGFLOW_PROGRAMS")]
        );
    }

    public static string? Find(string program, IEnumerable<string?> folders) =>
        folders
            .SelectMany(list => (list ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            .Select(folder => Path.Combine(folder, program + Suffix))
            .FirstOrDefault(File.Exists);

    /// <summary>The newest build of the checkout that pgflow itself was built in.</summary>
    private static string? BuiltWorker()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var built = new DirectoryInfo(Path.Combine(folder.FullName, "src", "Worker", "bin"));
            if (built.Exists)
            {
                return built
                    .EnumerateFiles($"pgflow-worker{Suffix}", SearchOption.AllDirectories)
                    .MaxBy(file => file.LastWriteTimeUtc)
                    ?.FullName;
            }
        }

        return null;
    }
}
