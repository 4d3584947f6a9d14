using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Prices;
using Ballast.Protocols;

namespace Ballast.Gateway;

/// <summary>Which prices beside those of text a request may come to, told before it is sent from the words that its body must hold for it.</summary>
/// <param name="HasSound">Its tokens may be of sound.</param>
/// <param name="HasPictures">Its tokens may be of pictures.</param>
/// <param name="Searches">Searches of the web that it is taken for at most; of a batch, all of its requests together.</param>
/// <param name="Images">Pictures that it asks for.</param>
internal readonly record struct MediaBound(bool HasSound, bool HasPictures, long Searches, int Images)
{
    /// <summary>Requests of a batch that may search.</summary>
    public int SearchingRequests { get; init; } = Searches > 0 ? 1 : 0;

    /// <summary>More pictures than any vendor makes for one request.</summary>
    private const int ImagesMax = 128;

    /// <summary>Pictures that a request asks for; 0 for one that asks for none.</summary>
    public static int ImagesOf(Exchange exchange) =>
        exchange.Operation is Operation.ImageGenerations or Operation.ImageEdits or Operation.ImageVariations ? Math.Clamp(exchange.Envelope.ChoiceCount, 1, ImagesMax) : 0;

    /// <summary>Looks for nothing that has no price: a body is long, and each word is looked for in all of it.</summary>
    public static MediaBound Of(Exchange exchange, Deployment deployment, PriceSchedule prices)
    {
        int images = ImagesOf(exchange);
        if (!prices.HasSound && !prices.HasPictures && !prices.HasSearches)
        {
            return new MediaBound(false, false, 0, images);
        }

        ReadOnlySpan<byte> body = exchange.Envelope.Body.Span;
        bool isDisguised = HasEscapedLetters(body);
        bool isSound = exchange.Operation is Operation.Speech or Operation.Transcriptions or Operation.Translations;
        return new MediaBound(
            prices.HasSound && (isSound || isDisguised || Names(body, "audio"u8) || Names(body, "AUDIO"u8) || Names(body, "video"u8) || Names(body, "VIDEO"u8)),
            prices.HasPictures && (images > 0 || isDisguised || Names(body, "image"u8) || Names(body, "IMAGE"u8)),
            prices.HasSearches ? SearchBound.Of(body, isDisguised || SearchBound.IsOfName(deployment.SentModel)) : 0,
            images);
    }

    /// <summary>US dollars for what is counted by the piece.</summary>
    public decimal PiecesAt(MediaPrices? prices) => prices is null ? 0
        : (Searches * (prices.PerSearch ?? 0)) + (SearchingRequests * (prices.PerSearchingRequest ?? 0)) + (Images * (prices.PerImage ?? 0));

    /// <summary>The dearest that a million of its input and output tokens may cost beside the prices of text.</summary>
    public (decimal Input, decimal Output) TokensAt(MediaPrices? prices) => prices is null ? default : (
        Math.Max(
            HasSound ? Math.Max(prices.InputAudio ?? 0, prices.CacheReadAudio ?? 0) : 0,
            HasPictures ? Math.Max(prices.InputImage ?? 0, prices.CacheReadImage ?? 0) : 0),
        Math.Max(HasSound ? prices.OutputAudio ?? 0 : 0, HasPictures ? prices.OutputImage ?? 0 : 0));

    private static bool Names(ReadOnlySpan<byte> body, ReadOnlySpan<byte> word) => body.IndexOf(word) >= 0;

    /// <summary>JSON may hold a word's letters as escapes, where nobody looks for them; no client of a vendor's writes them so.</summary>
    private static bool HasEscapedLetters(ReadOnlySpan<byte> body)
    {
        for (int at = 0; body[at..].IndexOf("\\u00"u8) is >= 0 and int found;)
        {
            at += found + 4;
            if (at < body.Length && body[at] is >= (byte)'4' and <= (byte)'7')
            {
                return true;
            }
        }

        return false;
    }
}
