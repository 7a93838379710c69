using System.ComponentModel;
using System.Diagnostics;

namespace PgFlow.Activities;

/// <summary>The program that is run for notifications: without a shell, and never for long.</summary>
/// <param name="command">Its path and its arguments, as <see cref="ProcessStartInfo.Arguments"/> has them: quotes hold
/// together what has spaces.</param>
internal sealed class NotificationProgram(string command)
{
    /// <summary>Kept of what it says: enough for the last line.</summary>
    private const int MostSaid = 2000;

    private readonly ProcessStartInfo _start = new(FileOf(command), command.Trim()[FileOf(command).Length..])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };

    /// <summary>The path that a command begins with.</summary>
    public static string FileOf(string command) => command.Trim().Split(' ')[0];

    /// <summary>Runs it to its end, or ends it, with all that it has started.</summary>
    /// <exception cref="UndeliveredException">It can't be started, or it ended with another exit code than
    /// 0.</exception>
    public async Task RunAsync(ReadOnlyMemory<byte> input, CancellationToken cancel)
    {
        using var process = Start();
        try
        {
            _ = WriteAsync(process.StandardInput.BaseStream, input);
            _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
            var said = LastAsync(process.StandardError);
            await process.WaitForExitAsync(cancel); // not for what it has left in the background
            if (process.ExitCode != 0)
            {
                throw new UndeliveredException(
                    $"{_start.FileName} ended with {process.ExitCode}: {await said.WaitAsync(cancel)}"
                );
            }
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    private Process Start()
    {
        try
        {
            return Process.Start(_start)!;
        }
        catch (Win32Exception e)
        {
            throw new UndeliveredException(e.Message);
        }
    }

    private static async Task WriteAsync(Stream to, ReadOnlyMemory<byte> input)
    {
        try
        {
            await using (to)
            {
                await to.WriteAsync(input);
            }
        }
        catch (IOException)
        {
            // it does not read
        }
    }

    private static async Task<string> LastAsync(StreamReader from)
    {
        var (buffer, last) = (new char[MostSaid], "");
        while (await from.ReadAsync(buffer) is > 0 and var read)
        {
            last = new(buffer, 0, read);
        }

        return last;
    }
}
