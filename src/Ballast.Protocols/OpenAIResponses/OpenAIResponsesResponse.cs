using System.Buffers;
using System.Text.Json;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>Reads an answer that comes as one body: the whole of it is one frame.</summary>
internal sealed class OpenAIResponsesResponseReader(ReaderOptions options) : OpenAIResponsesReader(options)
{
    public override bool TryReadFrame(ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals)
    {
        Events.Clear();
        frame = default;
        signals = FrameSignals.None;
        if (!isCompleted || IsEnded || Error is not null)
        {
            return false;
        }

        if (buffer.IsEmpty)
        {
            throw Broken("The upstream's answer is empty.");
        }

        frame = buffer;
        buffer = buffer.Slice(buffer.End);
        try
        {
            signals = Read(frame.IsSingleSegment ? frame.FirstSpan : frame.ToArray(), ref frame);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw Broken("The upstream's answer is not valid JSON.");
        }

        return true;
    }

    private FrameSignals Read(ReadOnlySpan<byte> body, ref ReadOnlySequence<byte> frame)
    {
        Utf8JsonReader json = new(body, OpenAIResponsesFrame.ReaderOptions);
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw Broken("The upstream's answer is not a JSON object.");
        }

        json.Skip();
        json.Read(); // Refuses anything behind the object.
        ReadOnlySpan<byte> response = body.Trim(" \t\r\n"u8);
        string? status = Word(response, "status"u8);
        bool hasOutput = !Find(response, "output"u8, JsonTokenType.StartArray).IsEmpty;
        bool hasError = !Find(response, "error"u8, JsonTokenType.StartObject).IsEmpty || !Find(response, "error"u8, JsonTokenType.String).IsEmpty;
        if (!hasOutput || hasError || status == "failed")
        {
            return Fail(response);
        }

        FrameSignals signals = End(response, isWhole: true);
        if (Options.State is { } state && !IsEverything)
        {
            byte[] told = Marked(OpenAIResponsesStated.Edit(response, state));
            bool isAtWork = state.IsBackground && OpenAIResponsesBackground.IsAtWork(status);
            state.Begun = isAtWork ? told : state.Begun;
            state.Answer = isAtWork ? null : told;
            frame = new ReadOnlySequence<byte>(told);
        }

        return signals;
    }
}

/// <summary>Gathers an answer and writes it as one body at its end.</summary>
internal sealed class OpenAIResponsesResponseWriter(WriterOptions options) : OpenAIResponsesWriter(options)
{
    private IBufferWriter<byte>? _output;

    protected override void Taking(IBufferWriter<byte> output) => _output = output;

    protected override void Ended(string status)
    {
        using (Utf8JsonWriter json = new(_output!, OpenAIResponsesProtocol.WriterOptions))
        {
            WriteResponse(json, status, isWhole: true);
        }

        Keep();
    }
}
