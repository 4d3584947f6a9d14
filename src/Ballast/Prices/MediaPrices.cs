namespace Ballast.Prices;

/// <summary>
/// What a model asks for sound, pictures and searches. Tokens in US dollars per million; what is null costs as text of its class. By the piece in US dollars; what is null costs nothing by the piece.
/// </summary>
public sealed record MediaPrices
{
    public decimal? InputAudio { get; init; }
    public decimal? CacheReadAudio { get; init; }
    public decimal? OutputAudio { get; init; }
    public decimal? InputImage { get; init; }
    public decimal? CacheReadImage { get; init; }
    public decimal? OutputImage { get; init; }

    /// <summary>US dollars for each search of the web that the platform makes.</summary>
    public decimal? PerSearch { get; init; }

    /// <summary>US dollars for each request for whose answer the platform searched the web, however often.</summary>
    public decimal? PerSearchingRequest { get; init; }

    /// <summary>US dollars for each picture.</summary>
    public decimal? PerImage { get; init; }

    /// <summary>Names in files, and where each stands.</summary>
    public static IReadOnlyList<(string Name, Func<MediaPrices, decimal?> Read, Func<MediaPrices, decimal?, MediaPrices> With)> Figures { get; } =
    [
        ("input_audio", static one => one.InputAudio, static (one, figure) => one with { InputAudio = figure }),
        ("cache_read_audio", static one => one.CacheReadAudio, static (one, figure) => one with { CacheReadAudio = figure }),
        ("output_audio", static one => one.OutputAudio, static (one, figure) => one with { OutputAudio = figure }),
        ("input_image", static one => one.InputImage, static (one, figure) => one with { InputImage = figure }),
        ("cache_read_image", static one => one.CacheReadImage, static (one, figure) => one with { CacheReadImage = figure }),
        ("output_image", static one => one.OutputImage, static (one, figure) => one with { OutputImage = figure }),
        ("per_search", static one => one.PerSearch, static (one, figure) => one with { PerSearch = figure }),
        ("per_searching_request", static one => one.PerSearchingRequest, static (one, figure) => one with { PerSearchingRequest = figure }),
        ("per_image", static one => one.PerImage, static (one, figure) => one with { PerImage = figure }),
    ];

    /// <summary>Reads them by name; null where none is there.</summary>
    public static MediaPrices? Of(Func<string, decimal?> find)
    {
        MediaPrices prices = new();
        foreach ((string name, _, Func<MediaPrices, decimal?, MediaPrices> with) in Figures)
        {
            prices = with(prices, find(name));
        }

        return prices == new MediaPrices() ? null : prices;
    }

    public MediaPrices Times(decimal factor) => Of(name => Figures.First(figure => figure.Name == name).Read(this) * factor)!;
}
