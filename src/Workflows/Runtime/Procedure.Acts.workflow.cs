using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace PgFlow.Workflows.Runtime;

/// <content>Who has asked for it, and what people have told it since.</content>
public abstract partial class Procedure
{
    /// <summary>What a cancel is called among <see cref="HumanAct"/>s.</summary>
    public const string Cancel = "cancel";

    private readonly List<HumanAct> _acts = [];
    private bool _knowsCancel;

    /// <summary>Who asked for it, and why; nobody while the input is unread.</summary>
    private protected virtual (string? By, string? Reason) Asked => default;

    /// <summary>What people have told it, in order.</summary>
    private protected IReadOnlyList<HumanAct> Acts => [.. _acts];

    /// <summary>Keeps what a person has told it.</summary>
    private protected void Record(string what, string? by, string? reason) =>
        _acts.Add(new(what, Named(by), reason, Workflow.UtcNow));

    /// <summary>Keeps who has cancelled it, and why: a workflow's token does not say it, its history does.</summary>
    private protected async Task RecordCancelAsync()
    {
        if (!Workflow.CancellationToken.IsCancellationRequested || _knowsCancel)
        {
            return;
        }

        _knowsCancel = true;
        try
        {
            _acts.Add(await Leases.CancelAsync());
        }
        catch (Exception e) when (e is FailureException)
        {
            Notes.Add($"who has cancelled it is in its history: {TemporalFailures.Why(e)}");
        }
    }
}
