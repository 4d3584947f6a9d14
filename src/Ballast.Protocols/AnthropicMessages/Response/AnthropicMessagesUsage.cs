using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>
/// The <c>usage</c> object of the Messages API: cached tokens stand beside <c>input_tokens</c>, and later reports in a stream replace the figures they name and
/// leave the others. Also the mapping of stop reasons, which whole answers and streams share.
/// </summary>
internal struct AnthropicMessagesUsage
{
    private long _input;
    private long _cacheRead;
    private long _cacheWrite;
    private long _cacheWriteLong;
    private long _output;
    private long? _thinking;
    private long _searches;
    private ServiceTier _tier;

    /// <summary>Takes over the figures of the object at hand; false where it is null.</summary>
    public bool Read(ref JsonScan json)
    {
        if (json.First() != (byte)'{')
        {
            json.Skip();
            return false;
        }

        json.EnterObject();
        while (json.NextField())
        {
            if (json.Is("input_tokens"u8))
            {
                Take(ref json, ref _input);
            }
            else if (json.Is("cache_read_input_tokens"u8))
            {
                Take(ref json, ref _cacheRead);
            }
            else if (json.Is("cache_creation_input_tokens"u8))
            {
                Take(ref json, ref _cacheWrite);
            }
            else if (json.Is("output_tokens"u8))
            {
                Take(ref json, ref _output);
            }
            else if (json.Is("cache_creation"u8))
            {
                ReadCacheCreation(ref json);
            }
            else if (json.Is("output_tokens_details"u8))
            {
                ReadOutputDetails(ref json);
            }
            else if (json.Is("server_tool_use"u8))
            {
                ReadServerTools(ref json);
            }
            else if (json.Is("service_tier"u8) && json.First() == (byte)'"')
            {
                ReadOnlySpan<byte> word = json.Text();
                _tier = ServiceTierWord.Read(word);
                Tier = ServiceTierWord.Common(word);
            }
            else if (json.Is("inference_geo"u8) && json.First() == (byte)'"')
            {
                string geo = JsonText.Lenient(ref json);
                Geo = geo.Length > 0 ? geo : null;
            }
            else
            {
                json.Skip();
            }
        }

        return true;
    }

    public readonly Usage ToUsage()
    {
        long writtenLong = Math.Min(_cacheWriteLong, _cacheWrite);
        return new Usage
        {
            InputTokens = _input,
            CacheReadTokens = _cacheRead,
            CacheWriteTokens = _cacheWrite - writtenLong,
            CacheWriteLongTokens = writtenLong,
            OutputTokens = _output,
            ReasoningTokens = _thinking,
            Media = MediaUsage.Of(0, 0, 0, 0, 0, 0, _searches),
            ServiceTier = _tier,
        };
    }

    /// <summary>How soon the answer was given, as any vendor can say it; null where it is not told so.</summary>
    public string? Tier { get; private set; }

    /// <summary>Where it was worked out; null where it is not told.</summary>
    public string? Geo { get; private set; }

    public static void Write(Utf8JsonWriter json, Usage usage, bool withSplit, string? tier = null, string? geo = null)
    {
        json.WriteStartObject("usage"u8);
        json.WriteNumber("input_tokens"u8, usage.InputTokens);
        json.WriteNumber("cache_creation_input_tokens"u8, usage.CacheWriteTokens + usage.CacheWriteLongTokens);
        json.WriteNumber("cache_read_input_tokens"u8, usage.CacheReadTokens);
        if (withSplit || usage.CacheWriteLongTokens > 0)
        {
            json.WriteStartObject("cache_creation"u8);
            json.WriteNumber("ephemeral_5m_input_tokens"u8, usage.CacheWriteTokens);
            json.WriteNumber("ephemeral_1h_input_tokens"u8, usage.CacheWriteLongTokens);
            json.WriteEndObject();
        }

        json.WriteNumber("output_tokens"u8, usage.OutputTokens);
        if (usage.ReasoningTokens is long thinking)
        {
            json.WriteStartObject("output_tokens_details"u8);
            json.WriteNumber("thinking_tokens"u8, thinking);
            json.WriteEndObject();
        }

        if (tier is not null)
        {
            json.WriteString("service_tier"u8, tier);
        }

        if (geo is not null)
        {
            json.WriteString("inference_geo"u8, geo);
        }

        json.WriteEndObject();
    }

    public static FinishReason FinishOf(string stopReason) => stopReason switch
    {
        "end_turn" or "stop_sequence" => FinishReason.Stop,
        "max_tokens" => FinishReason.Length,
        "tool_use" => FinishReason.ToolCalls,
        "refusal" => FinishReason.Refusal,
        "pause_turn" => FinishReason.Pause,
        "model_context_window_exceeded" => FinishReason.ContextWindow,
        _ => new FinishReason(stopReason),
    };

    /// <summary>False for a reason that only its own vendor knows.</summary>
    public static bool HasWord(FinishReason reason) =>
        reason == FinishReason.Stop || reason == FinishReason.Length || reason == FinishReason.ToolCalls || reason == FinishReason.ContentFilter
        || reason == FinishReason.Refusal || reason == FinishReason.Pause || reason == FinishReason.ContextWindow;

    /// <summary>The word for a finish. Clients run tools only on <c>tool_use</c>, and wait for calls when they read it: what was really called decides.</summary>
    public static string StopReasonOf(FinishReason? finish, string? stopSequence, bool hasToolCalls, bool hasRefusal)
    {
        FinishReason reason = finish ?? FinishReason.Stop;
        if (reason == FinishReason.Refusal || reason == FinishReason.ContentFilter)
        {
            return "refusal";
        }

        if (reason == FinishReason.Length)
        {
            return "max_tokens";
        }

        if (reason == FinishReason.Pause)
        {
            return "pause_turn";
        }

        if (reason == FinishReason.ContextWindow)
        {
            return "model_context_window_exceeded";
        }

        return hasRefusal ? "refusal"
            : hasToolCalls ? "tool_use"
            : stopSequence is not null ? "stop_sequence"
            : "end_turn";
    }

    private static void Take(ref JsonScan json, ref long figure)
    {
        if (json.Integer() is long value and >= 0)
        {
            figure = value;
        }
    }

    private void ReadCacheCreation(ref JsonScan json)
    {
        if (json.First() != (byte)'{')
        {
            json.Skip();
            return;
        }

        long shortLived = 0;
        long longLived = 0;
        json.EnterObject();
        while (json.NextField())
        {
            if (json.Is("ephemeral_5m_input_tokens"u8))
            {
                Take(ref json, ref shortLived);
            }
            else if (json.Is("ephemeral_1h_input_tokens"u8))
            {
                Take(ref json, ref longLived);
            }
            else
            {
                json.Skip();
            }
        }

        _cacheWriteLong = longLived;
        _cacheWrite = Math.Max(_cacheWrite, shortLived + longLived);
    }

    private void ReadServerTools(ref JsonScan json)
    {
        if (json.First() != (byte)'{')
        {
            json.Skip();
            return;
        }

        json.EnterObject();
        while (json.NextField())
        {
            if (json.Is("web_search_requests"u8))
            {
                Take(ref json, ref _searches);
            }
            else
            {
                json.Skip();
            }
        }
    }

    private void ReadOutputDetails(ref JsonScan json)
    {
        if (json.First() != (byte)'{')
        {
            json.Skip();
            return;
        }

        json.EnterObject();
        while (json.NextField())
        {
            if (json.Is("thinking_tokens"u8))
            {
                long thinking = _thinking ?? 0;
                Take(ref json, ref thinking);
                _thinking = thinking;
            }
            else
            {
                json.Skip();
            }
        }
    }
}
