using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OllamaChat;

/// <summary>Reads an answer that comes as lines of JSON: a piece of the message in each, <c>done</c> in the last.</summary>
internal sealed class OllamaChatStreamReader(ReaderOptions options) : OllamaChatReader(options)
{
    private readonly JsonLines _lines = new();

    public override bool TryReadFrame(ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals)
    {
        Events.Clear();
        signals = FrameSignals.None;
        if (!_lines.TryTake(ref buffer, isCompleted, out frame, out ReadOnlySpan<byte> line))
        {
            return false;
        }

        signals = IsEnded || Error is not null ? FrameSignals.Withhold : ReadObject(line);
        return true;
    }
}

/// <summary>Writes an answer as lines: one for each event of content, a tool call when it is whole, and the last one when the answer has ended and not before.</summary>
internal sealed class OllamaChatStreamWriter(WriterOptions options) : ResponseWriter(options)
{
    private readonly OllamaChatThinking _thinking = new(options.Vendor);
    private readonly List<OllamaChatCall> _calls = [];
    private readonly ArrayBufferWriter<byte> _none = new();
    private Utf8JsonWriter? _json;
    private string _model = options.Model;
    private long _created = options.CreatedUnixSeconds;
    private Finished? _finished;
    private Usage? _usage;
    private int _callsWritten;
    private bool _isEnded;

    public override void Write(ChatEvent chatEvent, IBufferWriter<byte> output)
    {
        if (_isEnded)
        {
            return;
        }

        switch (chatEvent)
        {
            case ResponseStarted started:
                _model = started.Model ?? _model;
                _created = started.CreatedUnixSeconds ?? _created;
                break;
            case UsageReported reported:
                _usage = reported.Usage;
                break;
            case AnswerTold told:
                Lose(told);
                break;
            case Finished finished:
                _finished = finished;
                break;
            case ResponseEnded:
                End(output);
                break;
            case Ping:
                break; // A line says something, or is none.
            default:
                WriteContent(chatEvent, output);
                break;
        }
    }

    private void WriteContent(ChatEvent chatEvent, IBufferWriter<byte> output)
    {
        if (_thinking.Take(chatEvent))
        {
            WriteLine(output, "", (chatEvent as ThinkingDelta)?.Text ?? "");
            return;
        }

        CloseThinking(output);
        switch (chatEvent)
        {
            case TextDelta text:
                WriteLine(output, text.Text, "");
                break;
            case RefusalDelta refusal:
                WriteLine(output, refusal.Text, "");
                break;
            case ToolCallStarted call:
                _calls.Add(new OllamaChatCall(call.Part, call.Id, call.Name, call.Pointer));
                break;
            case ToolCallDelta delta:
                OllamaChatWriting.Find(_calls, delta.Part)?.Arguments.Append(delta.Arguments);
                break;
            case PartEnded ended when OllamaChatWriting.Find(_calls, ended.Part) is { IsWritten: false } call:
                WriteCall(call, output);
                break;
            case Cited cited:
                OllamaChatWriting.LoseCitation(cited, Options.Losses);
                break;
        }
    }

    private void CloseThinking(IBufferWriter<byte> output)
    {
        _thinking.Close();
        WriteLine(output, "", "");
    }

    private void WriteLine(IBufferWriter<byte> output, string content, string thinking)
    {
        if (content.Length == 0 && thinking.Length == 0 && !_thinking.HasNewDetails)
        {
            return;
        }

        Utf8JsonWriter json = Begin(output, content);
        if (thinking.Length > 0)
        {
            json.WriteString("thinking"u8, thinking);
        }

        _thinking.WriteNewDetails(json);
        json.WriteEndObject();
        json.WriteBoolean("done"u8, false);
        EndLine(output);
    }

    private void WriteCall(OllamaChatCall call, IBufferWriter<byte> output)
    {
        call.IsWritten = true;
        Utf8JsonWriter json = Begin(output, "");
        json.WriteStartArray("tool_calls"u8);
        OllamaChatWriting.WriteCall(json, call, _callsWritten++, Options.Losses, onOneLine: true);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteBoolean("done"u8, false);
        EndLine(output);
    }

    private void End(IBufferWriter<byte> output)
    {
        CloseThinking(output);
        foreach (OllamaChatCall call in _calls)
        {
            if (!call.IsWritten)
            {
                WriteCall(call, output);
            }
        }

        _isEnded = true;
        Utf8JsonWriter json = Begin(output, "");
        json.WriteEndObject();
        OllamaChatWriting.WriteEnd(json, _finished, _usage, Options.Losses);
        EndLine(output);
    }

    /// <summary>Begins a line up to the message's content; the message stays open.</summary>
    private Utf8JsonWriter Begin(IBufferWriter<byte> output, string content)
    {
        _json ??= new Utf8JsonWriter(_none, OllamaChatProtocol.WriterOptions);
        _json.Reset(output);
        _json.WriteStartObject();
        OllamaChatWriting.WriteHead(_json, _model, _created);
        _json.WriteStartObject("message"u8);
        _json.WriteString("role"u8, "assistant"u8);
        _json.WriteString("content"u8, content);
        return _json;
    }

    private void EndLine(IBufferWriter<byte> output)
    {
        _json!.WriteEndObject();
        _json.Flush();
        _json.Reset(_none);
        output.Write("\n"u8);
    }
}
