using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using PgFlow.Workflows;

namespace PgFlow.Activities;

/// <summary>The passwords of clusters: one libpq password file each, and a service file for people. They never enter Temporal.</summary>
internal sealed class Secrets(IOptions<HandOptions> options)
{
    /// <summary>The roles that PgFlow makes: its own superuser, the standbys', and the owner of the database <c>app</c>.</summary>
    private static readonly string[] Roles = ["pgflow", "replicator", "app"];

    private const int ScramIterations = 4096; // PostgreSQL's own default

    /// <summary>Post-condition: every role has a password in the cluster's file.</summary>
    public void Create(ClusterName cluster, string vip)
    {
        Directory.CreateDirectory(options.Value.SecretsDirectory);
        var file = PasswordFile(cluster);
        if (!File.Exists(file))
        {
            WritePrivately(file, string.Concat(Roles.Select(role => $"*:*:*:{role}:{RandomNumberGenerator.GetHexString(32, lowercase: true)}\n")));
        }

        WritePrivately(ServiceFile(cluster), $"[{cluster}-rw]\nhost={vip}\nport=5432\nuser=app\ndbname=app\n");
    }

    /// <summary>Post-condition: <paramref name="cluster"/> has the passwords of <paramref name="source"/>.</summary>
    public void Share(ClusterName source, ClusterName cluster) =>
        WritePrivately(PasswordFile(cluster), string.Concat(Roles.Select(role => FileFor(source, role))));

    public string PasswordOf(ClusterName cluster, string role)
    {
        var file = PasswordFile(cluster);
        return File.Exists(file) && File.ReadLines(file).FirstOrDefault(line => line.Split(':') is [_, _, _, var user, _] && user == role) is { } found
            ? found.Split(':')[4]
            : throw Ends.Refuse($"this worker has no password of {role} for {cluster}: {file} is missing or incomplete; copy it from the worker that made the cluster");
    }

    /// <summary>A libpq password file with one role, for a node or a job.</summary>
    public string FileFor(ClusterName cluster, string role) => $"*:*:*:{role}:{PasswordOf(cluster, role)}\n";

    /// <summary>What PostgreSQL stores for a password (RFC 5803), so that the password itself is never in SQL.</summary>
    public string VerifierOf(ClusterName cluster, string role)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(PasswordOf(cluster, role)), salt, ScramIterations, HashAlgorithmName.SHA256, 32);
        var stored = SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8));
        var server = HMACSHA256.HashData(salted, "Server Key"u8);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"SCRAM-SHA-256${ScramIterations}:{Convert.ToBase64String(salt)}${Convert.ToBase64String(stored)}:{Convert.ToBase64String(server)}");
    }

    public void Remove(ClusterName cluster)
    {
        File.Delete(PasswordFile(cluster));
        File.Delete(ServiceFile(cluster));
    }

    private string PasswordFile(ClusterName cluster) => Path.Combine(options.Value.SecretsDirectory, $"{cluster}.pgpass");

    private string ServiceFile(ClusterName cluster) => Path.Combine(options.Value.SecretsDirectory, $"{cluster}.service");

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

        File.Move(part, path, overwrite: true);
    }
}
