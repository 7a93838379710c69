using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using PgFlow.Workflows;
using Temporalio.Worker.Interceptors;

namespace PgFlow.Activities;

/// <summary>Registers what carries out the steps of procedures.</summary>
public static class Hands
{
    /// <summary>Adds the implementations of all step contracts, and the interceptor that sends their heartbeats. They
    /// need a logger and a <see cref="Temporalio.Common.MetricMeter"/>.</summary>
    public static IServiceCollection AddPgFlowHands(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<HandOptions>().Bind(configuration.GetSection(HandOptions.Section));
        return services
            .AddSingleton(provider => provider.GetRequiredService<IOptions<HandOptions>>().Value.Limits)
            .AddSingleton<IWorkerInterceptor, StepInterceptor>()
            .AddSingleton<IWorkerInterceptor, HandInterceptor>()
            .AddSingleton<ClusterMetrics>()
            .AddSingleton<DockerEngine>()
            .AddSingleton<Inventory>()
            .AddSingleton<Creation>()
            .AddSingleton<Jobs>()
            .AddSingleton<Secrets>()
            .AddSingleton<Sql>()
            .AddSingleton<Roles>()
            .AddSingleton<NodeFiles>()
            .AddSingleton<NodeWal>()
            .AddSingleton<NodeObserver>()
            .AddSingleton<NodeEnd>()
            .AddSingleton<NodeLife>()
            .AddSingleton<Candidates>()
            .AddSingleton<Replay>()
            .AddSingleton<ClientConnections>()
            .AddSingleton<Summarizer>()
            .AddSingleton<ILeaseSteps, LeaseSteps>()
            .AddSingleton<IClusterSteps, ClusterSteps>()
            .AddSingleton<INodeSteps, NodeSteps>()
            .AddSingleton<IRoleSteps, RoleSteps>()
            .AddSingleton<IEndpointSteps, EndpointSteps>()
            .AddSingleton<IArchiveSteps, ArchiveSteps>()
            .AddSingleton<IDataDirectorySteps, DataDirectorySteps>()
            .AddSingleton<CatalogueSteps>()
            .AddSingleton<ICatalogueSteps>(provider => provider.GetRequiredService<CatalogueSteps>())
            .AddSingleton<IRecoverySteps, RecoverySteps>()
            .AddSingleton<IBackupSteps, BackupSteps>()
            .AddSingleton<ILedgerSteps, LedgerSteps>();
    }
}
