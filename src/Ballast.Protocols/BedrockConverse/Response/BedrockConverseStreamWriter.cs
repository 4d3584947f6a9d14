using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>
/// Writes a streamed message: blocks strictly one after the other with contiguous indices, of which only tool calls are opened. What comes for a later block while an
/// earlier tool call may still grow is kept back until that one is complete.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A JSON writer over a buffer holds nothing that must be released.")]
internal sealed class BedrockConverseStreamWriter(WriterOptions options) : BedrockConverseWriter(options)
{
    private readonly ArrayBufferWriter<byte> _payload = new(1024);
    private readonly Utf8JsonWriter _json = new(System.IO.Stream.Null, JsonFields.WriterOptions);
    private bool _hasStarted;
    private int _index;
    private bool _isOpen;

    protected override void Advance(IBufferWriter<byte> output)
    {
        Start(output);
        while (_index < Blocks.Count)
        {
            WrittenBlock block = Blocks[_index];
            if (!_isOpen)
            {
                Open(block, output);
            }

            WriteText(block, output);
            bool isLast = _index == Blocks.Count - 1;
            if (isLast ? !block.HasEnded : !block.MayEnd)
            {
                return;
            }

            Close(block, output);
        }
    }

    protected override void Alive(IBufferWriter<byte> output)
    {
        // The protocol has no sign of life but the start, which is held until content follows it.
    }

    protected override void End(IBufferWriter<byte> output)
    {
        Advance(output);
        Begin();
        WriteStop(_json);
        EndFrame("messageStop"u8, output);
        Begin();
        WriteUsage(_json);
        EndFrame("metadata"u8, output);
    }

    private void Start(IBufferWriter<byte> output)
    {
        if (!_hasStarted)
        {
            _hasStarted = true;
            Begin();
            _json.WriteString("role"u8, "assistant"u8);
            EndFrame("messageStart"u8, output);
        }
    }

    private void Open(WrittenBlock block, IBufferWriter<byte> output)
    {
        _isOpen = true;
        if (block.Kind != BlockKind.ToolCall)
        {
            return;
        }

        Begin();
        _json.WriteNumber("contentBlockIndex"u8, _index);
        _json.WriteStartObject("start"u8);
        _json.WriteStartObject("toolUse"u8);
        _json.WriteString("toolUseId"u8, block.Id);
        _json.WriteString("name"u8, block.Name);
        _json.WriteEndObject();
        _json.WriteEndObject();
        EndFrame("contentBlockStart"u8, output);
    }

    private void WriteText(WrittenBlock block, IBufferWriter<byte> output)
    {
        if (block.Text.Length > 0)
        {
            string text = Take(block);
            BeginDelta();
            switch (block.Kind)
            {
                case BlockKind.Text:
                    _json.WriteString("text"u8, text);
                    break;
                case BlockKind.ToolCall:
                    WriteMember("toolUse"u8, "input"u8, text);
                    break;
                case BlockKind.RedactedThinking:
                    WriteMember("reasoningContent"u8, "redactedContent"u8, BedrockConverseThinking.BlobOf(text));
                    break;
                default:
                    WriteMember("reasoningContent"u8, "text"u8, text);
                    break;
            }

            EndDelta(output);
        }

        foreach (Cited cited in block.Citations)
        {
            BeginDelta();
            _json.WriteStartObject("citation"u8);
            BedrockConverseCitation.Write(_json, cited);
            _json.WriteEndObject();
            EndDelta(output);
        }

        block.Citations.Clear();
    }

    private void Close(WrittenBlock block, IBufferWriter<byte> output)
    {
        if (block.Kind == BlockKind.Thinking)
        {
            BeginDelta();
            WriteMember("reasoningContent"u8, "signature"u8, SignatureOf(block));
            EndDelta(output);
        }
        else if (block.Kind == BlockKind.ToolCall && block.HasWrittenText && !block.Arguments.IsComplete)
        {
            // The pieces went out as they came; a client sees that they are cut.
            LoseArguments(block);
        }

        Begin();
        _json.WriteNumber("contentBlockIndex"u8, _index);
        EndFrame("contentBlockStop"u8, output);
        block.HasEnded = true;
        _isOpen = false;
        _index++;
    }

    private void WriteMember(ReadOnlySpan<byte> member, ReadOnlySpan<byte> name, string text)
    {
        _json.WriteStartObject(member);
        _json.WriteString(name, text);
        _json.WriteEndObject();
    }

    private void BeginDelta()
    {
        Begin();
        _json.WriteNumber("contentBlockIndex"u8, _index);
        _json.WriteStartObject("delta"u8);
    }

    private void EndDelta(IBufferWriter<byte> output)
    {
        _json.WriteEndObject();
        EndFrame("contentBlockDelta"u8, output);
    }

    private void Begin()
    {
        _payload.ResetWrittenCount();
        _json.Reset(_payload);
        _json.WriteStartObject();
    }

    private void EndFrame(ReadOnlySpan<byte> type, IBufferWriter<byte> output)
    {
        _json.WriteEndObject();
        _json.Flush();
        EventStream.WriteEvent(output, type, _payload.WrittenSpan);
    }
}
