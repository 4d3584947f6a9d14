using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>
/// Writes a streamed message: blocks strictly one after the other with contiguous indices. What comes for a later block while an earlier tool call may still grow
/// is kept back until that one is complete.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A JSON writer over a buffer holds nothing that must be released.")]
internal sealed class AnthropicMessagesStreamWriter(WriterOptions options) : AnthropicMessagesWriter(options)
{
    private readonly Utf8JsonWriter _json = new(Stream.Null, JsonFields.WriterOptions);
    private bool _hasStarted;
    private int _index;
    private bool _isOpen;

    protected override bool HasWrittenUsage => _hasStarted;

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
        if (HasBegun || _hasStarted)
        {
            Start(output);
            output.Write("event: ping\ndata: {\"type\":\"ping\"}\n\n"u8);
        }
    }

    protected override void End(IBufferWriter<byte> output)
    {
        Advance(output);
        Begin("event: message_delta\ndata: "u8, "message_delta"u8, output);
        _json.WriteStartObject("delta"u8);
        WriteStop(_json);
        _json.WriteEndObject();
        AnthropicMessagesUsage.Write(_json, Usage ?? new Usage { InputTokens = Options.InputTokensEstimate }, withSplit: false);
        EndFrame(output);
        output.Write("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"u8);
    }

    private void Start(IBufferWriter<byte> output)
    {
        if (_hasStarted)
        {
            return;
        }

        // Not before something follows it: usage that comes right behind the start (Anthropic's own) can still go in.
        _hasStarted = true;
        Begin("event: message_start\ndata: "u8, "message_start"u8, output);
        _json.WriteStartObject("message"u8);
        WriteHead(_json);
        _json.WriteStartArray("content"u8);
        _json.WriteEndArray();
        _json.WriteNull("stop_reason"u8);
        _json.WriteNull("stop_sequence"u8);
        AnthropicMessagesUsage.Write(_json, Usage ?? new Usage { InputTokens = Options.InputTokensEstimate }, withSplit: true, ServiceTier, InferenceGeo);
        _json.WriteEndObject();
        EndFrame(output);
    }

    private void Open(WrittenBlock block, IBufferWriter<byte> output)
    {
        _isOpen = true;
        Begin("event: content_block_start\ndata: "u8, "content_block_start"u8, output);
        _json.WriteNumber("index"u8, _index);
        _json.WriteStartObject("content_block"u8);
        switch (block.Kind)
        {
            case BlockKind.Text:
                _json.WriteString("type"u8, "text"u8);
                _json.WriteString("text"u8, ""u8);
                break;
            case BlockKind.Thinking:
                _json.WriteString("type"u8, "thinking"u8);
                _json.WriteString("thinking"u8, ""u8);
                _json.WriteString("signature"u8, ""u8);
                break;
            case BlockKind.RedactedThinking:
                _json.WriteString("type"u8, "redacted_thinking"u8);
                _json.WriteString("data"u8, Take(block));
                break;
            default:
                _json.WriteString("type"u8, "tool_use"u8);
                _json.WriteString("id"u8, block.Id);
                _json.WriteString("name"u8, block.Name);
                _json.WriteStartObject("input"u8);
                _json.WriteEndObject();
                break;
        }

        _json.WriteEndObject();
        EndFrame(output);
    }

    private void WriteText(WrittenBlock block, IBufferWriter<byte> output)
    {
        if (block.Text.Length > 0)
        {
            string text = Take(block);
            switch (block.Kind)
            {
                case BlockKind.Text:
                    WriteDelta("text_delta"u8, "text"u8, text, output);
                    break;
                case BlockKind.Thinking:
                    WriteDelta("thinking_delta"u8, "thinking"u8, text, output);
                    break;
                default:
                    WriteDelta("input_json_delta"u8, "partial_json"u8, text, output);
                    break;
            }
        }

        foreach (Cited cited in block.Citations)
        {
            BeginDelta("citations_delta"u8, output);
            _json.WritePropertyName("citation"u8);
            WriteCitation(_json, cited);
            _json.WriteEndObject();
            EndFrame(output);
        }

        block.Citations.Clear();
    }

    private void Close(WrittenBlock block, IBufferWriter<byte> output)
    {
        if (block.Kind == BlockKind.Thinking)
        {
            WriteDelta("signature_delta"u8, "signature"u8, SignatureOf(block), output);
        }
        else if (block.Kind == BlockKind.ToolCall && !block.HasWrittenText)
        {
            WriteDelta("input_json_delta"u8, "partial_json"u8, "{}", output);
        }
        else if (block.Kind == BlockKind.ToolCall && !block.Arguments.IsComplete)
        {
            // The pieces went out as they came; a client sees that they are cut.
            LoseArguments(block);
        }

        Begin("event: content_block_stop\ndata: "u8, "content_block_stop"u8, output);
        _json.WriteNumber("index"u8, _index);
        EndFrame(output);
        block.HasEnded = true;
        _isOpen = false;
        _index++;
    }

    private void WriteDelta(ReadOnlySpan<byte> type, ReadOnlySpan<byte> name, string text, IBufferWriter<byte> output)
    {
        BeginDelta(type, output);
        _json.WriteString(name, text);
        _json.WriteEndObject();
        EndFrame(output);
    }

    private void BeginDelta(ReadOnlySpan<byte> type, IBufferWriter<byte> output)
    {
        Begin("event: content_block_delta\ndata: "u8, "content_block_delta"u8, output);
        _json.WriteNumber("index"u8, _index);
        _json.WriteStartObject("delta"u8);
        _json.WriteString("type"u8, type);
    }

    private void Begin(ReadOnlySpan<byte> head, ReadOnlySpan<byte> type, IBufferWriter<byte> output)
    {
        output.Write(head);
        _json.Reset(output);
        _json.WriteStartObject();
        _json.WriteString("type"u8, type);
    }

    private void EndFrame(IBufferWriter<byte> output)
    {
        _json.WriteEndObject();
        _json.Flush();
        output.Write("\n\n"u8);
    }
}
