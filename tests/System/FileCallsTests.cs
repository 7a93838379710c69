using System.Text;
using Microsoft.Extensions.Options;

namespace PgFlow.SystemTests;

public sealed class FileCallsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(500)] // Docker answers with a length, not in chunks
    [InlineData(2_000)]
    [InlineData(70_000)]
    [InlineData(2_000_000)]
    public async Task A_file_of_any_size_is_read_as_it_was_written(int size)
    {
        var container = await Host.DockerAsync("create", Host.Image, "true");
        try
        {
            using var docker = new DockerEngine(Options.Create(new ActivityHostOptions()), new());
            var there = docker.Container(container);
            var content = new string('x', size);
            await there.WriteFilesAsync(new ContainerFile("/tmp/file", content, 0b110_000_000, 0, 0));

            Assert.Equal(content, Encoding.UTF8.GetString((await there.ReadFileAsync("/tmp/file"))!));
            Assert.Null(await there.ReadFileAsync("/tmp/none"));
        }
        finally
        {
            await Host.DockerAsync("rm", "-fv", container);
        }
    }
}
