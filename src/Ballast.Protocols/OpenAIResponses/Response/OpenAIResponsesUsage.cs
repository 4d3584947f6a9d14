using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>Tokens as this protocol counts them: cached tokens are inside <c>input_tokens</c>, reasoning inside <c>output_tokens</c>.</summary>
internal static class OpenAIResponsesUsage
{
    /// <summary>Largest count believed: sums of a few of them cannot overflow.</summary>
    private const long CountMax = 1L << 52;

    /// <summary>Reads the object on which <paramref name="json"/> stands and leaves the reader at its end.</summary>
    /// <param name="json">Stands on the value of <c>usage</c>.</param>
    /// <param name="losses">Where figures without a class are named; null where nothing is crossed.</param>
    public static Usage Read(ref Utf8JsonReader json, LossReport? losses)
    {
        long input = 0;
        long output = 0;
        long total = 0;
        long cacheRead = 0;
        long cacheWrite = 0;
        long? reasoning = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("input_tokens"u8))
            {
                input = Next(ref json) ?? 0;
            }
            else if (json.ValueTextEquals("output_tokens"u8))
            {
                output = Next(ref json) ?? 0;
            }
            else if (json.ValueTextEquals("total_tokens"u8))
            {
                total = Next(ref json) ?? 0;
            }
            else if (json.ValueTextEquals("input_tokens_details"u8) || json.ValueTextEquals("output_tokens_details"u8))
            {
                string at = json.ValueTextEquals("input_tokens_details"u8) ? "/usage/input_tokens_details" : "/usage/output_tokens_details";
                ReadDetails(ref json, at, ref cacheRead, ref cacheWrite, ref reasoning, losses);
            }
            else
            {
                Note(ref json, "/usage", losses);
            }
        }

        // Servers that count reasoning beside the answer's tokens give themselves away by their total.
        long apart = Math.Max(0, total - input - output);
        output += apart;
        reasoning = apart > 0 ? Math.Max(apart, reasoning ?? 0) : reasoning;
        cacheRead = Math.Min(cacheRead, input);
        cacheWrite = Math.Min(cacheWrite, input - cacheRead);
        return new Usage
        {
            InputTokens = input - cacheRead - cacheWrite,
            CacheReadTokens = cacheRead,
            CacheWriteTokens = cacheWrite,
            OutputTokens = output,
            ReasoningTokens = reasoning is long count ? Math.Min(count, output) : null,
        };
    }

    private static void ReadDetails(ref Utf8JsonReader json, string at, ref long cacheRead, ref long cacheWrite, ref long? reasoning, LossReport? losses)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            json.Skip();
            return;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("cached_tokens"u8))
            {
                cacheRead = Next(ref json) ?? 0;
            }
            else if (json.ValueTextEquals("cache_write_tokens"u8))
            {
                cacheWrite = Next(ref json) ?? 0;
            }
            else if (json.ValueTextEquals("reasoning_tokens"u8))
            {
                reasoning = Next(ref json);
            }
            else
            {
                Note(ref json, at, losses);
            }
        }
    }

    private static void Note(ref Utf8JsonReader json, string at, LossReport? losses)
    {
        if (losses is null)
        {
            json.Read();
            json.Skip();
            return;
        }

        string name = Framing.JsonText.Read(ref json);
        json.Read();
        bool isZero = json.TokenType == JsonTokenType.Number && json.TryGetDouble(out double number) && number == 0;
        if (json.TokenType != JsonTokenType.Null && !isZero)
        {
            losses.AddInResponse(OpenAIResponsesFault.Below(at, name), $"The field {name} cannot cross protocols.");
        }

        json.Skip();
    }

    /// <summary>The count that follows a property's name, or null for anything that is none; never negative.</summary>
    private static long? Next(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.Number)
        {
            json.Skip();
            return null;
        }

        if (json.TryGetInt64(out long count))
        {
            return Math.Clamp(count, 0, CountMax);
        }

        return json.TryGetDouble(out double real) ? (long)Math.Clamp(real, 0, CountMax) : null;
    }

    /// <summary>Writes the value of a <c>usage</c> field.</summary>
    public static void Write(Usage? usage, Utf8JsonWriter json)
    {
        if (usage is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        json.WriteNumber("input_tokens"u8, usage.TotalInputTokens);
        json.WriteStartObject("input_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, usage.CacheReadTokens);
        long written = usage.CacheWriteTokens + usage.CacheWriteLongTokens;
        if (written > 0)
        {
            json.WriteNumber("cache_write_tokens"u8, written);
        }

        json.WriteEndObject();
        json.WriteNumber("output_tokens"u8, usage.OutputTokens);
        json.WriteStartObject("output_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, usage.ReasoningTokens ?? 0);
        json.WriteEndObject();
        json.WriteNumber("total_tokens"u8, usage.TotalInputTokens + usage.OutputTokens);
        json.WriteEndObject();
    }
}
