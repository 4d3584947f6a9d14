using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OllamaChat;

/// <summary>
/// Tokens: <c>prompt_eval_count</c> and <c>eval_count</c>. Ollama has no words for caches; this gateway writes three of its own, contained in the first, so that whoever
/// knows them can price an answer, and takes them back.
/// </summary>
internal struct OllamaChatCounts
{
    /// <summary>Largest count believed: sums of a few of them cannot overflow.</summary>
    private const long CountMax = 1L << 52;

    private long? _prompt;
    private long? _answer;
    private long _cacheRead;
    private long _cacheWrite;
    private long _cacheWriteLong;

    /// <summary>Takes the count on whose name <paramref name="reader"/> stands; false, and nothing is read, where it is none.</summary>
    public bool TryRead(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("prompt_eval_count"u8))
        {
            _prompt = Next(ref reader);
        }
        else if (reader.ValueTextEquals("eval_count"u8))
        {
            _answer = Next(ref reader);
        }
        else if (reader.ValueTextEquals("cache_read_count"u8))
        {
            _cacheRead = Next(ref reader) ?? 0;
        }
        else if (reader.ValueTextEquals("cache_write_count"u8))
        {
            _cacheWrite = Next(ref reader) ?? 0;
        }
        else if (reader.ValueTextEquals("cache_write_long_count"u8))
        {
            _cacheWriteLong = Next(ref reader) ?? 0;
        }
        else
        {
            return false;
        }

        return true;
    }

    /// <summary>Null where nothing was counted.</summary>
    public readonly Usage? ToUsage()
    {
        if (_prompt is null && _answer is null)
        {
            return null;
        }

        // Older servers leave out a prompt that lay in their cache as a whole.
        long prompt = _prompt ?? 0;
        long read = Math.Min(_cacheRead, prompt);
        long write = Math.Min(_cacheWrite, prompt - read);
        long writeLong = Math.Min(_cacheWriteLong, prompt - read - write);
        return new Usage
        {
            InputTokens = prompt - read - write - writeLong,
            CacheReadTokens = read,
            CacheWriteTokens = write,
            CacheWriteLongTokens = writeLong,
            OutputTokens = _answer ?? 0,
        };
    }

    public static void Write(Usage usage, Utf8JsonWriter json)
    {
        json.WriteNumber("prompt_eval_count"u8, usage.TotalInputTokens);
        json.WriteNumber("eval_count"u8, usage.OutputTokens);
        WriteSome(json, "cache_read_count"u8, usage.CacheReadTokens);
        WriteSome(json, "cache_write_count"u8, usage.CacheWriteTokens);
        WriteSome(json, "cache_write_long_count"u8, usage.CacheWriteLongTokens);
    }

    private static void WriteSome(Utf8JsonWriter json, ReadOnlySpan<byte> name, long count)
    {
        if (count > 0)
        {
            json.WriteNumber(name, count);
        }
    }

    private static long? Next(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number)
        {
            return reader.TryGetInt64(out long count) ? Math.Clamp(count, 0, CountMax) : null;
        }

        reader.Skip();
        return null;
    }
}
