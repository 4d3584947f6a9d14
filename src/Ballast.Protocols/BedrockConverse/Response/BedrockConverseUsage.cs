using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>
/// The <c>usage</c> object: cached tokens stand beside <c>inputTokens</c>; <c>cacheDetails</c> splits what was written by its lifetime. Also the mapping of stop
/// reasons, which whole answers and streams share.
/// </summary>
internal static class BedrockConverseUsage
{
    /// <summary>Reads the object at which the reader stands; null where it is none.</summary>
    public static Usage? Read(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            json.Skip();
            return null;
        }

        long input = 0;
        long output = 0;
        long cacheRead = 0;
        long cacheWrite = 0;
        long writtenLong = 0;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("cacheDetails"u8))
            {
                json.Read();
                writtenLong = ReadDetails(ref json);
                continue;
            }

            int field = json.ValueTextEquals("inputTokens"u8) ? 1
                : json.ValueTextEquals("outputTokens"u8) ? 2
                : json.ValueTextEquals("cacheReadInputTokens"u8) ? 3
                : json.ValueTextEquals("cacheWriteInputTokens"u8) ? 4
                : 0;
            json.Read();
            long count = CountOf(json);
            input = field == 1 ? count : input;
            output = field == 2 ? count : output;
            cacheRead = field == 3 ? count : cacheRead;
            cacheWrite = field == 4 ? count : cacheWrite;
            json.Skip();
        }

        writtenLong = Math.Min(writtenLong, cacheWrite);
        return new Usage
        {
            InputTokens = input,
            OutputTokens = output,
            CacheReadTokens = cacheRead,
            CacheWriteTokens = cacheWrite - writtenLong,
            CacheWriteLongTokens = writtenLong,
        };
    }

    /// <summary>The <c>type</c> of the object <c>serviceTier</c> at which the reader stands, which is left at its end.</summary>
    /// <param name="json">Where the object begins.</param>
    /// <param name="word">The tier as any vendor can say it; null where it is not told so.</param>
    public static ServiceTier ReadServiceTier(ref Utf8JsonReader json, out string? word)
    {
        word = null;
        if (json.TokenType != JsonTokenType.StartObject)
        {
            json.Skip();
            return ServiceTier.Standard;
        }

        ServiceTier tier = ServiceTier.Standard;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isType = json.ValueTextEquals("type"u8);
            json.Read();
            tier = isType ? ServiceTierWord.Read(json) : tier;
            word = isType && json.TokenType == JsonTokenType.String ? ServiceTierWord.Common(json.ValueSpan) : word;
            json.Skip();
        }

        return tier;
    }

    public static void Write(Utf8JsonWriter json, Usage usage)
    {
        long written = usage.CacheWriteTokens + usage.CacheWriteLongTokens;
        json.WriteStartObject("usage"u8);
        json.WriteNumber("inputTokens"u8, usage.InputTokens);
        json.WriteNumber("outputTokens"u8, usage.OutputTokens);
        json.WriteNumber("totalTokens"u8, usage.TotalInputTokens + usage.OutputTokens);
        json.WriteNumber("cacheReadInputTokens"u8, usage.CacheReadTokens);
        json.WriteNumber("cacheWriteInputTokens"u8, written);
        if (written > 0)
        {
            json.WriteStartArray("cacheDetails"u8);
            WriteDetail(json, "5m"u8, usage.CacheWriteTokens);
            WriteDetail(json, "1h"u8, usage.CacheWriteLongTokens);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    public static FinishReason FinishOf(string stopReason) => stopReason switch
    {
        "end_turn" or "stop_sequence" => FinishReason.Stop,
        "max_tokens" => FinishReason.Length,
        "tool_use" => FinishReason.ToolCalls,
        "guardrail_intervened" or "content_filtered" => FinishReason.ContentFilter,
        "model_context_window_exceeded" => FinishReason.ContextWindow,
        "refusal" => FinishReason.Refusal,
        _ => new FinishReason(stopReason),
    };

    /// <summary>
    /// The word for a finish, and whether it says it all. Clients run tools only on <c>tool_use</c>, and wait for calls when they read it: what was really called decides.
    /// </summary>
    public static (string Word, bool IsWhole) StopReasonOf(FinishReason? finish, string? stopSequence, bool hasToolCalls, bool hasRefusal)
    {
        FinishReason reason = finish ?? FinishReason.Stop;
        string calmWord = hasToolCalls ? "tool_use" : stopSequence is not null ? "stop_sequence" : "end_turn";
        return reason switch
        {
            _ when reason == FinishReason.Length => ("max_tokens", true),
            _ when reason == FinishReason.ContextWindow => ("model_context_window_exceeded", true),
            _ when reason == FinishReason.ContentFilter || reason == FinishReason.Refusal => ("content_filtered", true),
            _ when reason == FinishReason.Stop || reason == FinishReason.ToolCalls => (hasRefusal ? "content_filtered" : calmWord, true),
            { Value: "malformed_model_output" or "malformed_tool_use" } => (reason.Value, true),
            _ => (calmWord, false),
        };
    }

    private static void WriteDetail(Utf8JsonWriter json, ReadOnlySpan<byte> ttl, long tokens)
    {
        if (tokens > 0)
        {
            json.WriteStartObject();
            json.WriteString("ttl"u8, ttl);
            json.WriteNumber("inputTokens"u8, tokens);
            json.WriteEndObject();
        }
    }

    private static long ReadDetails(ref Utf8JsonReader json)
    {
        long longLived = 0;
        int depth = json.CurrentDepth;
        if (json.TokenType != JsonTokenType.StartArray)
        {
            json.Skip();
            return 0;
        }

        while (json.Read() && json.CurrentDepth > depth)
        {
            if (json.TokenType != JsonTokenType.StartObject)
            {
                json.Skip();
                continue;
            }

            long tokens = 0;
            bool isLong = false;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool isTtl = json.ValueTextEquals("ttl"u8);
                bool isCount = json.ValueTextEquals("inputTokens"u8);
                json.Read();
                isLong |= isTtl && json.TokenType == JsonTokenType.String && json.ValueTextEquals("1h"u8);
                tokens = isCount ? CountOf(json) : tokens;
                json.Skip();
            }

            longLived += isLong ? tokens : 0;
        }

        return longLived;
    }

    private static long CountOf(in Utf8JsonReader json) =>
        json.TokenType == JsonTokenType.Number && json.TryGetInt64(out long count) && count is >= 0 and <= 1L << 50 ? count : 0;
}
