using Microsoft.Extensions.Hosting;
using PgFlow.Worker;

const int UsageError = 2;

var problems = new List<string>();
var line = CommandLine.Parse(args, problems);
if (line.Command is Command.Help)
{
    Console.WriteLine(CommandLine.Help);
    return 0;
}

var configuration = Settings.Read(line, Environment.GetEnvironmentVariable, problems);
var options = WorkerOptions.Check(configuration, problems);
if (problems.Count > 0)
{
    problems.ForEach(problem => Console.Error.WriteLine($"pgflow-worker: {problem}"));
    return UsageError;
}

if (line.Command is Command.Health)
{
    return Health.IsFresh(options.HealthFile) ? 0 : 1;
}

try
{
    using var host = WorkerHost.Build(options, configuration);
    await host.RunAsync();
    return 0;
}
catch (OperationCanceledException)
{
    return 0; // stopped while it was still waiting for a server
}
