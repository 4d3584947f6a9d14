using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>What both writers of this protocol do alike: the head of the message and its end, citations.</summary>
internal abstract class AnthropicMessagesWriter(WriterOptions options) : BlockWriter(options)
{
    protected override string NativeIssuer => AnthropicMessagesParts.NativeIssuer;

    /// <summary>What is said of the answer as a whole stands in the first usage: clients look for it nowhere else.</summary>
    protected virtual bool HasWrittenUsage => false;

    protected string? ServiceTier { get; private set; }

    protected string? InferenceGeo { get; private set; }

    protected override void Hear(AnswerTold told)
    {
        bool isTier = told.Fact == AnswerFact.ServiceTier;
        string? word = isTier ? ServiceTierWord.OfAnthropic(told.Word) : told.Word;
        string? written = isTier ? ServiceTier : InferenceGeo;
        if (word is null || (HasWrittenUsage && written != word))
        {
            Lose(told);
        }
        else if (isTier)
        {
            ServiceTier = word;
        }
        else
        {
            InferenceGeo = word;
        }
    }

    protected void WriteHead(Utf8JsonWriter json)
    {
        string fallback = Options.FallbackId.StartsWith("msg_", StringComparison.Ordinal) ? Options.FallbackId : $"msg_{Options.FallbackId}";
        json.WriteString("id"u8, ResponseId is not null && ResponseId.StartsWith("msg_", StringComparison.Ordinal) ? ResponseId : fallback);
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("model"u8, ServedModel ?? Options.Model);
    }

    protected void WriteStop(Utf8JsonWriter json)
    {
        string reason = AnthropicMessagesUsage.StopReasonOf(Finish, StopSequence, HasToolCalls, HasRefusal);
        if (Finish is FinishReason foreign && !AnthropicMessagesUsage.HasWord(foreign))
        {
            Options.Losses.AddInResponse(FinishPointer, $"The Messages API has no word for the finish reason {foreign.Value}.");
        }

        json.WriteString("stop_reason"u8, reason);
        json.WriteString("stop_sequence"u8, reason == "stop_sequence" ? StopSequence : null);
    }

    protected static void WriteCitation(Utf8JsonWriter json, Cited cited)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, cited.Url is null ? "char_location"u8 : "web_search_result_location"u8);
        json.WriteString("cited_text"u8, cited.QuotedText ?? "");
        if (cited.Url is null)
        {
            // Where in the source the quotation stands is not known here.
            json.WriteNumber("document_index"u8, 0);
            json.WriteString("document_title"u8, cited.Title);
            json.WriteNumber("start_char_index"u8, 0);
            json.WriteNumber("end_char_index"u8, cited.QuotedText?.Length ?? 0);
        }
        else
        {
            json.WriteString("url"u8, cited.Url);
            json.WriteString("title"u8, cited.Title);
            json.WriteString("encrypted_index"u8, ""u8);
        }

        json.WriteEndObject();
    }
}

/// <summary>Writes a whole message when the answer has ended.</summary>
internal sealed class AnthropicMessagesResponseWriter(WriterOptions options) : AnthropicMessagesWriter(options)
{
    protected override void Advance(IBufferWriter<byte> output)
    {
    }

    protected override void Alive(IBufferWriter<byte> output)
    {
    }

    protected override void End(IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, JsonFields.WriterOptions);
        json.WriteStartObject();
        WriteHead(json);
        json.WriteStartArray("content"u8);
        foreach (WrittenBlock block in Blocks)
        {
            WriteBlock(json, block);
        }

        json.WriteEndArray();
        WriteStop(json);
        AnthropicMessagesUsage.Write(json, Usage ?? new Usage { InputTokens = Options.InputTokensEstimate }, withSplit: true, ServiceTier, InferenceGeo);
        json.WriteEndObject();
    }

    private void WriteBlock(Utf8JsonWriter json, WrittenBlock block)
    {
        string text = Take(block);
        json.WriteStartObject();
        switch (block.Kind)
        {
            case BlockKind.Text:
                json.WriteString("type"u8, "text"u8);
                json.WriteString("text"u8, text);
                WriteCitations(json, block);
                break;
            case BlockKind.Thinking:
                json.WriteString("type"u8, "thinking"u8);
                json.WriteString("thinking"u8, text);
                json.WriteString("signature"u8, SignatureOf(block));
                break;
            case BlockKind.RedactedThinking:
                json.WriteString("type"u8, "redacted_thinking"u8);
                json.WriteString("data"u8, text);
                break;
            default:
                json.WriteString("type"u8, "tool_use"u8);
                json.WriteString("id"u8, block.Id);
                json.WriteString("name"u8, block.Name);
                json.WritePropertyName("input"u8);
                if (!JsonObjectText.Write(json, text))
                {
                    LoseArguments(block);
                }

                break;
        }

        json.WriteEndObject();
    }

    private static void WriteCitations(Utf8JsonWriter json, WrittenBlock block)
    {
        if (block.Citations.Count == 0)
        {
            return;
        }

        json.WriteStartArray("citations"u8);
        foreach (Cited cited in block.Citations)
        {
            WriteCitation(json, cited);
        }

        json.WriteEndArray();
    }
}
