using System.CommandLine.Invocation;
using Microsoft.Extensions.Hosting;
using PgFlow.Worker;

const int UsageError = 2;

var line = WorkerCommandLine.Root.Parse(args);
if (line.Action is not (null or ParseErrorAction))
{
    return await line.InvokeAsync(); // --help, --version
}

var problems = new List<string>();
var configuration = ConfigurationLoader.Read(line, Environment.GetEnvironmentVariable, problems);
var options = WorkerOptions.Check(configuration, problems);
if (problems.Count > 0)
{
    problems.ForEach(problem => Console.Error.WriteLine($"pgflow-worker: {problem}"));
    return UsageError;
}

if (line.GetValue(WorkerCommandLine.Health))
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
