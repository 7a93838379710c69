namespace PgFlow.Activities.Docker;

/// <summary>A job's container that waits for programs: only such as read, since a retry begins with another
/// container.</summary>
internal sealed class OpenJob(ContainerRef container, PostgresInstallation postgres, TimeLimits limits)
{
    /// <summary>What a program prints that must succeed.</summary>
    public async Task<string> RunAsync(string program) =>
        await container.ExecuteAsync(
            $"{postgres.Uid}:{postgres.Gid}",
            limits.RepositoryContents,
            [],
            ["/bin/sh", $"{Names.Job}/{program}.sh"]
        );

    /// <summary>What a program prints, in pieces of that size; a shorter rest is left out.</summary>
    public IAsyncEnumerable<ReadOnlyMemory<byte>> StreamAsync(string program, int size) =>
        container.StreamAsync($"{postgres.Uid}:{postgres.Gid}", $"sh {Names.Job}/{program}.sh", size, limits.Stream);

    /// <summary>Puts a file into the container, for the programs that follow.</summary>
    public Task WriteAsync(string name, string content) =>
        container.WriteFilesAsync(ContainerFile.Private($"{Names.Job}/{name}", content, postgres));
}
