using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Temporalio.Worker.Interceptors;

namespace PgFlow.Activities;

/// <summary>Registers what carries out the steps of procedures.</summary>
public static class PgFlowActivities
{
    /// <summary>Adds the implementations of all step contracts, and the interceptor that sends their heartbeats. They
    /// need a logger and a <see cref="Temporalio.Common.MetricMeter"/>.</summary>
    public static IServiceCollection AddPgFlowActivities(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<ActivityHostOptions>().Bind(configuration.GetSection(ActivityHostOptions.Section));
        return services
            .AddSingleton(configuration.GetSection(TimeLimits.Section).Get<TimeLimits>() ?? new())
            .AddSingleton<IWorkerInterceptor, ProcedureInterceptor>()
            .AddSingleton<IWorkerInterceptor, HeartbeatInterceptor>()
            .AddSingleton<ClusterMetrics>()
            .AddSingleton<DockerEngine>()
            .AddSingleton<JobDocker>()
            .AddSingleton<Inventory>()
            .AddSingleton<Creation>()
            .AddSingleton<Images>()
            .AddSingleton<ResourceRemoval>()
            .AddSingleton<JobRunner>()
            .AddSingleton<Secrets>()
            .AddSingleton<Sql>()
            .AddSingleton<Roles>()
            .AddSingleton<NodeWal>()
            .AddSingleton<NodeObserver>()
            .AddSingleton<NodeEnd>()
            .AddSingleton<NodeLife>()
            .AddSingleton<Candidates>()
            .AddSingleton<Replay>()
            .AddSingleton<Confirmers>()
            .AddSingleton<ReplicationSlots>()
            .AddSingleton<ClientConnections>()
            .AddSingleton<Summarizer>()
            .AddSingleton<IWorkerCheck, DockerCheck>()
            .AddSingleton<IWorkerCheck, LogDriverCheck>()
            .AddSingleton<IWorkerCheck, VolumesCheck>()
            .AddSingleton<IWorkerCheck, ClockCheck>()
            .AddSingleton<IWorkerCheck, SecretsCheck>()
            .AddSingleton<IWorkerCheck, ImagesCheck>()
            .AddSingleton<ILeaseActivities, LeaseActivities>()
            .AddSingleton<IClusterActivities, ClusterActivities>()
            .AddSingleton<INodeActivities, NodeActivities>()
            .AddSingleton<ISettingsActivities, SettingsActivities>()
            .AddSingleton<IRoleActivities, RoleActivities>()
            .AddSingleton<IEndpointActivities, EndpointActivities>()
            .AddSingleton<IArchiveActivities, ArchiveActivities>()
            .AddSingleton<IDataDirectoryActivities, DataDirectoryActivities>()
            .AddSingleton<RepositoryActivities>()
            .AddSingleton<IRepositoryActivities>(provider => provider.GetRequiredService<RepositoryActivities>())
            .AddSingleton<IRecoveryActivities, RecoveryActivities>()
            .AddSingleton<IBackupActivities, BackupActivities>()
            .AddSingleton<ILedgerActivities, LedgerActivities>()
            .AddSingleton<INotificationActivities, NotificationActivities>()
            .AddSingleton<IWitnessActivities, WitnessActivities>()
            .AddSingleton<IWorkerActivities, WorkerActivities>();
    }
}
