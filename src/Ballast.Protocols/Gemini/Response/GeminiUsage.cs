using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// The object <c>usageMetadata</c>, which stands in every chunk and counts from the beginning: the last one counts. Cached tokens are within the prompt's; thoughts are beside
/// the candidates', and what a tool of Google's put into the prompt is beside the prompt's. Google bills no writing to a cache; where another vendor's model answered, two
/// fields of Ballast's own tell it, so that a price adds up whichever surface asked.
/// </summary>
internal struct GeminiUsage
{
    private long _prompt;
    private long _cached;
    private long _toolPrompt;
    private long _cacheWrite;
    private long _cacheWriteLong;
    private long _candidates;
    private long? _thoughts;
    private ServiceTier _tier;
    private (long Audio, long Image) _promptMedia;
    private (long Audio, long Image) _cachedMedia;
    private (long Audio, long Image) _answerMedia;

    public bool IsKnown { get; private set; }

    /// <summary>How soon the answer was given, as any vendor can say it; null where it is not told so.</summary>
    public string? TierWord { get; private set; }

    /// <summary>Where it is told.</summary>
    public string? TierPointer { get; private set; }

    /// <summary>Takes over the object; figures that it leaves out are zero.</summary>
    public void Read(ReadOnlySpan<byte> usage)
    {
        GeminiUsage read = new() { IsKnown = true };
        Utf8JsonReader json = new(usage, GeminiCursor.ReaderOptions);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isTier = json.ValueTextEquals("serviceTier"u8);
            if (isTier || json.ValueTextEquals("trafficType"u8))
            {
                json.Read();
                read._tier = ServiceTierWord.Read(json);
                string? word = json.TokenType == JsonTokenType.String ? ServiceTierWord.Common(json.ValueSpan) : null;
                read.TierWord = isTier ? word ?? read.TierWord : read.TierWord ?? word;
                read.TierPointer = isTier && word is not null ? "/usageMetadata/serviceTier" : read.TierPointer ?? (word is null ? null : "/usageMetadata/trafficType");
                json.Skip();
                continue;
            }

            if (read.TryReadMedia(ref json))
            {
                continue;
            }

            int field = json.ValueTextEquals("promptTokenCount"u8) ? 1
                : json.ValueTextEquals("candidatesTokenCount"u8) ? 2
                : json.ValueTextEquals("thoughtsTokenCount"u8) ? 3
                : json.ValueTextEquals("cachedContentTokenCount"u8) ? 4
                : json.ValueTextEquals("toolUsePromptTokenCount"u8) ? 5
                : json.ValueTextEquals("cacheWriteTokenCount"u8) ? 6
                : json.ValueTextEquals("cacheWriteLongTokenCount"u8) ? 7
                : 0;
            json.Read();
            if (field == 0 || json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out long count) || count < 0)
            {
                json.Skip();
                continue;
            }

            switch (field)
            {
                case 1:
                    read._prompt = count;
                    break;
                case 2:
                    read._candidates = count;
                    break;
                case 3:
                    read._thoughts = count;
                    break;
                case 4:
                    read._cached = count;
                    break;
                case 6:
                    read._cacheWrite = count;
                    break;
                case 7:
                    read._cacheWriteLong = count;
                    break;
                default:
                    read._toolPrompt = count;
                    break;
            }
        }

        this = read;
    }

    /// <summary>False where the reader stands on the name of something else.</summary>
    private bool TryReadMedia(ref Utf8JsonReader json)
    {
        if (json.ValueTextEquals("promptTokensDetails"u8))
        {
            _promptMedia = ReadMedia(ref json);
            return true;
        }

        if (json.ValueTextEquals("cacheTokensDetails"u8))
        {
            _cachedMedia = ReadMedia(ref json);
            return true;
        }

        if (json.ValueTextEquals("candidatesTokensDetails"u8))
        {
            _answerMedia = ReadMedia(ref json);
            return true;
        }

        return false;
    }

    /// <summary>Tokens of sound and of pictures in a list by modality, on whose name the reader stands; it is left at the list's end.</summary>
    private static (long Audio, long Image) ReadMedia(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.StartArray)
        {
            json.Skip();
            return default;
        }

        long audio = 0, image = 0;
        int depth = json.CurrentDepth;
        bool isAudio = false, isImage = false;
        long tokens = 0;
        while (json.Read() && json.CurrentDepth > depth)
        {
            switch (json.TokenType)
            {
                case JsonTokenType.StartObject:
                    (isAudio, isImage, tokens) = (false, false, 0);
                    break;
                case JsonTokenType.EndObject:
                    audio += isAudio ? tokens : 0;
                    image += isImage ? tokens : 0;
                    break;
                case JsonTokenType.PropertyName when json.ValueTextEquals("modality"u8):
                    json.Read();
                    isAudio = json.TokenType == JsonTokenType.String && json.ValueTextEquals("AUDIO"u8);
                    isImage = json.TokenType == JsonTokenType.String && json.ValueTextEquals("IMAGE"u8);
                    json.Skip();
                    break;
                case JsonTokenType.PropertyName when json.ValueTextEquals("tokenCount"u8):
                    json.Read();
                    tokens = json.TokenType == JsonTokenType.Number && json.TryGetInt64(out long count) && count is > 0 and < 1L << 52 ? count : 0;
                    json.Skip();
                    break;
                case JsonTokenType.PropertyName:
                    json.Read();
                    json.Skip();
                    break;
                default:
                    break;
            }
        }

        return (audio, image);
    }

    /// <param name="searches">Searches of the web that the answer tells of elsewhere.</param>
    public readonly Usage? ToUsage(int searches)
    {
        if (!IsKnown)
        {
            return null;
        }

        long cached = Math.Min(_cached, _prompt);
        long written = Math.Min(_cacheWrite, _prompt - cached);
        long writtenLong = Math.Min(_cacheWriteLong, _prompt - cached - written);
        return new Usage
        {
            InputTokens = _prompt - cached - written - writtenLong + _toolPrompt,
            CacheReadTokens = cached,
            CacheWriteTokens = written,
            CacheWriteLongTokens = writtenLong,
            OutputTokens = _candidates + (_thoughts ?? 0),
            ReasoningTokens = _thoughts,
            Media = MediaUsage.Of(_promptMedia.Audio, _cachedMedia.Audio, _answerMedia.Audio, _promptMedia.Image, _cachedMedia.Image, _answerMedia.Image, searches),
            ServiceTier = _tier,
        };
    }

    public static void Write(Utf8JsonWriter json, Usage usage, string? tier)
    {
        long prompt = usage.TotalInputTokens;
        long thoughts = Math.Min(usage.ReasoningTokens ?? 0, usage.OutputTokens);
        json.WriteStartObject("usageMetadata"u8);
        json.WriteNumber("promptTokenCount"u8, prompt);
        if (usage.CacheReadTokens > 0)
        {
            json.WriteNumber("cachedContentTokenCount"u8, usage.CacheReadTokens);
        }

        if (usage.CacheWriteTokens > 0)
        {
            json.WriteNumber("cacheWriteTokenCount"u8, usage.CacheWriteTokens);
        }

        if (usage.CacheWriteLongTokens > 0)
        {
            json.WriteNumber("cacheWriteLongTokenCount"u8, usage.CacheWriteLongTokens);
        }

        json.WriteNumber("candidatesTokenCount"u8, usage.OutputTokens - thoughts);
        if (usage.ReasoningTokens is not null)
        {
            json.WriteNumber("thoughtsTokenCount"u8, thoughts);
        }

        json.WriteNumber("totalTokenCount"u8, prompt + usage.OutputTokens);
        if (tier is not null)
        {
            json.WriteString("serviceTier"u8, tier);
        }

        json.WriteEndObject();
    }
}

/// <summary>
/// Finish reasons. A call of a function finishes with <c>STOP</c> like any answer: what was called decides. Whatever a filter of the platform did is a content filter; words
/// for a model's own faults (a malformed call …) stay as they are.
/// </summary>
internal static class GeminiFinish
{
    /// <summary>The reason at which <paramref name="json"/> stands, a word or, from some servers, its number; null where there is none. Makes no string of a known word.</summary>
    public static FinishReason? Read(ref Utf8JsonReader json)
    {
        if (json.TokenType == JsonTokenType.Number)
        {
            return json.TryGetInt32(out int number)
                ? number switch { 0 => null, 1 => FinishReason.Stop, 2 => FinishReason.Length, 3 or 4 => FinishReason.ContentFilter, _ => new FinishReason($"FINISH_REASON_{number}") }
                : null;
        }

        if (json.TokenType != JsonTokenType.String || json.ValueSpan.IsEmpty || json.ValueTextEquals("FINISH_REASON_UNSPECIFIED"u8))
        {
            return null;
        }

        return json.ValueTextEquals("STOP"u8) ? FinishReason.Stop
            : json.ValueTextEquals("MAX_TOKENS"u8) ? FinishReason.Length
            : IsFilter(json) ? FinishReason.ContentFilter
            : new FinishReason(JsonText.Read(ref json));
    }

    private static bool IsFilter(in Utf8JsonReader json) =>
        json.ValueTextEquals("SAFETY"u8) || json.ValueTextEquals("RECITATION"u8) || json.ValueTextEquals("LANGUAGE"u8) || json.ValueTextEquals("BLOCKLIST"u8)
        || json.ValueTextEquals("PROHIBITED_CONTENT"u8) || json.ValueTextEquals("SPII"u8) || json.ValueTextEquals("MODEL_ARMOR"u8)
        || json.ValueTextEquals("IMAGE_SAFETY"u8) || json.ValueTextEquals("IMAGE_PROHIBITED_CONTENT"u8) || json.ValueTextEquals("IMAGE_RECITATION"u8);

    /// <summary>The word for a finish; a reason of another vendor's own is <c>OTHER</c>, and named as lost.</summary>
    public static string Write(Finished finished, bool hasRefusal, LossReport losses)
    {
        FinishReason reason = finished.Reason;
        if (reason == FinishReason.ContentFilter || reason == FinishReason.Refusal || hasRefusal)
        {
            return "SAFETY";
        }

        if (reason == FinishReason.Stop || reason == FinishReason.ToolCalls)
        {
            return "STOP";
        }

        if (reason == FinishReason.Length || reason == FinishReason.ContextWindow)
        {
            return "MAX_TOKENS";
        }

        // A word in capitals is this protocol's own.
        if (reason.Value.Length > 0 && reason.Value.All(letter => char.IsAsciiLetterUpper(letter) || letter == '_'))
        {
            return reason.Value;
        }

        losses.AddInResponse(finished.Pointer, $"There is no word for the finish reason {reason.Value}.");
        return reason == FinishReason.Pause ? "STOP" : "OTHER";
    }
}
