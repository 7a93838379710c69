using Microsoft.Extensions.Options;

namespace PgFlow.Activities.Inspection;

/// <summary>The worker has the passwords of every cluster, and nobody else can read or replace them.</summary>
internal sealed class SecretsCheck(Secrets secrets, IOptions<ActivityHostOptions> options) : IWorkerCheck
{
    private const UnixFileMode OthersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    private const UnixFileMode Others =
        OthersWrite
        | UnixFileMode.GroupRead
        | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead
        | UnixFileMode.OtherExecute;

    public string What => "Secrets";

    public Task<IReadOnlyList<CheckResult>> RunAsync(InspectedHost host)
    {
        ClusterName[] clusters = [.. host.Nodes.Select(node => node.Id.Cluster).Distinct()];
        CheckResult?[] found =
        [
            .. clusters.Select(cluster => OfPasswords(cluster)),
            .. clusters.SelectMany(secrets.FilesOf).Select(file => OfFile(What, file, ModeOf(file))),
            OfDirectory(What, options.Value.SecretsDirectory, ModeOf(options.Value.SecretsDirectory)),
        ];
        CheckResult[] wrong = [.. found.OfType<CheckResult>()];
        return Task.FromResult<IReadOnlyList<CheckResult>>(
            wrong.Length > 0
                ? wrong
                :
                [
                    new(
                        What,
                        Ok: true,
                        $"{options.Value.SecretsDirectory} has those of {PgFlowText.Count(clusters.Length, "cluster")}"
                            + ", for the worker alone"
                    ),
                ]
        );
    }

    public static CheckResult? OfFile(string what, string path, UnixFileMode mode) =>
        (mode & Others) == 0
            ? null
            : new(what, Ok: false, $"others may use {path} (mode {Octal(mode)})", new($"chmod 600 {path}"));

    /// <summary>Names are no secret; but who may write there can put another file in the place of one.</summary>
    public static CheckResult? OfDirectory(string what, string path, UnixFileMode mode) =>
        (mode & OthersWrite) == 0
            ? null
            : new(
                what,
                Ok: false,
                $"others may replace files in {path} (mode {Octal(mode)})",
                new($"chmod 700 {path}")
            );

    /// <summary>Nothing is said where there is none, or modes are unknown.</summary>
    private static UnixFileMode ModeOf(string path) =>
        OperatingSystem.IsWindows() || !Path.Exists(path) ? UnixFileMode.None : File.GetUnixFileMode(path);

    private static string Octal(UnixFileMode mode) => Convert.ToString((int)mode, 8);

    private CheckResult? OfPasswords(ClusterName cluster)
    {
        try
        {
            secrets.PasswordOf(cluster, "pgflow");
            return null;
        }
        catch (Exception e) when (e is NoPasswordException or UnauthorizedAccessException)
        {
            return new(What, Ok: false, e.Message, new("several workers need the same secrets directory"));
        }
    }
}
