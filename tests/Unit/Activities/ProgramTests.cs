using System.Diagnostics;
using PgFlow.Activities;

namespace PgFlow.UnitTests.Activities;

/// <summary>Programs that may begin again from wherever they got, over a folder in the place of a node's volume.</summary>
public sealed class ProgramTests : IDisposable
{
    private readonly DirectoryInfo _volume = Directory.CreateTempSubdirectory("pgflow-volume-");

    public void Dispose() => _volume.Delete(recursive: true);

    [Fact]
    public void A_copy_after_a_finished_swap_changes_nothing_and_what_was_set_aside_stays()
    {
        Write("data/PG_VERSION", "today's");
        Write("data.copy/PG_VERSION", "the copy's");
        Write("data.copy/.copied-r1", "");

        Run("swap");
        Run("copy"); // it would need a primary to copy
        Run("swap");
        Assert.Equal(("the copy's", "today's"), (Read("data/PG_VERSION"), Read("data.aside.r1/PG_VERSION")));

        Run("swap-back");
        Run("swap-back");
        Assert.Equal("today's", Read("data/PG_VERSION"));
    }

    private void Write(string name, string content)
    {
        var path = Path.Combine(_volume.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    private string Read(string name) => File.ReadAllText(Path.Combine(_volume.FullName, name));

    private void Run(string program)
    {
        var script = Embedded.Read(program).Replace("cd /pgflow", $"cd {_volume.FullName}", StringComparison.Ordinal);
        var start = new ProcessStartInfo("sh", ["-c", script]) { Environment = { ["RUN"] = "r1", ["PRIMARY"] = "", ["OWNED"] = "" } };
        using var process = Process.Start(start)!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
