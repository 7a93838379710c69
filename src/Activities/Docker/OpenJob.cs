namespace PgFlow.Activities.Docker;

/// <summary>A job's container that waits for programs: only such as read, since a retry begins with another
/// container.</summary>
internal sealed class OpenJob(ContainerRef container, PostgresInstallation postgres, TimeLimits limits)
{
    /// <summary>So many arguments have room: 2 MiB, 128 KiB each (execve(2)).</summary>
    private const int Most = 1000;

    private string User => $"{postgres.Uid}:{postgres.Gid}";

    /// <summary>What a program prints that must succeed; for many arguments it is run several times.</summary>
    public async Task<string> RunAsync(string program, params IEnumerable<string> arguments)
    {
        var printed = new List<string>();
        foreach (var some in arguments.Chunk(Most).DefaultIfEmpty([]))
        {
            printed.Add(await container.ExecuteAsync(User, limits.RepositoryContents, [], CommandOf(program, some)));
        }

        return string.Concat(printed);
    }

    /// <summary>What it prints, in pieces of that size; a shorter rest is left out.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> StreamAsync(
        string program,
        int size,
        params IEnumerable<string> arguments
    )
    {
        foreach (var some in arguments.Chunk(Most))
        {
            await foreach (var piece in container.StreamAsync(User, CommandOf(program, some), size, limits.Stream))
            {
                yield return piece;
            }
        }
    }

    private static string[] CommandOf(string program, string[] arguments) =>
        ["/bin/sh", $"{Names.Job}/{program}.sh", .. arguments];
}
