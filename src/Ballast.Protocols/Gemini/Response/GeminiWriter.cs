using System.Buffers;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// Turns events into parts, for whole answers and streams alike. Calls come whole: their arguments are gathered until they are complete. A signature of another vendor stands
/// on the thought that it signs; the first call of an answer that no signature protects names its model's vendor, so that it is known when it comes back.
/// </summary>
internal abstract class GeminiWriter(WriterOptions options) : ResponseWriter(options)
{
    /// <summary>Most characters of arguments and gathered text held back.</summary>
    private const long HeldLengthMax = 64 * 1024 * 1024;

    private readonly List<Call> _calls = [];
    private readonly GeminiGrounding _grounding = new();
    private readonly StringBuilder _gathered = new();
    private (int Part, bool IsThought)? _gathering;
    private string? _callSeal;
    private string? _textSeal;
    private string? _id;
    private string? _model;
    private Finished _finished = new(FinishReason.Stop, null);
    private Usage? _usage;
    private AnswerTold? _tier;
    private long _heldLength;
    private int _written;
    private bool _hasRefusal;
    private bool _isEnded;

    /// <summary>Text is put together to one part; else every piece goes out at once.</summary>
    protected virtual bool GathersText => false;

    /// <summary>A part, or a piece of one, can be written.</summary>
    protected abstract void Advance(WrittenPart part, IBufferWriter<byte> output);

    protected abstract void End(IBufferWriter<byte> output);

    public override void Write(ChatEvent chatEvent, IBufferWriter<byte> output)
    {
        if (_isEnded)
        {
            return;
        }

        switch (chatEvent)
        {
            case ResponseStarted started:
                _id = started.Id ?? _id;
                _model = started.Model ?? _model;
                break;
            case UsageReported reported:
                _usage = reported.Usage;
                break;
            case AnswerTold told when told.Fact == AnswerFact.ServiceTier && ServiceTierWord.OfGoogle(told.Word) is not null:
                _tier = told;
                break;
            case AnswerTold told:
                Lose(told);
                break;
            case Finished finished:
                _finished = finished;
                break;
            case Ping:
                // Clients of this protocol take no comments between events.
                break;
            case ResponseEnded:
                _isEnded = true;
                Release(output, all: true);
                Flush(output);
                WriteTextSeal(output);
                if (_tier is not null && _usage is null)
                {
                    Lose(_tier); // it stands in the usage, and there is none
                }

                End(output);
                break;
            default:
                WriteContent(chatEvent, output);
                break;
        }
    }

    private void WriteContent(ChatEvent chatEvent, IBufferWriter<byte> output)
    {
        switch (chatEvent)
        {
            case TextDelta { Text.Length: > 0 } text:
                WriteText(text.Part, text.Text, output);
                break;
            case RefusalDelta { Text.Length: > 0 } refusal:
                _hasRefusal = true;
                WriteText(refusal.Part, refusal.Text, output);
                break;
            case ThinkingDelta { Text.Length: > 0 } thinking:
                WriteThought(thinking.Part, thinking.Text, null, output);
                break;
            case ThinkingSigned signed:
                string mark = signed.Issuer == GeminiSignatures.NativeIssuer ? signed.Signature : GeminiSignatures.WrapForeign(signed.Issuer, signed.Signature);
                WriteThought(signed.Part, "", mark, output);
                break;
            case ThinkingRedacted redacted:
                WriteRedacted(redacted, output);
                break;
            case ToolCallStarted started:
                _calls.Add(new Call(started, _callSeal));
                _callSeal = null;
                break;
            case ToolCallDelta delta when FindCall(delta.Part) is { } call:
                Hold(delta.Arguments.Length);
                call.Arguments.Append(delta.Arguments);
                break;
            case PartEnded ended when FindCall(ended.Part) is { } call:
                call.HasEnded = true;
                Release(output, all: false);
                break;
            case Cited cited:
                _grounding.Add(cited);
                break;
        }
    }

    private void WriteText(int part, string text, IBufferWriter<byte> output)
    {
        Release(output, all: true);
        _grounding.Advance(part, text);
        if (!GathersText || _textSeal is not null)
        {
            Flush(output);
            string? seal = _textSeal;
            _textSeal = null;
            Put(new TextPart(text, ""), seal, output);
            return;
        }

        Gather((part, false), text, output);
    }

    private void WriteThought(int part, string text, string? signature, IBufferWriter<byte> output)
    {
        Release(output, all: true);
        if (!GathersText)
        {
            Put(new ThinkingPart(text, ""), signature, output);
            return;
        }

        Gather((part, true), text, output);
        if (signature is not null)
        {
            string whole = _gathered.ToString();
            Ungather();
            Put(new ThinkingPart(whole, ""), signature, output);
        }
    }

    /// <summary>One of this protocol's own goes back on the part where it stood; another vendor's stands on a thought without text.</summary>
    private void WriteRedacted(ThinkingRedacted redacted, IBufferWriter<byte> output)
    {
        Release(output, all: true);
        Flush(output);
        if (redacted.Issuer != GeminiSignatures.NativeIssuer || !SignaturePlace.TrySplit(redacted.Data, out SignaturePlace place, out string signature))
        {
            Put(new ThinkingPart("", ""), GeminiSignatures.WrapRedacted(redacted.Issuer, redacted.Data), output);
            return;
        }

        WriteTextSeal(output);
        if (place.IsCall)
        {
            _callSeal = signature;
        }
        else
        {
            _textSeal = signature;
            if (place.Length == 0)
            {
                WriteTextSeal(output);
            }
        }
    }

    private void WriteTextSeal(IBufferWriter<byte> output)
    {
        if (_textSeal is { } seal)
        {
            _textSeal = null;
            Put(new TextPart("", ""), seal, output);
        }
    }

    private void Gather((int Part, bool IsThought) part, string text, IBufferWriter<byte> output)
    {
        if (_gathering != part)
        {
            Flush(output);
            _gathering = part;
        }

        Hold(text.Length);
        _gathered.Append(text);
    }

    private void Flush(IBufferWriter<byte> output)
    {
        if (_gathering is { } open)
        {
            string text = _gathered.ToString();
            Ungather();
            Put(open.IsThought ? new ThinkingPart(text, "") : new TextPart(text, ""), null, output);
        }
    }

    private void Ungather()
    {
        _gathered.Clear();
        _gathering = null;
    }

    /// <summary>Writes calls that are complete, in the order in which they began.</summary>
    private void Release(IBufferWriter<byte> output, bool all)
    {
        while (_written < _calls.Count && (all || _calls[_written].HasEnded))
        {
            Call call = _calls[_written++];
            call.HasEnded = true;
            Flush(output);
            string arguments = call.Arguments.ToString();
            call.Arguments.Clear();
            if (!JsonObjectText.IsObject(arguments))
            {
                Options.Losses.AddInResponse(call.Started.Pointer, "The arguments are no JSON object.");
            }

            string? seal = call.Seal;
            if (seal is null && _written == 1 && Options.Vendor.Length > 0 && Options.Vendor != GeminiSignatures.NativeIssuer)
            {
                seal = GeminiSignatures.WrapForeign(Options.Vendor, null);
            }

            string id = call.Started.Id.Length == 0 ? GeminiCallIds.OfAnswer(Options.FallbackId, _written - 1) : call.Started.Id;
            Put(new ToolCallPart(id, call.Started.Name, arguments, ""), seal, output);
        }
    }

    private void Put(Part part, string? signature, IBufferWriter<byte> output) => Advance(new WrittenPart(part, signature), output);

    private Call? FindCall(int part)
    {
        // From the end: a piece of arguments nearly always belongs to the call that came last.
        for (int i = _calls.Count - 1; i >= _written; i--)
        {
            if (_calls[i].Started.Part == part)
            {
                return _calls[i];
            }
        }

        return null;
    }

    private void Hold(int length)
    {
        _heldLength += length;
        if (_heldLength > HeldLengthMax)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, $"The upstream's answer exceeds {HeldLengthMax} characters."));
        }
    }

    protected void WriteFinish(Utf8JsonWriter json)
    {
        if (_finished.StopSequence is not null)
        {
            Options.Losses.AddInResponse("/stop_sequence", "It is not told which stop sequence was met.");
        }

        json.WriteString("finishReason"u8, GeminiFinish.Write(_finished, _hasRefusal, Options.Losses));
        json.WriteNumber("index"u8, 0);
        _grounding.Write(json);
    }

    /// <summary>What every chunk says of the answer as a whole.</summary>
    protected void WriteHead(Utf8JsonWriter json)
    {
        if (_usage is not null)
        {
            GeminiUsage.Write(json, _usage, _tier is null ? null : ServiceTierWord.OfGoogle(_tier.Word));
        }

        json.WriteString("modelVersion"u8, _model ?? Options.Model);
        json.WriteString("responseId"u8, _id ?? Options.FallbackId);
    }

    /// <summary>A call that has begun, with the signature that belongs on it.</summary>
    private sealed class Call(ToolCallStarted started, string? seal)
    {
        public ToolCallStarted Started { get; } = started;
        public string? Seal { get; } = seal;
        public StringBuilder Arguments { get; } = new();
        public bool HasEnded { get; set; }
    }
}
