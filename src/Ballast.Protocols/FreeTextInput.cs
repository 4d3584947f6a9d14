using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Ballast.Protocols;

/// <summary>
/// Takes the free text out of the arguments <c>{"input":"…"}</c> of a function that stands for a tool of free text, piece by piece, wherever the pieces were cut. Arguments
/// that are nothing of the kind are the text themselves: the tool's owner can make more of them than an error could.
/// </summary>
internal sealed class FreeTextInput
{
    /// <summary>The one argument.</summary>
    public const string Name = "input";

    /// <summary>Most characters of arguments held that do not begin as expected; what is beyond goes on as it is.</summary>
    public const int HeldLengthMax = 1024 * 1024;

    private const string Opening = "{\"input\":\"";

    private readonly StringBuilder _text = new();
    private readonly StringBuilder _held = new();
    private readonly StringBuilder _escape = new();
    private State _state = State.Opening;
    private int _place;
    private char _high;

    private enum State
    {
        /// <summary>Before the text: what is taken is held.</summary>
        Opening,
        Text,
        Escape,

        /// <summary>The text has ended, the object has not.</summary>
        Behind,
        Ended,

        /// <summary>The arguments are of another form: held until it is known of which.</summary>
        Other,

        /// <summary>They are too long to be held.</summary>
        Raw,
    }

    /// <summary>The arguments are complete: nothing of them can follow.</summary>
    public bool IsEnded => _state == State.Ended;

    /// <summary>What of the text is known now that this piece has come.</summary>
    public string Take(string arguments)
    {
        _text.Clear();
        foreach (char letter in arguments)
        {
            Take(letter);
        }

        return _text.ToString();
    }

    /// <summary>What is left when no piece follows. Half an escape of arguments that were cut is dropped.</summary>
    public string End()
    {
        _text.Clear();
        if (_state is State.Opening or State.Other)
        {
            _text.Append(Settle(_held.ToString()));
        }

        _state = State.Ended;
        return _text.ToString();
    }

    private void Take(char letter)
    {
        switch (_state)
        {
            case State.Opening or State.Other:
                Hold(letter);
                break;
            case State.Text when letter == '"':
                Break();
                _state = State.Behind;
                break;
            case State.Text when letter == '\\':
                _state = State.Escape;
                break;
            case State.Text:
                Unit(letter);
                break;
            case State.Escape:
                Unescape(letter);
                break;
            case State.Behind:
                _state = letter == '}' ? State.Ended : letter is ' ' or '\t' or '\r' or '\n' ? State.Behind : State.Ended;
                break;
            case State.Raw:
                _text.Append(letter);
                break;
        }
    }

    private void Hold(char letter)
    {
        _held.Append(letter);
        if (_held.Length > HeldLengthMax)
        {
            _text.Append(_held);
            _held.Clear();
            _state = State.Raw;
        }
        else if (_state == State.Opening && letter == Opening[_place])
        {
            _place++;
            if (_place == Opening.Length)
            {
                _held.Clear();
                _state = State.Text;
            }
        }
        else if (_state == State.Opening && !MaySpace(letter))
        {
            _state = State.Other;
        }
    }

    /// <summary>JSON may have white space between its tokens, not within the name.</summary>
    private bool MaySpace(char letter) => letter is ' ' or '\t' or '\r' or '\n' && (_place < 2 || Opening[_place - 1] == ':' || Opening[_place] == ':');

    private void Unescape(char letter)
    {
        _escape.Append(letter);
        if (_escape[0] == 'u')
        {
            if (_escape.Length > 1 && !char.IsAsciiHexDigit(letter))
            {
                KeepEscape();
            }
            else if (_escape.Length == 5)
            {
                Unit((char)int.Parse(_escape.ToString(1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                EndEscape();
            }

            return;
        }

        const string marks = "\"\\/bfnrt";
        const string meant = "\"\\/\b\f\n\r\t";
        int known = marks.IndexOf(letter, StringComparison.Ordinal);
        if (known < 0)
        {
            KeepEscape();
            return;
        }

        Unit(meant[known]);
        EndEscape();
    }

    /// <summary>A model that forgot to escape a backslash meant it.</summary>
    private void KeepEscape()
    {
        string kept = _escape.ToString();
        EndEscape();
        Unit('\\');
        foreach (char letter in kept)
        {
            Take(letter);
        }
    }

    private void EndEscape()
    {
        _escape.Clear();
        _state = State.Text;
    }

    /// <summary>One unit of UTF-16: half a pair waits for the other half, and is replaced where that does not come.</summary>
    private void Unit(char unit)
    {
        if (char.IsLowSurrogate(unit) && _high != 0)
        {
            _text.Append(_high).Append(unit);
            _high = '\0';
            return;
        }

        Break();
        if (char.IsHighSurrogate(unit))
        {
            _high = unit;
        }
        else
        {
            _text.Append(char.IsLowSurrogate(unit) ? '\uFFFD' : unit);
        }
    }

    private void Break()
    {
        if (_high != 0)
        {
            _text.Append('\uFFFD');
            _high = '\0';
        }
    }

    /// <summary>The text in arguments of another form, for example behind a second field; the arguments themselves where there is none.</summary>
    private static string Settle(string arguments)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(arguments);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(Name, out JsonElement input) && input.ValueKind == JsonValueKind.String
                ? input.GetString()!
                : arguments;
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return arguments;
        }
    }
}
