namespace Ballast.Catalog;

/// <summary>
/// Tells a model's family from its name: the vendor's line and its generation, <c>gpt-5</c> for <c>gpt-5-mini</c>, <c>claude-4</c> for
/// <c>claude-sonnet-4-5</c>. An assumption, and labelled as one wherever it is shown; a declared family takes its place.
/// </summary>
public static class ModelFamily
{
    public static string Of(string model)
    {
        ReadOnlySpan<char> name = model.AsSpan(model.LastIndexOf('/') + 1);
        int prefix = name.IndexOf('.');
        name = prefix > 0 && !char.IsAsciiDigit(name[prefix - 1]) ? name[(prefix + 1)..] : name; // Bedrock's anthropic.claude-…
        ReadOnlySpan<char> line = default;
        ReadOnlySpan<char> second = default;
        foreach (Range range in name.Split('-'))
        {
            ReadOnlySpan<char> word = name[range];
            if (line.IsEmpty)
            {
                line = word;
            }
            else if (IsGeneration(word))
            {
                int point = word.IndexOf('.');
                return $"{line}-{(point < 0 ? word : word[..point])}";
            }
            else if (second.IsEmpty)
            {
                second = word;
            }
        }

        return second.IsEmpty ? line.ToString() : $"{line}-{second}";
    }

    /// <summary>A version: one or two digits, perhaps with a point or one letter behind them. Sizes (<c>120b</c>) and dates are none.</summary>
    private static bool IsGeneration(ReadOnlySpan<char> word)
    {
        int digits = 0;
        while (digits < word.Length && char.IsAsciiDigit(word[digits]))
        {
            digits++;
        }

        return digits is 1 or 2 && (digits == word.Length || word[digits] == '.' || (digits == word.Length - 1 && word[digits] is 'o'));
    }
}
