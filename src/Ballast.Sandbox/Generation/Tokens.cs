using Microsoft.ML.Tokenizers;

namespace Ballast.Sandbox.Generation;

/// <summary>Token counts by the o200k_base encoding, for every vendor: near enough for the others, exact for OpenAI's.</summary>
internal static class Tokens
{
    /// <summary>
    /// Texts longer than this are counted in slices, cut before a space where there is one: the time for one word grows with its square.
    /// </summary>
    private const int SliceCharacters = 2048;

    private static readonly Lazy<TiktokenTokenizer> Encoding = new(() => TiktokenTokenizer.CreateForEncoding("o200k_base"));

    /// <summary>Loads the encoding, which takes a while, before the first answer needs it.</summary>
    public static void Warm() => _ = Encoding.Value;

    public static int Count(string text)
    {
        int count = 0;
        int start = 0;
        while (start < text.Length)
        {
            int end = Math.Min(text.Length, start + SliceCharacters);
            int space = end < text.Length ? text.LastIndexOf(' ', end - 1, end - start - 1) : -1;
            end = space > start ? space : end;
            count += Encoding.Value.CountTokens(text.AsSpan(start, end - start));
            start = end;
        }

        return count;
    }

    /// <summary>Token by token; joined, the parts are the text again.</summary>
    public static List<(string Text, int Tokens)> Split(string text)
    {
        List<(string Text, int Tokens)> parts = [];
        IReadOnlyList<EncodedToken> tokens = Encoding.Value.EncodeToTokens(text, out _);
        int start = 0;
        int waiting = 0;
        for (int i = 0; i < tokens.Count; i++)
        {
            waiting++;
            int end = i == tokens.Count - 1 ? text.Length : tokens[i].Offset.End.Value;

            // A token may hold only some bytes of a character: it waits for the token that ends it.
            bool insideCharacter = i < tokens.Count - 1
                && (end == text.Length || tokens[i + 1].Offset.Start.Value < end || char.IsLowSurrogate(text[end]));
            if (end > start && !insideCharacter)
            {
                parts.Add((text[start..end], waiting));
                start = end;
                waiting = 0;
            }
        }

        if (start < text.Length)
        {
            parts.Add((text[start..], Math.Max(1, waiting)));
        }

        return parts;
    }
}
