using CsCheck;

namespace PgFlow.UnitTests;

/// <summary>What holds in every case is tried in random ones, the same in every run. A case that fails is made smaller,
/// and told with its seed.</summary>
/// <remarks><c>CsCheck_Seed=…</c> begins with that case; <c>CsCheck_Time=60</c> tries others for a minute.</remarks>
internal static class Property
{
    /// <summary>How long a smaller case is looked for.</summary>
    private const int ShrinkSeconds = 10;

    public static async Task HoldsAsync<T>(Gen<T> cases, int count, Func<T, Task> check, Func<T, string> print)
    {
        if (Check.Seed is not null || Check.Time >= 0)
        {
            await cases.SampleAsync(check, iter: count, print: print);
            return;
        }

        var numbers = new PCG(stream: 1, seed: 1);
        for (var tried = 0; tried < count; tried++)
        {
            var state = numbers.State;
            try
            {
                await check(cases.Generate(numbers, null, out _));
            }
            catch (Exception)
            {
                await cases.SampleAsync(check, seed: numbers.ToString(state), time: ShrinkSeconds, print: print);
                throw;
            }
        }
    }

    public static Task HoldsAsync<T>(Gen<T> cases, int count, Action<T> check, Func<T, string> print) =>
        HoldsAsync(
            cases,
            count,
            one =>
            {
                check(one);
                return Task.CompletedTask;
            },
            print
        );
}

/// <summary>Random decisions out of numbers that a test has drawn: fewer and smaller numbers are a smaller
/// case.</summary>
internal sealed class Drawn(IReadOnlyList<int> numbers) : Random
{
    private int _next;

    public static Gen<int[]> Numbers(int count) => Gen.Int[0, 99_999].Array[count];

    public override int Next(int maxValue) => numbers[_next++ % numbers.Count] % maxValue;

    public override int Next(int minValue, int maxValue) => minValue + Next(maxValue - minValue);
}
