using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ballast.Protocols.Framing;

namespace Ballast.Guards.Redaction;

/// <summary>
/// Screens every string of a JSON body and leaves all other bytes as they were: whatever the protocol, whatever fields its vendor adds. Names are screened, too, where they
/// are an application's own.
/// </summary>
/// <param name="policy">What is looked for.</param>
/// <param name="values">The request's.</param>
/// <param name="finder">May be shared.</param>
/// <param name="isAnswer">Values are put back, not taken out.</param>
/// <param name="isJsonOutput">The answer's text was asked for as JSON.</param>
internal sealed class JsonScreen(RedactionPolicy policy, RedactedValues values, MatchFinder finder, bool isAnswer, bool isJsonOutput = false)
{
    private static readonly JsonWriterOptions s_writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Fewer numbers than this in a row are no tokens in disguise.</summary>
    private const int NumbersMin = 2;

    private readonly List<JsonEdit> _edits = [];
    private readonly List<Level> _levels = [];
    private string _name = "";
    private int _numbers;

    /// <summary>The name of the first field that cannot be searched; null where there is none.</summary>
    public string? Unreadable { get; private set; }

    /// <summary>An array of numbers below a name that takes text is text in the form of tokens.</summary>
    public bool TakesTokens { get; init; }

    /// <summary>The body screened: the same memory where nothing changed.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public ReadOnlyMemory<byte> Run(ReadOnlyMemory<byte> body)
    {
        Walk(body.Span, isFree: false);
        if (_edits.Count == 0)
        {
            return body;
        }

        ArrayBufferWriter<byte> output = new(body.Length + 256);
        JsonSplice.Write(body.Span, [.. _edits], output);
        return output.WrittenMemory;
    }

    private void Walk(ReadOnlySpan<byte> body, bool isFree)
    {
        Utf8JsonReader reader = new(body, new JsonReaderOptions { MaxDepth = 256 });
        _levels.Clear();
        _edits.Clear();
        _levels.Add(new Level("", isFree, IsThought: false, IsWritten: isFree));
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    _name = TextOf(ref reader);
                    if (isAnswer && policy.RedactsAnswers && !_levels[^1].IsFree && JsonPlace.IsTokens(_name))
                    {
                        Drop(ref reader);
                    }
                    else if (_levels[^1].IsFree)
                    {
                        Change(ref reader, body, Screened(_name, ModeOf(_levels[^1]), isJson: false), _name);
                    }

                    break;
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    Enter(reader.TokenType == JsonTokenType.StartObject);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    _name = _levels[^1].Name;
                    _levels.RemoveAt(_levels.Count - 1);
                    break;
                case JsonTokenType.String:
                    String(ref reader, body);
                    break;
                case JsonTokenType.Number:
                    Number(ref reader, body);
                    break;
            }
        }
    }

    /// <summary>The text again in pieces that nobody can search: an empty list, or nothing.</summary>
    private void Drop(ref Utf8JsonReader reader)
    {
        reader.Read();
        int start = (int)reader.TokenStartIndex;
        bool isList = reader.TokenType == JsonTokenType.StartArray;
        reader.Skip();
        _edits.Add(new JsonEdit(new Protocols.JsonSpan(start, (int)reader.BytesConsumed - start), isList ? "[]"u8.ToArray() : "null"u8.ToArray()));
    }

    private void Enter(bool isObject)
    {
        Level above = _levels[^1];
        NoteUnreadable(above);
        _numbers = 0;
        _levels.Add(new Level(
            _name, above.IsFree || JsonPlace.IsFree(_name, isObject), above.IsThought || JsonPlace.IsThought(_name), above.IsWritten || JsonPlace.IsWritten(_name)));
    }

    private void NoteUnreadable(Level above)
    {
        if (!isAnswer && Unreadable is null && !above.IsFree && JsonPlace.IsUnreadable(_name))
        {
            Unreadable = _name;
        }
    }

    private void String(ref Utf8JsonReader reader, ReadOnlySpan<byte> body)
    {
        Level above = _levels[^1];
        NoteUnreadable(above);
        if (!above.IsFree && (JsonPlace.IsOpaque(_name) || (_name is "data" or "url" or "image_url" or "images" or "image" && JsonPlace.IsBytes(reader.ValueSpan))))
        {
            if (!isAnswer && _name == "data" && JsonPlace.IsHolder(above.Name))
            {
                Unreadable ??= _name;
            }

            return;
        }

        string text = TextOf(ref reader);
        ScreenMode mode = ModeOf(above with { IsThought = above.IsThought || JsonPlace.IsThought(_name), IsWritten = above.IsWritten || JsonPlace.IsWritten(_name) });
        string screened = !isAnswer && _name == "arguments" && !above.IsFree && Nested(text) is { } nested ? nested
            : mode != ScreenMode.Restore && above.IsFree && SecretFinder.IsName(_name) && SecretFinder.IsRandom(text, isPassword: false) && !text.Contains(' ', StringComparison.Ordinal)
                ? Whole(text, mode)
            : Screened(text, mode, isAnswer && IsJson(text));
        Change(ref reader, body, screened, text);
    }

    /// <summary>Text that a program will read as JSON: a tool's arguments, and an answer that was asked for as such.</summary>
    private bool IsJson(string text) =>
        (_name is "arguments" || (isJsonOutput && _name is "content" or "text" or "output_text")) && text.AsSpan().TrimStart() is ['{' or '[', ..];

    private string Whole(string text, ScreenMode mode) =>
        mode == ScreenMode.Hide ? values.Hide(RedactionKind.Secret, text) : values.Veil(RedactionKind.Secret, text) ?? text;

    /// <summary>A card's number may be a number; nothing else is taken for one, and only where an application says what its numbers mean.</summary>
    private void Number(ref Utf8JsonReader reader, ReadOnlySpan<byte> body)
    {
        if (TakesTokens && _name is "input" or "prompt" or "inputs" && ++_numbers >= NumbersMin && !isAnswer)
        {
            Unreadable ??= _name;
        }

        if (_levels[^1].IsFree && ModeOf(_levels[^1]) != ScreenMode.Restore && policy.Kinds.Contains(RedactionKind.Card) && reader.ValueSpan.Length is >= 13 and <= 19)
        {
            string digits = Encoding.ASCII.GetString(reader.ValueSpan);
            if (CardFinder.IsCard(digits))
            {
                string? made = isAnswer ? values.Veil(RedactionKind.Card, digits) : values.Hide(RedactionKind.Card, digits);
                Change(ref reader, body, made ?? digits, digits);
            }
        }
    }

    private ScreenMode ModeOf(Level level) =>
        !isAnswer ? ScreenMode.Hide : policy.RedactsAnswers && level is { IsWritten: true, IsThought: false } ? ScreenMode.RestoreAndHide : ScreenMode.Restore;

    private string Screened(string text, ScreenMode mode, bool isJson) => TextScreen.Run(policy, values, finder, mode, text, isJson);

    /// <summary>Arguments that are JSON are walked as such, so that they stay JSON; null where they are none.</summary>
    private string? Nested(string text)
    {
        if (text.AsSpan().TrimStart() is not ['{' or '[', ..])
        {
            return null;
        }

        byte[] inner = Encoding.UTF8.GetBytes(text);
        try
        {
            JsonScreen screen = new(policy, values, finder, isAnswer);
            screen.Walk(inner, isFree: true);
            if (screen._edits.Count == 0)
            {
                return text;
            }

            ArrayBufferWriter<byte> output = new(inner.Length + 64);
            JsonSplice.Write(inner, [.. screen._edits], output);
            return Encoding.UTF8.GetString(output.WrittenSpan);
        }
        catch (JsonException)
        {
            return null; // a model wrote them so
        }
    }

    private void Change(ref Utf8JsonReader reader, ReadOnlySpan<byte> body, string screened, string text)
    {
        if (ReferenceEquals(screened, text) || screened == text)
        {
            return;
        }

        int start = (int)reader.TokenStartIndex;
        int length = reader.TokenType == JsonTokenType.PropertyName
            ? reader.ValueSpan.Length + 2 // without the colon
            : (int)reader.BytesConsumed - start;
        _edits.Add(new JsonEdit(new Protocols.JsonSpan(start, length), Encode(screened)));
    }

    private static byte[] Encode(string text)
    {
        ArrayBufferWriter<byte> output = new();
        using Utf8JsonWriter writer = new(output, s_writing);
        writer.WriteStringValue(text);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Half a surrogate pair is refused or passed on by others; here it matches nothing.</summary>
    private static string TextOf(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            throw new JsonException("A string is not valid Unicode text.");
        }
    }

    /// <param name="Name">Of the object or array.</param>
    /// <param name="IsFree">An application's own JSON.</param>
    /// <param name="IsThought">What a model thought.</param>
    /// <param name="IsWritten">What a model wrote.</param>
    private readonly record struct Level(string Name, bool IsFree, bool IsThought, bool IsWritten);
}
