using Ballast.Exchanges;
using Ballast.Prices;

namespace Ballast.Gateway;

/// <summary>Which prices beside those of text a request may come to, told before it is sent from the words that its body must hold for it.</summary>
/// <param name="HasSound">Its tokens may be of sound.</param>
/// <param name="HasPictures">Its tokens may be of pictures.</param>
/// <param name="Searches">Searches of the web that it is taken for at most.</param>
/// <param name="Images">Pictures that it asks for.</param>
internal readonly record struct MediaBound(bool HasSound, bool HasPictures, int Searches, int Images)
{
    /// <summary>Searches that a request with a tool for them is taken for: no protocol makes a caller say how many.</summary>
    public const int SearchesMax = 10;

    /// <summary>Looks for nothing that has no price: a body is long, and each word is looked for in all of it.</summary>
    public static MediaBound Of(Exchange exchange, PriceSchedule prices)
    {
        ReadOnlySpan<byte> body = exchange.Envelope.Body.Span;
        bool makesPictures = exchange.Operation is Operation.ImageGenerations or Operation.ImageEdits or Operation.ImageVariations;
        bool isSound = exchange.Operation is Operation.Speech or Operation.Transcriptions or Operation.Translations;
        return new MediaBound(
            prices.HasSound && (isSound || Names(body, "audio"u8) || Names(body, "AUDIO"u8) || Names(body, "video"u8) || Names(body, "VIDEO"u8)),
            prices.HasPictures && (makesPictures || Names(body, "image"u8) || Names(body, "IMAGE"u8)),
            prices.HasSearches && (Names(body, "search"u8) || Names(body, "Search"u8)) ? SearchesMax : 0,
            makesPictures ? Math.Clamp(exchange.Envelope.ChoiceCount, 1, 128) : 0);
    }

    /// <summary>US dollars for what is counted by the piece.</summary>
    public decimal PiecesAt(MediaPrices? prices) => prices is null ? 0 : (Searches * (prices.PerSearch ?? 0)) + (Images * (prices.PerImage ?? 0));

    /// <summary>The dearest that a million of its input and output tokens may cost beside the prices of text.</summary>
    public (decimal Input, decimal Output) TokensAt(MediaPrices? prices) => prices is null ? default : (
        Math.Max(
            HasSound ? Math.Max(prices.InputAudio ?? 0, prices.CacheReadAudio ?? 0) : 0,
            HasPictures ? Math.Max(prices.InputImage ?? 0, prices.CacheReadImage ?? 0) : 0),
        Math.Max(HasSound ? prices.OutputAudio ?? 0 : 0, HasPictures ? prices.OutputImage ?? 0 : 0));

    private static bool Names(ReadOnlySpan<byte> body, ReadOnlySpan<byte> word) => body.IndexOf(word) >= 0;
}
