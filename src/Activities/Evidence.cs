namespace PgFlow.Activities;

/// <summary>What makes a reason better and has to be asked for.</summary>
/// <remarks>It may hang or fail as what it is about does: the reason is told all the same.</remarks>
internal static class Evidence
{
    /// <summary>Little enough to fit into an attempt beside what was waited for.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>What it is, or why it is not available.</summary>
    /// <param name="what">Its name.</param>
    /// <param name="ask">Gets it; left behind where it takes too long.</param>
    /// <param name="limit">How long it may take; <see cref="Limit"/> where none is given.</param>
    public static async Task<string> OfAsync(string what, Func<Task<string>> ask, TimeSpan? limit = null)
    {
        try
        {
            return await ask().WaitAsync(limit ?? Limit, DockerEngine.ActivityToken);
        }
        catch (TimeoutException) when (!DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return $"{what} is not available: nothing within {(limit ?? Limit).TotalSeconds:0.#} s";
        }
        catch (Exception e) when (!DockerEngine.ActivityToken.IsCancellationRequested)
        {
            return $"{what} is not available: {e.Message}";
        }
    }

    /// <summary>The last lines that a container printed, for a reason.</summary>
    public static Task<string> OfLogAsync(this ContainerRef container, int lines) =>
        OfAsync("its log", () => container.LogAsync(lines));
}
