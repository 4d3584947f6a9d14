using System.Buffers;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Ledger;

/// <summary>Sound, pictures and searches of an attempt as they stand in the ledger: a JSON object of the counts that are not zero.</summary>
internal static class MediaText
{
    public static IReadOnlyList<(string Name, Func<MediaUsage, long> Read, Func<MediaUsage, long, MediaUsage> With)> Counts { get; } =
    [
        ("input_audio_tokens", static one => one.InputAudioTokens, static (one, count) => one with { InputAudioTokens = count }),
        ("cache_read_audio_tokens", static one => one.CacheReadAudioTokens, static (one, count) => one with { CacheReadAudioTokens = count }),
        ("output_audio_tokens", static one => one.OutputAudioTokens, static (one, count) => one with { OutputAudioTokens = count }),
        ("input_image_tokens", static one => one.InputImageTokens, static (one, count) => one with { InputImageTokens = count }),
        ("cache_read_image_tokens", static one => one.CacheReadImageTokens, static (one, count) => one with { CacheReadImageTokens = count }),
        ("output_image_tokens", static one => one.OutputImageTokens, static (one, count) => one with { OutputImageTokens = count }),
        ("web_searches", static one => one.WebSearches, static (one, count) => one with { WebSearches = count }),
        ("images", static one => one.Images, static (one, count) => one with { Images = count }),
    ];

    public static string? Write(MediaUsage? media)
    {
        if (media is null || media.IsEmpty)
        {
            return null;
        }

        ArrayBufferWriter<byte> buffer = new(256);
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            foreach ((string name, Func<MediaUsage, long> read, _) in Counts)
            {
                if (read(media) is > 0 and var count)
                {
                    writer.WriteNumber(name, SqliteLedgerStore.Tokens(count));
                }
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>With one count set by its name; a name that is not known here is left out.</summary>
    public static MediaUsage With(MediaUsage? media, string name, long count)
    {
        media ??= new MediaUsage();
        foreach ((string known, _, Func<MediaUsage, long, MediaUsage> with) in Counts)
        {
            media = known == name ? with(media, count) : media;
        }

        return media;
    }

    public static MediaUsage? Read(string? json)
    {
        if (json is null)
        {
            return null;
        }

        using JsonDocument document = JsonDocument.Parse(json);
        MediaUsage media = new();
        foreach ((string name, _, Func<MediaUsage, long, MediaUsage> with) in Counts)
        {
            media = document.RootElement.TryGetProperty(name, out JsonElement count) ? with(media, count.GetInt64()) : media;
        }

        return media;
    }
}
