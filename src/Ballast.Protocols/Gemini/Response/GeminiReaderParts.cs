using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// The pieces of the content. Text runs on over chunks until a part of another kind comes; calls come whole. A signature on anything but a thought is told as encrypted
/// reasoning that knows its place (<see cref="SignaturePlace"/>), before the part on which it stood.
/// </summary>
internal abstract partial class GeminiReader
{
    private readonly GeminiCitations _citations = new(options.Losses);
    private readonly List<TextDelta> _held = [];
    private PartKind _open;
    private int _parts;
    private int _lostParts;
    private int _calls;
    private int _textLength;
    private bool _hasCalls;
    private bool _hasStructured;

    private enum PartKind
    {
        None,
        Text,
        Thought,
    }

    private FrameSignals ReadContent(ReadOnlySpan<byte> content, bool isWhole)
    {
        FrameSignals signals = FrameSignals.None;
        Utf8JsonReader reader = new(content, GeminiCursor.ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("role"u8))
            {
                reader.Read();
                reader.Skip();
                continue;
            }

            if (!reader.ValueTextEquals("parts"u8))
            {
                NoteUnknown(ref reader, "/candidates/0/content");
                continue;
            }

            reader.Read();
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                reader.Skip();
                continue;
            }

            for (int i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
            {
                int start = (int)reader.TokenStartIndex;
                bool isObject = reader.TokenType == JsonTokenType.StartObject;
                reader.Skip();
                if (isObject)
                {
                    signals |= ReadPart(content[start..(int)reader.BytesConsumed], isWhole ? i : null);
                }
            }
        }

        return signals;
    }

    private FrameSignals ReadPart(ReadOnlySpan<byte> json, int? place)
    {
        GeminiPart part = GeminiPart.Read(json);
        // JSON may be broken into lines, which says nothing: what an answer measures may not depend on it.
        ContentLength += part.TextLength + part.Call.Length - part.Call.Count((byte)'\n') - part.Call.Count((byte)'\r');
        bool isStructured = Options.UnwrapStructuredOutput && !part.Call.IsEmpty && GeminiPart.IsCallOf(part.Call, StructuredOutput.ToolName);
        _hasStructured |= isStructured;
        _hasCalls |= !part.Call.IsEmpty && !isStructured;
        if (IsEverything)
        {
            Tell(json, part, isStructured, place);
        }

        return part.TextLength > 0 || !part.Call.IsEmpty || part.HasOther ? FrameSignals.Content : FrameSignals.None;
    }

    private void Tell(ReadOnlySpan<byte> json, in GeminiPart part, bool isStructured, int? place)
    {
        string pointer = GeminiCursor.Below("/candidates/0/content/parts", place ?? ((part.TextLength > 0 && IsOpen(part) ? _parts - 1 : _parts) + _lostParts));
        string? text = part.HasText ? GeminiPart.TextOf(json) : null;
        string? signature = part.HasSignature ? GeminiPart.SignatureOf(json) : null;
        if (!part.Call.IsEmpty)
        {
            TellCall(part.Call, signature, isStructured, $"{pointer}/functionCall");
            _losses.NotePart(json, pointer);
        }
        else if (part.IsThought && text is not null)
        {
            TellThought(text, signature);
            _losses.NotePart(json, pointer);
        }
        else if (text is not null)
        {
            TellText(text, signature, pointer);
            _losses.NotePart(json, pointer);
        }
        else
        {
            _lostParts++;
            Options.Losses.AddInResponse(pointer, "A part of this kind has no counterpart.");
        }
    }

    private bool IsOpen(in GeminiPart part) => _open == (part.IsThought ? PartKind.Thought : PartKind.Text);

    private void TellText(string text, string? signature, string pointer)
    {
        // Unlike a call's, a text's signature need not come back, and to a caller who knows of no reasoning it would be a block in the way.
        if (signature is not null && !Options.WantsReasoning)
        {
            Options.Losses.AddInResponse($"{pointer}/thoughtSignature", "The request asks for no reasoning; the vendor does without this signature.");
            signature = null;
        }

        Seal(signature, SignaturePlace.OfText(_calls, _textLength, text.Length));
        if (text.Length == 0)
        {
            return;
        }

        Open(PartKind.Text);
        _citations.Advance(_parts - 1, text);
        _textLength += text.Length;
        if (!Options.UnwrapStructuredOutput)
        {
            Events.Add(new TextDelta(_parts - 1, text));
        }
        else if (_hasStructured)
        {
            LoseText();
        }
        else
        {
            _held.Add(new TextDelta(_parts - 1, text));
        }
    }

    private void TellThought(string text, string? signature)
    {
        if (signature is not null && GeminiSignatures.TryUnwrap(signature, out string issuer, out string? foreign, out bool isRedacted))
        {
            TellForeignThought(text, issuer, foreign, isRedacted);
            return;
        }

        if (text.Length == 0 && signature is null)
        {
            return;
        }

        Open(PartKind.Thought);
        if (text.Length > 0)
        {
            Events.Add(new ThinkingDelta(_parts - 1, text));
        }

        if (signature is not null)
        {
            Events.Add(new ThinkingSigned(_parts - 1, signature, Options.Vendor));
            EndPart();
        }
    }

    private void TellForeignThought(string text, string issuer, string? foreign, bool isRedacted)
    {
        if (isRedacted)
        {
            EndPart();
            Events.Add(new ThinkingRedacted(_parts++, foreign ?? "", issuer));
            return;
        }

        Open(PartKind.Thought);
        if (text.Length > 0)
        {
            Events.Add(new ThinkingDelta(_parts - 1, text));
        }

        if (foreign is not null)
        {
            Events.Add(new ThinkingSigned(_parts - 1, foreign, issuer));
        }

        EndPart();
    }

    private void TellCall(ReadOnlySpan<byte> json, string? signature, bool isStructured, string pointer)
    {
        (string? id, string name, string arguments) = GeminiPart.CallOf(json);
        _losses.NoteCall(json, pointer);
        if (isStructured)
        {
            EndPart();
            foreach (TextDelta _ in _held)
            {
                LoseText();
            }

            _held.Clear();
            Events.Add(new TextDelta(_parts++, arguments));
            return;
        }

        FlushHeld();
        Seal(signature, SignaturePlace.OfCall(_calls));
        EndPart();
        int part = _parts++;
        Events.Add(new ToolCallStarted(part, id ?? GeminiCallIds.OfAnswer(ResponseId, _calls), Options.ToolName(name, GeminiCallIds.NameLengthMax)) { Pointer = pointer });
        Events.Add(new ToolCallDelta(part, arguments));
        Events.Add(new PartEnded(part));
        _calls++;
    }

    private void Seal(string? signature, SignaturePlace place)
    {
        // A marked one says that another vendor's model made the part, and holds nothing that must go back.
        if (signature is not null && !GeminiSignatures.TryUnwrap(signature, out _, out _, out _))
        {
            EndPart();
            Events.Add(new ThinkingRedacted(_parts++, place.Join(signature), Options.Vendor));
        }
    }

    private void Open(PartKind kind)
    {
        if (_open != kind)
        {
            EndPart();
            _open = kind;
            _parts++;
        }
    }

    private void EndPart()
    {
        // Held text may still follow: its part ends with the answer.
        if (_open != PartKind.None && !(_open == PartKind.Text && Options.UnwrapStructuredOutput))
        {
            Events.Add(new PartEnded(_parts - 1));
        }

        _open = PartKind.None;
    }

    private void LoseText() => Options.Losses.AddInResponse("/candidates/0/content/parts", "Text beside a structured answer would break its JSON.");

    private void FlushHeld()
    {
        Events.AddRange(_held);
        _held.Clear();
    }

    private void Cite(ReadOnlySpan<byte> grounding, ReadOnlySpan<byte> citations)
    {
        if (!grounding.IsEmpty)
        {
            _citations.ReadGrounding(grounding, Events);
        }

        if (!citations.IsEmpty)
        {
            _citations.ReadCitations(citations, Events);
        }
    }
}

/// <summary>What one part holds, found without making a string.</summary>
internal ref struct GeminiPart
{
    public ReadOnlySpan<byte> Call;
    public long TextLength;
    public bool HasText;
    public bool IsThought;
    public bool HasSignature;

    /// <summary>Content that is neither text nor a call.</summary>
    public bool HasOther;

    public static GeminiPart Read(ReadOnlySpan<byte> json)
    {
        GeminiPart part = default;
        Utf8JsonReader reader = new(json, GeminiCursor.ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int field = reader.ValueTextEquals("text"u8) ? 1
                : reader.ValueTextEquals("thought"u8) ? 2
                : reader.ValueTextEquals("thoughtSignature"u8) ? 3
                : reader.ValueTextEquals("functionCall"u8) ? 4
                : reader.ValueTextEquals("inlineData"u8) || reader.ValueTextEquals("executableCode"u8) || reader.ValueTextEquals("codeExecutionResult"u8) ? 5
                : 0;
            reader.Read();
            int start = (int)reader.TokenStartIndex;
            JsonTokenType token = reader.TokenType;
            switch (field)
            {
                case 1 when token == JsonTokenType.String:
                    part.HasText = true;
                    part.TextLength = reader.ValueSpan.Length;
                    break;
                case 2:
                    part.IsThought = token == JsonTokenType.True;
                    break;
                case 3:
                    part.HasSignature = token == JsonTokenType.String && !reader.ValueSpan.IsEmpty;
                    break;
                case 5:
                    part.HasOther |= token == JsonTokenType.StartObject;
                    break;
            }

            reader.Skip();
            if (field == 4 && token == JsonTokenType.StartObject)
            {
                part.Call = json[start..(int)reader.BytesConsumed];
            }
        }

        return part;
    }

    public static string? TextOf(ReadOnlySpan<byte> part) => Find(part, "text"u8);

    public static string? SignatureOf(ReadOnlySpan<byte> part) => Find(part, "thoughtSignature"u8);

    public static bool IsCallOf(ReadOnlySpan<byte> call, string name)
    {
        Utf8JsonReader reader = new(call, GeminiCursor.ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isName = reader.ValueTextEquals("name"u8);
            reader.Read();
            if (isName)
            {
                return reader.TokenType == JsonTokenType.String && reader.ValueTextEquals(name);
            }

            reader.Skip();
        }

        return false;
    }

    /// <summary>A call's id, where it has one, its name, and its arguments as they are written.</summary>
    public static (string? Id, string Name, string Arguments) CallOf(ReadOnlySpan<byte> call)
    {
        string arguments = "{}";
        Utf8JsonReader reader = new(call, GeminiCursor.ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isArguments = reader.ValueTextEquals("args"u8);
            reader.Read();
            int start = (int)reader.TokenStartIndex;
            bool isObject = reader.TokenType == JsonTokenType.StartObject;
            reader.Skip();
            if (isArguments && isObject)
            {
                arguments = Compact(call[start..(int)reader.BytesConsumed]);
            }
        }

        string? id = Find(call, "id"u8);
        return (string.IsNullOrEmpty(id) ? null : id, Find(call, "name"u8) ?? "", arguments);
    }

    // Whole answers are indented.
    private static string Compact(ReadOnlySpan<byte> json)
    {
        if (json.IndexOfAny((byte)'\n', (byte)'\r') < 0)
        {
            return Encoding.UTF8.GetString(json);
        }

        byte[] compact = new byte[json.Length];
        int length = 0;
        bool inString = false;
        bool isEscaped = false;
        foreach (byte letter in json)
        {
            if (inString || letter is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
            {
                compact[length++] = letter;
            }

            bool isQuote = letter == (byte)'"' && !isEscaped;
            isEscaped = inString && !isEscaped && letter == (byte)'\\';
            inString ^= isQuote;
        }

        return Encoding.UTF8.GetString(compact, 0, length);
    }

    private static string? Find(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        Utf8JsonReader reader = new(json, GeminiCursor.ReaderOptions);
        reader.Read();
        string? found = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isIt = reader.ValueTextEquals(name);
            reader.Read();
            found = isIt && reader.TokenType == JsonTokenType.String ? JsonText.Read(ref reader) : found;
            reader.Skip();
        }

        return found;
    }
}
