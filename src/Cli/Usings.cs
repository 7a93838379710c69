// Spectre.Console has a progress bar of this name.
global using Progress = PgFlow.Workflows.Progress;
