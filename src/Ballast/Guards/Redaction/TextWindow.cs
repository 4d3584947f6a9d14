namespace Ballast.Guards.Redaction;

/// <summary>How much of a text is looked at together, and so how much of an answer can be held back.</summary>
internal static class TextWindow
{
    /// <summary>Longest value that is found, in characters; of a longer one as much is replaced as was seen together.</summary>
    public const int MatchCharactersMax = 2_048;

    /// <summary>Most that is looked at together, in characters: words that may belong together, or a line.</summary>
    public const int CharactersMax = 4 * MatchCharactersMax;

    /// <summary>The same for a private key in PEM.</summary>
    public const int PemCharactersMax = 16_384;
}
