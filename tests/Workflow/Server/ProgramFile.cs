using System.Diagnostics;

namespace PgFlow.WorkflowTests.Server;

/// <summary>A program of somebody's, in a folder of its own.</summary>
internal sealed class ProgramFile : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("pgflow-test-");

    /// <param name="script">What the shell runs; <c>$1</c> is a folder with a space in its name.</param>
    public ProgramFile(string script)
    {
        Folder = _folder.CreateSubdirectory("kept by it").FullName;
        var file = Path.Combine(_folder.FullName, "program");
        File.WriteAllText(file, script);
        Command = $"/bin/sh {file} \"{Folder}\"";
    }

    public string Command { get; }

    public string Folder { get; }

    public static ProgramFile KeepingItsInput() => new("cat > \"$1/.$$\" && mv \"$1/.$$\" \"$1/$$\"");

    /// <summary>What was put into its folder, when there are so many files.</summary>
    public async Task<IReadOnlyList<string>> KeptAsync(int count)
    {
        for (var clock = Stopwatch.StartNew(); ; await Task.Delay(20))
        {
            var files = Directory.GetFiles(Folder).Where(file => Path.GetFileName(file)[0] is not '.').ToList();
            if (files.Count >= count)
            {
                return [.. files.Select(File.ReadAllText)];
            }

            Assert.True(clock.Elapsed < Deadline, $"{files.Count} of {count} after {Deadline}");
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
