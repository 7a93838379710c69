namespace PgFlow.Activities;

/// <summary>A question that is asked again and again, never twice at a time: whoever does not answer holds nobody up,
/// and is not asked more.</summary>
internal sealed class Inquiry<T>(Func<Task<T>> askAsync)
    where T : class
{
    private Task<T>? _asked;

    /// <summary>The question that is open; done where none is.</summary>
    public Task Open => _asked ?? Task.CompletedTask;

    /// <summary>The answer to the question that is open, or to a new one.</summary>
    /// <returns>Null where there is none within that time.</returns>
    public async Task<T?> AnswerAsync(TimeSpan within)
    {
        var asked = _asked ??= askAsync();
        await Task.WhenAny(asked, Task.Delay(within, DockerEngine.ActivityToken));
        if (!asked.IsCompleted)
        {
            return null;
        }

        _asked = null;
        return await asked;
    }
}
