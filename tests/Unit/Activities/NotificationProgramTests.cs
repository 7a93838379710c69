using System.Text;

namespace PgFlow.UnitTests.Activities;

public sealed class NotificationProgramTests
{
    [Fact]
    public async Task It_gets_its_input_and_its_arguments_as_they_are_without_a_shell()
    {
        using var program = new ProgramFile("cat > \"$1/input\"; printf '%s\\n' \"$@\" > \"$1/arguments\"");
        var input = new string('x', 200_000) + "'\"\n$(id)";
        await RunAsync($"  {program.Command} two\t'$HOME' \"a \\\"b\\\" ;c\" *", input);

        Assert.Equal(input, await ReadAsync(program, "input"));
        Assert.Equal(
            [program.Folder, "two", "'$HOME'", "a \"b\" ;c", "*"],
            (await ReadAsync(program, "arguments")).TrimEnd().Split('\n')
        );
    }

    [Theory]
    [InlineData("true")]
    [InlineData("exec < /dev/null; yes | head -c 1000000; yes | head -c 1000000 >&2")]
    [InlineData("sleep 1000 &")]
    public async Task It_need_not_read_nor_be_quiet_and_what_it_leaves_behind_is_not_waited_for(string script)
    {
        using var program = new ProgramFile(script + "\necho \"$!\" > \"$1/left\"");
        await RunAsync(program.Command, new string('x', 1_000_000));

        if (int.TryParse(await ReadAsync(program, "left"), out var left))
        {
            using var process = System.Diagnostics.Process.GetProcessById(left);
            process.Kill();
        }
    }

    [Fact]
    public async Task What_it_says_at_last_is_why_it_failed()
    {
        using var program = new ProgramFile("echo first >&2; echo 'no route to the pager' >&2; exit 3");

        var failure = await Assert.ThrowsAsync<UndeliveredException>(() => RunAsync(program.Command, ""));
        Assert.StartsWith("/bin/sh ended with 3: ", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("no route to the pager\n", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_program_may_become_one()
    {
        using var program = new ProgramFile("");
        var failure = await Assert.ThrowsAsync<UndeliveredException>(() => RunAsync(program.Folder[..^12], ""));
        Assert.True(Failures.MayPass(failure));
    }

    [Fact]
    public async Task One_that_hangs_is_ended_with_all_that_it_has_started()
    {
        using var program = new ProgramFile("sleep 1000 & echo $$ $! > \"$1/.ids\"; mv \"$1/.ids\" \"$1/ids\"; wait");
        using var limit = new CancellationTokenSource();
        var running = new NotificationProgram(program.Command).RunAsync(default, limit.Token);
        var ids = (await program.KeptAsync(1))[0].Split().Where(id => id.Length > 0).ToList();
        Assert.All(ids, id => Assert.True(IsRunning(id)));
        await limit.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.True(SpinWait.SpinUntil(() => !ids.Exists(IsRunning), TimeSpan.FromSeconds(10)));
    }

    private static bool IsRunning(string id) =>
        File.Exists($"/proc/{id}/stat")
        && File.ReadAllText($"/proc/{id}/stat").Split(')')[^1].Split()[1] is not ("Z" or "X");

    private static Task RunAsync(string command, string input) =>
        new NotificationProgram(command).RunAsync(Encoding.UTF8.GetBytes(input), TestContext.Current.CancellationToken);

    private static Task<string> ReadAsync(ProgramFile program, string file) =>
        File.ReadAllTextAsync(Path.Combine(program.Folder, file), TestContext.Current.CancellationToken);
}
