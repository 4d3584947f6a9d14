using System.Buffers.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>
/// Tokens as this protocol counts them: cached tokens are inside <c>prompt_tokens</c>, reasoning inside <c>completion_tokens</c>. Servers that count otherwise
/// give themselves away by their total.
/// </summary>
internal static class OpenAIChatUsage
{
    /// <summary>Reads an object of figures that is known to be JSON, within the depth of an answer.</summary>
    public static Usage Read(ReadOnlySpan<byte> json)
    {
        Counts counts = default;
        JsonScan scan = new(json, int.MaxValue);
        scan.EnterObject();
        while (scan.NextField())
        {
            if (scan.Is("prompt_tokens_details"u8) || scan.Is("completion_tokens_details"u8) || scan.Is("cache_creation"u8))
            {
                ReadDetails(ref scan, ref counts, isOutput: scan.Is("completion_tokens_details"u8));
            }
            else
            {
                ReadCount(ref scan, ref counts);
            }
        }

        return Settle(counts);
    }

    /// <summary>The counts of an object of figures as they stand in it.</summary>
    public static OpenAIChatTextCounts TextCounts(ReadOnlySpan<byte> json)
    {
        Counts counts = default;
        JsonScan scan = new(json, int.MaxValue);
        scan.EnterObject();
        while (scan.NextField())
        {
            if (scan.Is("completion_tokens_details"u8))
            {
                ReadDetails(ref scan, ref counts, isOutput: true);
            }
            else
            {
                ReadCount(ref scan, ref counts);
            }
        }

        return new OpenAIChatTextCounts(counts.Prompt, counts.Completion, counts.Reasoning ?? 0);
    }

    /// <summary>The name of an object of further figures on which <paramref name="reader"/> stands; null on any other name.</summary>
    public static string? DetailsName(in Utf8JsonReader reader) =>
        reader.ValueTextEquals("prompt_tokens_details"u8) ? "prompt_tokens_details"
        : reader.ValueTextEquals("completion_tokens_details"u8) ? "completion_tokens_details"
        : reader.ValueTextEquals("cache_creation"u8) ? "cache_creation"
        : null;

    /// <summary>The figure on whose name <paramref name="reader"/> stands belongs to a class of tokens, or follows from those that do.</summary>
    public static bool IsCounted(in Utf8JsonReader reader) =>
        reader.ValueTextEquals("prompt_tokens"u8) || reader.ValueTextEquals("completion_tokens"u8) || reader.ValueTextEquals("total_tokens"u8)
        || reader.ValueTextEquals("prompt_cache_hit_tokens"u8) || reader.ValueTextEquals("prompt_cache_miss_tokens"u8)
        || reader.ValueTextEquals("cache_read_input_tokens"u8) || reader.ValueTextEquals("cached_tokens"u8)
        || reader.ValueTextEquals("cache_creation_input_tokens"u8) || reader.ValueTextEquals("cache_write_tokens"u8)
        || reader.ValueTextEquals("reasoning_tokens"u8) || reader.ValueTextEquals("ephemeral_5m_input_tokens"u8)
        || reader.ValueTextEquals("ephemeral_1h_input_tokens"u8);

    private static void ReadCount(ref JsonScan scan, ref Counts counts)
    {
        if (scan.Is("prompt_tokens"u8))
        {
            counts.Prompt = Next(ref scan) ?? 0;
        }
        else if (scan.Is("completion_tokens"u8))
        {
            counts.Completion = Next(ref scan) ?? 0;
        }
        else if (scan.Is("total_tokens"u8))
        {
            counts.Total = Next(ref scan) ?? 0;
        }
        else if (scan.Is("prompt_cache_hit_tokens"u8) || scan.Is("cache_read_input_tokens"u8)
            || scan.Is("cached_tokens"u8))
        {
            counts.CacheReadBeside = Next(ref scan) ?? counts.CacheReadBeside;
        }
        else if (scan.Is("cache_creation_input_tokens"u8))
        {
            counts.CacheWriteBeside = Next(ref scan);
        }
        else if (scan.Is("reasoning_tokens"u8))
        {
            long? count = Next(ref scan);
            counts.Reasoning ??= count;
        }
        else if (scan.Is("num_search_queries"u8))
        {
            counts.Searches = Next(ref scan) ?? 0; // Perplexity's
        }
        else
        {
            Next(ref scan);
        }
    }

    private static void ReadDetails(ref JsonScan scan, ref Counts counts, bool isOutput)
    {
        if (scan.First() != (byte)'{')
        {
            scan.Skip();
            return;
        }

        scan.EnterObject();
        while (scan.NextField())
        {
            if (scan.Is("cached_tokens"u8))
            {
                counts.CacheRead = Next(ref scan);
            }
            else if (scan.Is("cache_write_tokens"u8))
            {
                counts.CacheWrite = Next(ref scan);
            }
            else if (scan.Is("ephemeral_1h_input_tokens"u8))
            {
                counts.CacheWriteLong = Next(ref scan) ?? 0;
            }
            else if (scan.Is("reasoning_tokens"u8))
            {
                counts.Reasoning = Next(ref scan) ?? counts.Reasoning;
            }
            else if (scan.Is("audio_tokens"u8))
            {
                long? count = Next(ref scan);
                counts.Audio ??= count; // the prompt's come before the answer's in every known server
                counts.InputAudio = isOutput ? counts.InputAudio : count ?? 0;
                counts.OutputAudio = isOutput ? count ?? 0 : counts.OutputAudio;
            }
            else if (scan.Is("image_tokens"u8))
            {
                long count = Next(ref scan) ?? 0;
                counts.InputImage = isOutput ? counts.InputImage : count;
                counts.OutputImage = isOutput ? count : counts.OutputImage;
            }
            else
            {
                Next(ref scan);
            }
        }
    }

    /// <summary>The count that follows a property's name, or null for anything that is none; never negative.</summary>
    private static long? Next(ref JsonScan scan)
    {
        bool isNumber = scan.First() is (byte)'-' or (>= (byte)'0' and <= (byte)'9');
        ReadOnlySpan<byte> text = scan.Bytes(scan.Take());
        if (!isNumber)
        {
            return null;
        }

        if (JsonText.TryInteger(text, out long count))
        {
            return Math.Clamp(count, 0, CountMax);
        }

        return Utf8Parser.TryParse(text, out double real, out int length) && length == text.Length ? (long)Math.Clamp(real, 0, CountMax) : null;
    }

    /// <summary>Largest count believed: sums of a few of them cannot overflow.</summary>
    private const long CountMax = 1L << 52;

    private static Usage Settle(in Counts counts)
    {
        long prompt = counts.Prompt;
        long sum = prompt + counts.Completion;
        if (counts.Audio > prompt && counts.Total >= sum + counts.Audio)
        {
            // Mistral counts the tokens of sound beside the prompt's.
            prompt += counts.Audio.Value;
            sum += counts.Audio.Value;
        }

        // xAI and Google's compatible endpoint count reasoning beside the answer's tokens; only the total shows it.
        long apart = Math.Max(0, counts.Total - sum);
        long output = counts.Completion + apart;
        long? reasoning = apart > 0 ? Math.Max(apart, counts.Reasoning ?? 0) : counts.Reasoning;
        long cacheRead = Math.Min(counts.CacheRead ?? counts.CacheReadBeside ?? 0, prompt);
        long cacheWrite = Math.Min(counts.CacheWrite ?? counts.CacheWriteBeside ?? 0, prompt - cacheRead);
        long cacheWriteLong = Math.Min(counts.CacheWriteLong, cacheWrite);
        return new Usage
        {
            InputTokens = prompt - cacheRead - cacheWrite,
            CacheReadTokens = cacheRead,
            CacheWriteTokens = cacheWrite - cacheWriteLong,
            CacheWriteLongTokens = cacheWriteLong,
            OutputTokens = output,
            ReasoningTokens = reasoning is long count ? Math.Min(count, output) : null,
            Media = MediaUsage.Of(counts.InputAudio, 0, counts.OutputAudio, counts.InputImage, 0, counts.OutputImage, counts.Searches),
        };
    }

    /// <summary>Writes the value of a <c>usage</c> field.</summary>
    public static void Write(Usage usage, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("prompt_tokens"u8, usage.TotalInputTokens);
        json.WriteNumber("completion_tokens"u8, usage.OutputTokens);
        json.WriteNumber("total_tokens"u8, usage.TotalInputTokens + usage.OutputTokens);
        json.WriteStartObject("prompt_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, usage.CacheReadTokens);
        if (usage.CacheWriteTokens + usage.CacheWriteLongTokens > 0)
        {
            json.WriteNumber("cache_write_tokens"u8, usage.CacheWriteTokens + usage.CacheWriteLongTokens);
        }

        json.WriteEndObject();
        if (usage.CacheWriteLongTokens > 0)
        {
            json.WriteStartObject("cache_creation"u8);
            json.WriteNumber("ephemeral_5m_input_tokens"u8, usage.CacheWriteTokens);
            json.WriteNumber("ephemeral_1h_input_tokens"u8, usage.CacheWriteLongTokens);
            json.WriteEndObject();
        }

        if (usage.ReasoningTokens is long reasoning)
        {
            json.WriteStartObject("completion_tokens_details"u8);
            json.WriteNumber("reasoning_tokens"u8, reasoning);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>Counts as they were found, before it is known which contains which.</summary>
    private struct Counts
    {
        public long Prompt;
        public long Completion;
        public long Total;
        public long? CacheRead;
        public long? CacheReadBeside;
        public long? CacheWrite;
        public long? CacheWriteBeside;
        public long CacheWriteLong;
        public long? Reasoning;
        public long? Audio;
        public long InputAudio;
        public long OutputAudio;
        public long InputImage;
        public long OutputImage;
        public long Searches;
    }
}
