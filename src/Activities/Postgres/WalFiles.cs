namespace PgFlow.Activities.Postgres;

/// <summary>The file that holds a segment.</summary>
/// <param name="Segment">The segment's name.</param>
/// <param name="Path">The file; empty where there is none.</param>
/// <param name="IsComplete">It lies in an archive: it can't grow, and must be valid up to its end.</param>
/// <param name="Digest">What the index has of it; empty where it has nothing.</param>
internal sealed record WalFile(string Segment, string Path, bool IsComplete, string Digest);

/// <summary>Where segments lie, and their bytes.</summary>
internal interface IWalFiles
{
    /// <summary>Finds the files of segments, in the same order.</summary>
    Task<IReadOnlyList<WalFile>> FindAsync(IReadOnlyList<string> segments);

    /// <summary>The pages of files, one after the other.</summary>
    IAsyncEnumerable<ReadOnlyMemory<byte>> PagesAsync(IReadOnlyList<WalFile> files);

    /// <summary>Adds to the index.</summary>
    Task RememberAsync(IReadOnlyDictionary<string, string> digests);
}

/// <summary>The segments that a job sees: in archives, and unarchived in the nodes' volumes.</summary>
internal sealed class JobWalFiles(OpenJob job) : IWalFiles
{
    private readonly Dictionary<string, WalFile> _known = [];

    /// <summary>What the job needs to have.</summary>
    public static IReadOnlyList<string> Programs { get; } = ["locate-segments", "read-segments", "index-segments"];

    public async Task<IReadOnlyList<WalFile>> FindAsync(IReadOnlyList<string> segments)
    {
        if (segments.Where(segment => !_known.ContainsKey(segment)).ToList() is { Count: > 0 } unknown)
        {
            var found = await job.RunAsync("locate-segments", unknown);
            foreach (
                var field in found.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))
            )
            {
                _known[field[0]] = new(field[0], field[2], field[1] == "complete", field[3]);
            }
        }

        return [.. segments.Select(segment => _known[segment])];
    }

    public IAsyncEnumerable<ReadOnlyMemory<byte>> PagesAsync(IReadOnlyList<WalFile> files) =>
        job.StreamAsync("read-segments", (int)WalPage.Size, files.Select(file => file.Path));

    public Task RememberAsync(IReadOnlyDictionary<string, string> digests) =>
        job.RunAsync("index-segments", digests.Select(digest => $"{digest.Key} {digest.Value}"));
}
