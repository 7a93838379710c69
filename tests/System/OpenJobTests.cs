using System.Text;
using Microsoft.Extensions.Options;

namespace PgFlow.SystemTests;

public sealed class OpenJobTests
{
    /// <remarks>Together they are more than a command line takes (execve(2)).</remarks>
    [Fact]
    public async Task A_program_gets_any_number_of_arguments_in_their_order()
    {
        string[] words = [.. Enumerable.Range(1, 2500).Select(number => $"{number:D4} $(id) {new string('x', 1000)}")];
        string[] lines = [.. words.Select(word => $"{word}\n")];
        var (container, postgres) = (
            await Host.DockerAsync("run", "-d", "--entrypoint", "sleep", Host.Image, "600"),
            new PostgresInstallation(17, "/usr/bin", 0, 0)
        );
        try
        {
            using var docker = new DockerEngine(Options.Create(new ActivityHostOptions()), new());
            await docker
                .Container(container)
                .WriteFilesAsync(
                    ContainerFile.Folder(Names.Job, postgres),
                    ContainerFile.Program($"{Names.Job}/say.sh", "for word; do echo \"$word\"; done\n", postgres)
                );
            var job = new OpenJob(docker.Container(container), postgres, new());

            Assert.Equal(string.Concat(lines), await job.RunAsync("say", words));
            var pieces = new List<string>();
            await foreach (var piece in job.StreamAsync("say", lines[0].Length, words))
            {
                pieces.Add(Encoding.UTF8.GetString(piece.Span));
            }

            Assert.Equal(lines, pieces);
            Assert.Equal("", await job.RunAsync("say"));
        }
        finally
        {
            await Host.DockerAsync("rm", "-fv", container);
        }
    }
}
