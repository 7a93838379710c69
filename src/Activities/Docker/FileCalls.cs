using System.Formats.Tar;
using System.IO.Pipelines;
using System.Text;

namespace PgFlow.Activities.Docker;

/// <summary>Reads and writes files in containers, running or not, through Docker's archive call (a tenth of a
/// second).</summary>
internal static class FileCalls
{
    /// <summary>The file's content; null where there is none.</summary>
    public static async Task<byte[]?> ReadFileAsync(this ContainerRef container, string path)
    {
        using var content = new MemoryStream();
        return await container.ReadFileAsync(path, stream => stream.CopyToAsync(content, DockerEngine.ActivityToken))
            ? content.ToArray()
            : null;
    }

    /// <summary>Reads a file as a stream, as far as the reader wants it.</summary>
    /// <returns>Whether there is such a file.</returns>
    public static async Task<bool> ReadFileAsync(this ContainerRef container, string path, Func<Stream, Task> read) =>
        await container.Docker.FindAsync(
            async (client, token) =>
            {
                var answer = await client.Containers.GetArchiveFromContainerAsync(
                    container.Name,
                    new() { Path = path },
                    statOnly: false,
                    token
                );
                // Docker's own streams take a read of nothing (the tar reader's, at an entry's end) for a lost
                // connection, and close themselves with their last byte.
                await using var stream = PipeReader.Create(answer.Stream!, new(bufferSize: 64 * 1024)).AsStream();
                await using var tar = new TarReader(stream);
                await read((await tar.GetNextEntryAsync(copyData: false, token))?.DataStream ?? Stream.Null);
                return answer;
            }
        )
            is not null;

    public static async Task<bool> FileExistsAsync(this ContainerRef container, string path) =>
        await container.Docker.FindAsync(
            (client, token) =>
                client.Containers.GetArchiveFromContainerAsync(
                    container.Name,
                    new() { Path = path },
                    statOnly: true,
                    token
                )
        )
            is not null;

    /// <summary>Writes files and folders with their owners and modes; what is there is replaced, by the whole or not at
    /// all. A second name of it stays beside it.</summary>
    public static async Task WriteFilesAsync(this ContainerRef container, params IEnumerable<ContainerFile> files)
    {
        using var archive = new MemoryStream();
        await using (var tar = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var file in files)
            {
                var path = file.Path.TrimStart('/');
                switch (file.Content)
                {
                    case null:
                        await tar.WriteEntryAsync(file.Entry(TarEntryType.Directory, path));
                        break;
                    case "":
                        await tar.WriteEntryAsync(file.Entry(TarEntryType.RegularFile, path));
                        break;
                    case var content:
                        // Docker removes what is there before it writes: on a full disk only the half of it would be
                        // left. A link needs no room.
                        var (written, link) = (
                            file.Entry(TarEntryType.RegularFile, $"{path}.new"),
                            file.Entry(TarEntryType.HardLink, path)
                        );
                        (written.DataStream, link.LinkName) = (
                            new MemoryStream(Encoding.UTF8.GetBytes(content)),
                            written.Name
                        );
                        await tar.WriteEntryAsync(written);
                        await tar.WriteEntryAsync(link);
                        break;
                }
            }
        }

        archive.Position = 0;
        await container.Docker.ChangeAsync(
            (client, token) =>
                client.Containers.ExtractArchiveToContainerAsync(container.Name, new() { Path = "/" }, archive, token)
        );
    }
}

/// <summary>A file or a folder to put into a container.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Content">Its text; null makes it a folder.</param>
/// <param name="Mode">Its permission bits.</param>
/// <param name="Uid">Its owner.</param>
/// <param name="Gid">Its group.</param>
internal sealed record ContainerFile(string Path, string? Content, int Mode, int Uid, int Gid)
{
    /// <summary>As a part of an archive.</summary>
    public UstarTarEntry Entry(TarEntryType type, string path) =>
        new(type, path)
        {
            Uid = Uid,
            Gid = Gid,
            Mode = (UnixFileMode)Mode,
        };

    /// <summary>A folder of the user <c>postgres</c>.</summary>
    public static ContainerFile Folder(string path, PostgresInstallation postgres) =>
        new(path, null, 0b111_101_000, postgres.Uid, postgres.Gid);

    /// <summary>A file that only <c>postgres</c> reads.</summary>
    public static ContainerFile Private(string path, string content, PostgresInstallation postgres) =>
        new(path, content, 0b110_000_000, postgres.Uid, postgres.Gid);

    /// <summary>A program.</summary>
    public static ContainerFile Program(string path, string content, PostgresInstallation postgres) =>
        new(path, content, 0b111_101_101, postgres.Uid, postgres.Gid);
}
