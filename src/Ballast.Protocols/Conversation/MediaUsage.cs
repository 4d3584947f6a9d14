namespace Ballast.Protocols.Conversation;

/// <summary>
/// What of an answer has a price of its own beside text: tokens of sound and pictures, each contained in its class of <see cref="Usage"/>, and what is counted by the piece.
/// </summary>
public sealed record MediaUsage
{
    /// <summary>Contained in <see cref="Usage.InputTokens"/>, as all of the input that was not read from a cache.</summary>
    public long InputAudioTokens { get; init; }

    /// <summary>Contained in <see cref="Usage.CacheReadTokens"/>.</summary>
    public long CacheReadAudioTokens { get; init; }

    /// <summary>Contained in <see cref="Usage.OutputTokens"/>.</summary>
    public long OutputAudioTokens { get; init; }

    /// <inheritdoc cref="InputAudioTokens"/>
    public long InputImageTokens { get; init; }

    /// <inheritdoc cref="CacheReadAudioTokens"/>
    public long CacheReadImageTokens { get; init; }

    /// <inheritdoc cref="OutputAudioTokens"/>
    public long OutputImageTokens { get; init; }

    /// <summary>Searches of the web that the platform made for the answer.</summary>
    public long WebSearches { get; init; }

    /// <summary>Pictures made.</summary>
    public long Images { get; init; }

    /// <summary>Nothing of it was used.</summary>
    public bool IsEmpty =>
        (InputAudioTokens | CacheReadAudioTokens | OutputAudioTokens | InputImageTokens | CacheReadImageTokens | OutputImageTokens | WebSearches | Images) == 0;

    /// <summary>Of two answers together.</summary>
    public static MediaUsage Sum(MediaUsage one, MediaUsage other) => new()
    {
        InputAudioTokens = one.InputAudioTokens + other.InputAudioTokens,
        CacheReadAudioTokens = one.CacheReadAudioTokens + other.CacheReadAudioTokens,
        OutputAudioTokens = one.OutputAudioTokens + other.OutputAudioTokens,
        InputImageTokens = one.InputImageTokens + other.InputImageTokens,
        CacheReadImageTokens = one.CacheReadImageTokens + other.CacheReadImageTokens,
        OutputImageTokens = one.OutputImageTokens + other.OutputImageTokens,
        WebSearches = one.WebSearches + other.WebSearches,
        Images = one.Images + other.Images,
    };

    /// <summary>Of figures in which what was read from a cache is counted twice, as vendors count it; null where there is nothing.</summary>
    internal static MediaUsage? Of(long audio, long cachedAudio, long outputAudio, long image, long cachedImage, long outputImage, long searches = 0)
    {
        MediaUsage media = new()
        {
            InputAudioTokens = Math.Max(0, audio - cachedAudio),
            CacheReadAudioTokens = Math.Min(audio, cachedAudio),
            OutputAudioTokens = outputAudio,
            InputImageTokens = Math.Max(0, image - cachedImage),
            CacheReadImageTokens = Math.Min(image, cachedImage),
            OutputImageTokens = outputImage,
            WebSearches = searches,
        };
        return media.IsEmpty ? null : media;
    }
}
