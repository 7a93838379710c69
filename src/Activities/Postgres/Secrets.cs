using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace PgFlow.Activities.Postgres;

/// <summary>The passwords of clusters: one libpq password file each, and a service file for people. They never enter
/// Temporal.</summary>
internal sealed class Secrets(IOptions<ActivityHostOptions> options)
{
    /// <summary>The roles that PgFlow makes: its own superuser, the standbys', the one that proves the endpoint, and
    /// the owner of the database <c>app</c>.</summary>
    private static readonly string[] Users = ["pgflow", "replicator", Roles.Proof, "app"];

    private const int ScramIterations = 4096; // PostgreSQL's own default

    /// <summary>Post-condition: every role has a password in the cluster's file, and <paramref name="owner"/> made it.
    /// Refuses one that somebody else made.</summary>
    public async Task CreateAsync(ClusterName cluster, string vip, string owner)
    {
        await Permit.RequireAsync();
        CreateFile(
            PasswordFile(cluster),
            owner,
            () =>
                string.Concat(
                    Users.Select(role => $"*:*:*:{role}:{RandomNumberGenerator.GetHexString(32, lowercase: true)}\n")
                )
        );
        CreateFile(ServiceFile(cluster), owner, () => $"[{cluster}-rw]\nhost={vip}\nport=5432\nuser=app\ndbname=app\n");
    }

    /// <summary>Post-condition: <paramref name="cluster"/> has the passwords of <paramref name="source"/>, and
    /// <paramref name="owner"/> put them there.</summary>
    public async Task ShareAsync(ClusterName source, ClusterName cluster, string owner)
    {
        await Permit.RequireAsync();
        CreateFile(PasswordFile(cluster), owner, () => string.Concat(Users.Select(role => FileFor(source, role))));
    }

    /// <summary>The files that there are.</summary>
    public IReadOnlyList<string> FilesOf(ClusterName cluster) => [.. PathsOf(cluster).Where(File.Exists)];

    public string PasswordOf(ClusterName cluster, string role)
    {
        var file = PasswordFile(cluster);
        return
            File.Exists(file)
            && File.ReadLines(file)
                .FirstOrDefault(line =>
                    !line.StartsWith('#') && line.Split(':') is [_, _, _, var user, _] && user == role
                )
                is { } found
            ? found.Split(':')[4]
            : throw new NoPasswordException(
                $"this worker has no password of {role} for {cluster}: {file} is missing or incomplete; copy it "
                    + "from the worker that made the cluster"
            );
    }

    /// <summary>A libpq password file with one role, for a node or a job.</summary>
    public string FileFor(ClusterName cluster, string role) => $"*:*:*:{role}:{PasswordOf(cluster, role)}\n";

    /// <summary>What PostgreSQL stores for a password (RFC 5803), so that the password itself is never in
    /// SQL.</summary>
    public string VerifierOf(ClusterName cluster, string role) =>
        Verifier(PasswordOf(cluster, role), RandomNumberGenerator.GetBytes(16), ScramIterations);

    /// <summary>Whether what PostgreSQL stores was made from the role's password.</summary>
    public bool Matches(ClusterName cluster, string role, string? verifier) =>
        verifier?.Split('$', ':') is [_, var iterations, var salt, ..]
        && int.TryParse(iterations, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
        && verifier == Verifier(PasswordOf(cluster, role), Convert.FromBase64String(salt), count);

    private static string Verifier(string password, byte[] salt, int iterations)
    {
        var salted = Rfc2898DeriveBytes.Pbkdf2(
            Encoding.UTF8.GetBytes(password),
            salt,
            iterations,
            HashAlgorithmName.SHA256,
            32
        );
        var stored = SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8));
        var server = HMACSHA256.HashData(salted, "Server Key"u8);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"SCRAM-SHA-256${iterations}:{Convert.ToBase64String(salt)}"
                + $"${Convert.ToBase64String(stored)}:{Convert.ToBase64String(server)}"
        );
    }

    public Task RemoveAsync(ClusterName cluster) => DeleteAsync(PathsOf(cluster));

    /// <summary>Removes what <paramref name="owner"/> made.</summary>
    public Task RemoveAsync(ClusterName cluster, string owner) =>
        DeleteAsync(FilesOf(cluster).Where(file => IsBy(owner, file)));

    private string[] PathsOf(ClusterName cluster) => [PasswordFile(cluster), ServiceFile(cluster)];

    private string PasswordFile(ClusterName cluster) =>
        Path.Combine(options.Value.SecretsDirectory, $"{cluster}.pgpass");

    private string ServiceFile(ClusterName cluster) =>
        Path.Combine(options.Value.SecretsDirectory, $"{cluster}.service");

    private static async Task DeleteAsync(IEnumerable<string> files)
    {
        await Permit.RequireAsync();
        foreach (var file in files)
        {
            File.Delete(file);
        }
    }

    /// <summary>libpq passes over a line that begins so, in both kinds of file.</summary>
    private static string MarkOf(string owner) => $"# created by {owner.ReplaceLineEndings(" ")}";

    private static bool IsBy(string owner, string file) => File.ReadLines(file).FirstOrDefault() == MarkOf(owner);

    private void CreateFile(string path, string owner, Func<string> content)
    {
        CreateFolder(options.Value.SecretsDirectory);
        if (!File.Exists(path))
        {
            WritePrivately(path, $"{MarkOf(owner)}\n{content()}");
        }
        else if (!IsBy(owner, path))
        {
            throw Failure.Refuse(
                $"{path} exists and was not made by this procedure: keep it elsewhere, or choose another name"
            );
        }
    }

    /// <summary>For the worker alone, whatever its umask.</summary>
    private static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Whole or not at all, and never over another file.</summary>
    private static void WritePrivately(string path, string content)
    {
        var part = $"{path}.{Guid.NewGuid():N}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(part, options))
        {
            file.Write(Encoding.UTF8.GetBytes(content));
            file.Flush(flushToDisk: true);
        }

        try
        {
            File.Move(part, path, overwrite: false);
        }
        catch (IOException)
        {
            File.Delete(part);
            throw;
        }
    }
}

/// <summary>The worker lacks a password: it may be put there, or another worker has it.</summary>
internal sealed class NoPasswordException(string message) : Exception(message);
