using System.Text;
using Ballast.Configuration;
using Ballast.Guards.Redaction;

namespace Ballast.Tests.Guards.Redaction;

/// <summary>How much is found and how little else is changed, on texts invented by a seed: the figures of docs/redaction.md.</summary>
public sealed class RedactionCorpusTests(ITestOutputHelper output)
{
    private const int Seed = 20_261;
    private const double PlainMin = 0.995;
    private const double DisguisedMin = 0.95;
    private const double ChangedMax = 0.001;

    /// <summary>Of a value found, at most this share may stay: the brackets of a link, the name of a field.</summary>
    private const double RestMax = 0.25;

    private static readonly (string Before, string After)[] s_places =
    [
        ("Please write to ", " before Friday."), ("", " is what we have on file."), ("Customer note: ", ", called twice"), ("He said\n", "\nand hung up."), ("(", ")"),
        ("Answer: \"", "\"; thanks"), ("Send it — ", " — today, then close the case."), ("* ", ""), ("The entry reads ", ". Nothing else is known."),
    ];

    [Fact]
    public void Find_PlainValues_AreFound()
    {
        SampleValues values = new(new Random(Seed));
        Dictionary<string, (int Found, int All)> figures = [];
        foreach (string kind in RedactionKind.All)
        {
            for (int i = 0; i < 1_000; i++)
            {
                string value = kind == RedactionKind.Secret && i % 3 == 0 ? values.Named() : values.Of(kind);
                Count(figures, kind, IsFound(value, i, kind == RedactionKind.Secret ? 0.65 : 0));
            }
        }

        Report(figures);
        Assert.All(figures, static figure => Assert.True(Share(figure.Value) >= PlainMin, $"{figure.Key}: {Share(figure.Value):P2}"));
    }

    [Fact]
    public void Find_DisguisedValues_AreFound()
    {
        SampleValues values = new(new Random(Seed));
        Dictionary<string, (int Found, int All)> figures = [];
        foreach ((string name, string[] kinds, Func<string, string> apply) in Disguises.All)
        {
            for (int i = 0; i < 60; i++)
            {
                string value = apply(values.Of(kinds[i % kinds.Length]));
                Count(figures, name, IsFound(value, i, RestOf(name)));
            }
        }

        Report(figures);
        Assert.True(figures.Count >= 40, "forty ways at least");
        double all = (double)figures.Values.Sum(static figure => figure.Found) / figures.Values.Sum(static figure => figure.All);
        Assert.True(all >= DisguisedMin, $"all together: {all:P2}");
        Assert.All(figures, static figure => Assert.True(Share(figure.Value) >= DisguisedMin, $"{figure.Key}: {Share(figure.Value):P2}"));
    }

    [Fact]
    public void Find_CleanText_IsLeftAlone()
    {
        string[] sentences = [.. new CleanText(new Random(Seed)).Sentences(words: 120_000)];
        int words = 0;
        int changed = 0;
        foreach (string sentence in sentences)
        {
            words += sentence.Split(' ', '\n').Length;
            string screened = Hide(sentence, out int count);
            changed += count;
            if (count > 0)
            {
                output.WriteLine($"{sentence} -> {screened}");
            }
        }

        output.WriteLine($"{changed} of {words} words changed: {(double)changed / words:P3}");
        Assert.True(words >= 100_000, "enough words");
        Assert.True(changed <= words * ChangedMax, $"{changed} of {words} words changed");
    }

    internal static RedactionPolicy Policy { get; } = RedactionPolicy.Of(new RedactionOptions { Kinds = RedactionOptions.AllKinds }, "a key for tests");

    private bool IsFound(string value, int number, double restMax)
    {
        (string before, string after) = s_places[number % s_places.Length];
        string text = before + value + after;
        RedactedValues values = new(Policy);
        string hidden = TextScreen.Run(Policy, values, new MatchFinder(Policy), ScreenMode.Hide, text);
        Assert.Equal(text, TextScreen.Run(Policy, values, new MatchFinder(Policy), ScreenMode.Restore, hidden));

        StringBuilder rest = new();
        int from = 0;
        while (Placeholder.TryNext(hidden, from, Policy.Labels, out int start, out int end))
        {
            rest.Append(hidden, from, start - from);
            from = end;
        }

        rest.Append(hidden, from, hidden.Length - from);
        int left = rest.Length - before.Length - after.Length;
        bool isFound = !values.IsEmpty && left <= value.Length * Math.Max(RestMax, restMax);
        if (!isFound)
        {
            output.WriteLine($"missed: {text} -> {hidden}");
        }

        return isFound;
    }

    /// <summary>What surrounds a value in a document is no part of it.</summary>
    private static double RestOf(string name) => name switch { "a link" or "Markdown" => 0.6, "a query" or "JSON" or "XML" or "a row" => 0.75, _ => 0 };

    private static string Hide(string text, out int count)
    {
        RedactedValues values = new(Policy);
        string hidden = TextScreen.Run(Policy, values, new MatchFinder(Policy), ScreenMode.Hide, text);
        count = values.Counts.Values.Sum();
        return hidden;
    }

    private void Report(Dictionary<string, (int Found, int All)> figures)
    {
        foreach ((string name, (int found, int all)) in figures)
        {
            output.WriteLine($"{name}: {found} of {all}, {(double)found / all:P2}");
        }
    }

    private static double Share((int Found, int All) figure) => (double)figure.Found / figure.All;

    private static void Count(Dictionary<string, (int Found, int All)> figures, string name, bool isFound)
    {
        (int found, int all) = figures.GetValueOrDefault(name);
        figures[name] = (found + (isFound ? 1 : 0), all + 1);
    }
}
