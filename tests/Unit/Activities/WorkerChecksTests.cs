using Microsoft.Extensions.Options;
using PgFlow.Activities.Inspection;
using Temporalio.Client;
using Temporalio.Testing;
using static PgFlow.UnitTests.Procedures.Sample;

namespace PgFlow.UnitTests.Activities;

public sealed class WorkerChecksTests
{
    private const UnixFileMode OwnFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnFolder = OwnFile | UnixFileMode.UserExecute;

    private static readonly LogDriver JsonFile = new("Docker's default", "json-file", IsCached: true);

    [Theory]
    [InlineData("1.40", false)]
    [InlineData("1.41", true)]
    [InlineData("1.51", true)]
    public void Docker_must_be_one_that_PgFlow_was_tried_with(string api, bool ok)
    {
        var said = DockerCheck.Judge("20.10.24", Version.Parse(api), "unix:///var/run/docker.sock");

        Assert.Equal((ok, $"20.10.24 (API {api}) answers at unix:///var/run/docker.sock"), (said.Ok, said.Found));
    }

    [Theory]
    [InlineData("json-file", false, true)]
    [InlineData("journald", false, true)]
    [InlineData("local", false, true)]
    [InlineData("syslog", true, true)]
    [InlineData("syslog", false, false)]
    [InlineData("none", true, false)]
    public void A_nodes_log_must_be_one_that_Docker_can_read(string driver, bool cached, bool ok)
    {
        var said = Assert.Single(LogDriverCheck.Judge("Log driver", JsonFile, [new("pgflow-demo-p1", driver, cached)]));

        Assert.Equal(ok, said.Ok);
        Assert.Equal(!ok, said.Found.StartsWith("pgflow-demo-p1: ", StringComparison.Ordinal));
    }

    [Fact]
    public void What_new_nodes_will_have_counts_too() =>
        Assert.False(Assert.Single(LogDriverCheck.Judge("Log driver", JsonFile with { Name = "none" }, [])).Ok);

    [Fact]
    public void A_volume_has_room_for_WAL_and_a_twentieth()
    {
        const long MB = 1024 * 1024;
        VolumeSpace plenty = new("p1", 900 * MB, 1000 * MB);
        VolumeSpace low = new("p2", 49 * MB, 1000 * MB);
        VolumeSpace full = new("p3", 31 * MB, 60 * MB);

        Assert.Equal(
            "the one with the least room, p1, has 900 MB left",
            Assert.Single(VolumesCheck.Judge("Volumes", [plenty, plenty with { Free = 1000 * MB }])).Found
        );
        var said = VolumesCheck.Judge("Volumes", [plenty, low, full]);
        Assert.Equal(
            ["little room: p2's volume has 49 MB left", "no room: p3's volume has 31 MB left"],
            said.Select(one => one.Found)
        );
        Assert.All(said, one => Assert.False(one.Ok));
        Assert.False(Assert.Single(VolumesCheck.Judge("Volumes", [])).Ok);
    }

    [Theory]
    [InlineData(2000, true)]
    [InlineData(-2000, true)]
    [InlineData(2001, false)]
    [InlineData(-2001, false)]
    public void Clocks_are_two_seconds_apart_at_most(int milliseconds, bool ok)
    {
        ClockOffset[] offsets =
        [
            new("Temporal", TimeSpan.Zero),
            new("demo/p1", TimeSpan.FromMilliseconds(milliseconds)),
        ];

        var said = Assert.Single(ClockCheck.Judge("Clock", offsets));

        Assert.Equal(ok, said.Ok);
        Assert.StartsWith("demo/p1's clock is 2.0 s ", said.Found, StringComparison.Ordinal);
        Assert.Contains(milliseconds > 0 ? "ahead of" : "behind", said.Found, StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_that_waited_moves_no_clock()
    {
        var at = DateTimeOffset.UnixEpoch;
        ClockAnswer Answer(int to, int back) => new(at, at.AddSeconds(3 + to), at.AddSeconds(to + back));

        Assert.Equal(TimeSpan.FromSeconds(3), Answer(1, 1).Ahead);
        Assert.Equal(TimeSpan.FromSeconds(3), ClockCheck.Median([Answer(20, 0), Answer(1, 1), Answer(0, 0)]));
    }

    [Theory]
    [InlineData(OwnFile, true)]
    [InlineData(OwnFile | UnixFileMode.GroupRead, false)]
    [InlineData(OwnFile | UnixFileMode.OtherRead, false)]
    [InlineData(OwnFile | UnixFileMode.OtherWrite, false)]
    public void A_password_file_is_for_the_worker_alone(UnixFileMode mode, bool ok) =>
        Assert.Equal(ok, SecretsCheck.OfFile("Secrets", "/s/demo.pgpass", mode) is null);

    [Theory]
    [InlineData(OwnFolder, true)]
    [InlineData(OwnFolder | UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.OtherExecute, true)]
    [InlineData(OwnFolder | UnixFileMode.GroupWrite, false)]
    [InlineData(OwnFolder | UnixFileMode.OtherWrite, false)]
    public void Nobody_else_puts_files_among_the_secrets(UnixFileMode mode, bool ok) =>
        Assert.Equal(ok, SecretsCheck.OfDirectory("Secrets", "/s", mode) is null);

    [Fact]
    public async Task What_the_worker_writes_is_as_it_should_be()
    {
        var parent = Directory.CreateTempSubdirectory("pgflow-secrets-");
        var options = Options.Create(new ActivityHostOptions { SecretsDirectory = $"{parent}/secrets" });
        var secrets = new Secrets(options);
        await secrets.CreateAsync(Cluster, "10.0.0.9", "a test");

        Assert.Equal(OwnFolder, ModeOf($"{parent}/secrets"));
        Assert.All(secrets.FilesOf(Cluster), file => Assert.Equal(OwnFile, ModeOf(file)));
        parent.Delete(recursive: true);
    }

    [Fact]
    public async Task Where_Docker_does_not_answer_nothing_else_is_said()
    {
        var options = Options.Create(new ActivityHostOptions { DockerHost = "unix:///nowhere/docker.sock" });
        using var docker = new DockerEngine(options, new());
        var activities = new WorkerActivities(new(docker, new(options)), [new LogDriverCheck(docker)]);
        var environment = new ActivityEnvironment
        {
            TemporalClient = TemporalClient.CreateLazy(new("localhost:1") { Identity = "pgflow-worker@a:1" }),
        };

        var said = await environment.RunAsync(activities.InspectWorkerAsync);

        Assert.Equal("pgflow-worker@a:1", said.Worker);
        var only = Assert.Single(said.Results);
        Assert.Equal(("Docker", false), (only.What, only.Ok));
        Assert.StartsWith(
            "Docker does not answer at unix:///nowhere/docker.sock",
            only.Found,
            StringComparison.Ordinal
        );
    }

    private static UnixFileMode ModeOf(string path) =>
        OperatingSystem.IsWindows() ? throw new PlatformNotSupportedException() : File.GetUnixFileMode(path);

    [Fact]
    public void An_image_that_is_gone_is_said_with_the_nodes_that_need_it()
    {
        NodesImage there = new("postgres:17", "sha256:1", ["pgflow-demo-p1"], IsThere: true);
        NodesImage gone = new("postgres:16", "sha256:2", ["pgflow-demo-p2", "pgflow-demo-p3"], IsThere: false);

        Assert.True(Assert.Single(ImagesCheck.Judge("Images", [there])).Ok);
        Assert.True(Assert.Single(ImagesCheck.Judge("Images", [])).Ok);
        var said = Assert.Single(ImagesCheck.Judge("Images", [there, gone]));
        Assert.Equal(
            (false, "postgres:16 (sha256:2) is gone: pgflow-demo-p2, pgflow-demo-p3 can't be made again"),
            (said.Ok, said.Found)
        );
    }
}
