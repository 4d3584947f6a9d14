using System.Globalization;

namespace Ballast.Cli.Conformance;

/// <summary>Requests at once: the only check that puts load on a server.</summary>
internal static class ParallelCheck
{
    public const string Requirement = "Sixteen requests at once get an answer of their own each.";

    private const int Requests = 16;

    /// <param name="ask">Asks with that text and gives the answer.</param>
    public static async Task RunAsync(Func<string, Task<Answer>> ask)
    {
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, Requests)
            .Select(number => ask(string.Create(CultureInfo.InvariantCulture, $"Say the number {number}.")))).ConfigureAwait(false);
        Expect.That(answers.Select(answer => answer.Id).Distinct(StringComparer.Ordinal).Count() == answers.Length, "two answers have the same id");
    }
}
