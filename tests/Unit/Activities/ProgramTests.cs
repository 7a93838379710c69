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

    /// <remarks>Seen after some hundred role changes: each node has in that segment what was in its file before, the archive took the first and refused the others for ever.</remarks>
    [Theory]
    [InlineData(106, "000000690000000100000026", "000000690000000100000026.partial.p1")] // the line left timeline 105 at 1/260000A0, in its middle
    [InlineData(106, "000000690000000100000025", "000000690000000100000025")] // before
    [InlineData(106, "000000690000000100000027", "000000690000000100000027")] // behind: what a lost primary wrote past the fork
    [InlineData(105, "000000690000000100000026", "000000690000000100000026")] // a lost primary, which has not left it
    [InlineData(106, "0000006A0000000100000026", "0000006A0000000100000026")] // timeline 106 itself
    public void The_archive_takes_the_segment_in_which_a_nodes_line_left_a_timeline_as_partial(int timeline, string segment, string archived)
    {
        Write("data/global/pg_control", "");
        File.WriteAllBytes(Path.Combine(_volume.FullName, "data/global/pg_control"), [.. new byte[48], .. BitConverter.GetBytes(timeline)]);
        Write("data/pg_wal/0000006A.history", "104\t1/250000A0\tno recovery target specified\n\n105\t1/260000A0\tno recovery target specified\n");
        File.WriteAllBytes(Path.Combine(_volume.FullName, "data/pg_wal", segment), new byte[16 * 1024 * 1024]);
        Write("archive/" + segment + ".partial.p2", "");

        Archive(segment);
        Archive(segment);

        Assert.Equal([archived, segment + ".partial.p2"], Directory.GetFiles(Path.Combine(_volume.FullName, "archive")).Select(Path.GetFileName).Order());
    }

    private void Archive(string segment)
    {
        var program = Embedded.Read("archive").Replace("@ARCHIVE@", $"{_volume.FullName}/archive", StringComparison.Ordinal).Replace("@NODE@", "p1", StringComparison.Ordinal);
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", program, "archive", $"pg_wal/{segment}", segment]) { WorkingDirectory = $"{_volume.FullName}/data" })!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
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
