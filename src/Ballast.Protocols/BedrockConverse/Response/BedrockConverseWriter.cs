using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>What both writers of this protocol do alike: the end of the message and the usage.</summary>
internal abstract class BedrockConverseWriter(WriterOptions options) : BlockWriter(options)
{
    private string? _tier;

    protected override string NativeIssuer => BedrockConverseParts.NativeIssuer;

    protected override int IdLengthMax => BedrockConverseTurns.NameLengthMax;

    /// <summary>Bedrock's words are OpenAI's.</summary>
    protected override void Hear(AnswerTold told)
    {
        if (told.Fact == AnswerFact.ServiceTier && ServiceTierWord.OfOpenAI(told.Word) is { } word)
        {
            _tier = word;
        }
        else
        {
            Lose(told);
        }
    }

    protected void WriteStop(Utf8JsonWriter json)
    {
        (string word, bool isWhole) = BedrockConverseUsage.StopReasonOf(Finish, StopSequence, HasToolCalls, HasRefusal);
        if (!isWhole)
        {
            Options.Losses.AddInResponse(FinishPointer, $"The Converse API has no word for the finish reason {Finish?.Value}.");
        }

        json.WriteString("stopReason"u8, word);
        if (word == "stop_sequence" && StopSequence is not null)
        {
            json.WriteStartObject("additionalModelResponseFields"u8);
            json.WriteString("stop_sequence"u8, StopSequence);
            json.WriteEndObject();
        }
    }

    protected void WriteUsage(Utf8JsonWriter json)
    {
        Usage usage = Usage ?? new Usage { InputTokens = Options.InputTokensEstimate };
        BedrockConverseUsage.Write(json, usage);
        json.WriteStartObject("metrics"u8);
        json.WriteNumber("latencyMs"u8, 0);
        json.WriteEndObject();
        if (_tier is not null)
        {
            json.WriteStartObject("serviceTier"u8);
            json.WriteString("type"u8, _tier);
            json.WriteEndObject();
        }
    }
}

/// <summary>Writes a whole message when the answer has ended.</summary>
internal sealed class BedrockConverseResponseWriter(WriterOptions options) : BedrockConverseWriter(options)
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
        json.WriteStartObject("output"u8);
        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteStartArray("content"u8);
        foreach (WrittenBlock block in Blocks)
        {
            json.WriteStartObject();
            WriteBlock(json, block);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        WriteStop(json);
        WriteUsage(json);
        json.WriteEndObject();
    }

    private void WriteBlock(Utf8JsonWriter json, WrittenBlock block)
    {
        string text = Take(block);
        switch (block.Kind)
        {
            case BlockKind.Text when block.Citations.Count > 0:
                WriteCited(json, block, text);
                break;
            case BlockKind.Text:
                json.WriteString("text"u8, text);
                break;
            case BlockKind.Thinking:
                json.WriteStartObject("reasoningContent"u8);
                json.WriteStartObject("reasoningText"u8);
                json.WriteString("text"u8, text);
                json.WriteString("signature"u8, SignatureOf(block));
                json.WriteEndObject();
                json.WriteEndObject();
                break;
            case BlockKind.RedactedThinking:
                json.WriteStartObject("reasoningContent"u8);
                json.WriteString("redactedContent"u8, BedrockConverseThinking.BlobOf(text));
                json.WriteEndObject();
                break;
            default:
                json.WriteStartObject("toolUse"u8);
                json.WriteString("toolUseId"u8, block.Id);
                json.WriteString("name"u8, block.Name);
                json.WritePropertyName("input"u8);
                if (!JsonObjectText.Write(json, text))
                {
                    LoseArguments(block);
                }

                json.WriteEndObject();
                break;
        }
    }

    private static void WriteCited(Utf8JsonWriter json, WrittenBlock block, string text)
    {
        json.WriteStartObject("citationsContent"u8);
        json.WriteStartArray("content"u8);
        json.WriteStartObject();
        json.WriteString("text"u8, text);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartArray("citations"u8);
        foreach (Cited cited in block.Citations)
        {
            json.WriteStartObject();
            BedrockConverseCitation.Write(json, cited);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
