using PgFlow.Cli;

return await CommandLine.RunAsync(args, Terminal.OfProcess());
