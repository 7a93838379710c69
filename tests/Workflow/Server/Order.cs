namespace PgFlow.WorkflowTests.Server;

internal static class Order
{
    /// <summary>These calls were made in this order, whatever came between them.</summary>
    public static void AssertOrder(this IReadOnlyList<string> calls, params string[] wanted)
    {
        var at = 0;
        foreach (var call in wanted)
        {
            var found = calls.Skip(at).ToList().IndexOf(call);
            Assert.True(found >= 0, $"{call} is missing, or comes too early, in:\n{string.Join('\n', calls)}");
            at += found + 1;
        }
    }
}
