using System.Globalization;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OllamaChat;

/// <summary>What a whole answer and the lines of a stream are both made of.</summary>
internal static class OllamaChatWriting
{
    public static string Instant(long unixSeconds) =>
        DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(unixSeconds, 0, 253_402_300_799)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static void WriteHead(Utf8JsonWriter json, string model, long createdUnixSeconds)
    {
        json.WriteString("model"u8, model);
        json.WriteString("created_at"u8, Instant(createdUnixSeconds));
    }

    /// <summary>The last fields of an answer. Every word is taken by clients here, so that a foreign reason keeps its own.</summary>
    public static void WriteEnd(Utf8JsonWriter json, Finished? finished, Usage? usage, LossReport losses)
    {
        FinishReason reason = finished?.Reason ?? FinishReason.Stop;
        if (finished?.StopSequence is not null)
        {
            losses.AddInResponse("/stop_sequence", "Ollama does not tell which stop sequence was met.");
        }

        json.WriteBoolean("done"u8, true);
        json.WriteString("done_reason"u8, reason == FinishReason.ToolCalls ? "stop" : reason == FinishReason.ContextWindow ? "length" : reason.Value);
        if (usage is not null)
        {
            OllamaChatCounts.Write(usage, json);
        }
    }

    public static void WriteCall(Utf8JsonWriter json, OllamaChatCall call, int index, LossReport losses, bool onOneLine)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, call.Id);
        json.WriteStartObject("function"u8);
        json.WriteNumber("index"u8, index);
        json.WriteString("name"u8, call.Name);
        json.WritePropertyName("arguments"u8);
        if (!JsonObjectText.Write(json, call.Arguments.ToString(), onOneLine))
        {
            losses.AddInResponse(call.Pointer, "The arguments are no JSON object.");
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>The call of this part. Parts are numbered in order: a part that came after the last call is looked for no further.</summary>
    public static OllamaChatCall? Find(List<OllamaChatCall> calls, int part)
    {
        int at = calls.Count - 1;
        while (at >= 0 && calls[at].Part > part)
        {
            at--;
        }

        return at >= 0 && calls[at].Part == part ? calls[at] : null;
    }

    public static void LoseCitation(Cited cited, LossReport losses) => losses.AddInResponse(cited.Pointer, "Ollama's answers have no citations.");
}

/// <summary>A tool call of an answer while its pieces arrive: this protocol has it whole.</summary>
internal sealed record OllamaChatCall(int Part, string Id, string Name, string Pointer)
{
    public StringBuilder Arguments { get; } = new();
    public bool IsWritten { get; set; }
}
