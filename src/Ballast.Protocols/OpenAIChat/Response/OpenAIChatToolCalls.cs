using System.Globalization;
using System.Text;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>One tool call of an answer while its pieces arrive.</summary>
internal sealed class OpenAIChatToolCall
{
    private int _depth;
    private bool _isInString;
    private bool _isEscaped;
    private bool _hasOpened;

    public required int Ordinal { get; init; }

    /// <summary>The index under which the server sends it, or -1.</summary>
    public required int Index { get; init; }

    /// <summary>The id that the server gave it, or null.</summary>
    public string? Id { get; set; }
    public string? Name { get; set; }

    /// <summary>Number of the part, or -1 until the name is known.</summary>
    public int Part { get; set; } = -1;

    /// <summary>Arguments that came before the name; null where none did.</summary>
    public StringBuilder? Held { get; set; }

    /// <summary>It calls a tool of free text, which its arguments are.</summary>
    public bool IsFreeText { get; set; }

    /// <summary>It carries an emulated structured answer.</summary>
    public bool IsAnswer { get; set; }

    /// <summary>The arguments so far are one whole JSON object.</summary>
    public bool IsWhole => _hasOpened && _depth == 0 && !IsFreeText;

    public void Follow(ReadOnlySpan<byte> arguments)
    {
        foreach (byte b in arguments)
        {
            if (_isEscaped)
            {
                _isEscaped = false;
            }
            else if (_isInString)
            {
                _isEscaped = b == (byte)'\\';
                _isInString = b != (byte)'"';
            }
            else if (b == (byte)'"')
            {
                _isInString = true;
            }
            else if (b is (byte)'{' or (byte)'[')
            {
                _hasOpened = true;
                _depth++;
            }
            else if (b is (byte)'}' or (byte)']')
            {
                _depth--;
            }
        }
    }
}

/// <summary>
/// Tells to which call a piece belongs. OpenAI gives an index with every piece and the id with the first; other servers leave out or repeat either, give every
/// call the index 0, or send a whole call at once.
/// </summary>
internal sealed class OpenAIChatToolCalls
{
    /// <summary>Calls taken in one answer.</summary>
    public const int CountMax = 1024;

    private readonly List<OpenAIChatToolCall> _calls = [];

    /// <summary>A call was made that the client will see as one.</summary>
    public bool HasAny { get; private set; }

    /// <summary>A call was made that carries an emulated structured answer.</summary>
    public bool HasAnswer { get; private set; }

    public OpenAIChatToolCall? Find(int index, ReadOnlySpan<char> id, bool hasName)
    {
        OpenAIChatToolCall? last = _calls.Count > 0 ? _calls[^1] : null;
        if (index >= 0)
        {
            OpenAIChatToolCall? known = FindLast(index);
            bool isOther = known is not null && hasName
                && (id.IsEmpty ? known.Name is not null && known.IsWhole : known.Id is not null && !id.SequenceEqual(known.Id));
            return isOther ? null : known;
        }

        if (!id.IsEmpty)
        {
            foreach (OpenAIChatToolCall call in _calls)
            {
                if (id.SequenceEqual(call.Id))
                {
                    return call;
                }
            }

            return null;
        }

        return hasName && last?.Name is not null ? null : last;
    }

    // A loop, since a lambda that captures the index would be an allocation for each piece.
    private OpenAIChatToolCall? FindLast(int index)
    {
        for (int i = _calls.Count - 1; i >= 0; i--)
        {
            if (_calls[i].Index == index)
            {
                return _calls[i];
            }
        }

        return null;
    }

    public OpenAIChatToolCall? Add(int index)
    {
        if (_calls.Count >= CountMax)
        {
            return null;
        }

        OpenAIChatToolCall call = new() { Ordinal = _calls.Count, Index = index };
        _calls.Add(call);
        return call;
    }

    /// <summary>The id under which the client sees the call: the server's, if it gave one that no other call has; else one made of what the answer itself says.</summary>
    public string Begin(OpenAIChatToolCall call, string? responseId)
    {
        HasAny |= !call.IsAnswer;
        HasAnswer |= call.IsAnswer;
        bool isTaken = call.Id is null || _calls.Exists(other => other != call && other.Part >= 0 && other.Id == call.Id);
        return isTaken ? string.Create(CultureInfo.InvariantCulture, $"call_{call.Ordinal}_{Hash(responseId, call.Name):x8}") : call.Id!;
    }

    /// <summary>FNV-1a: ids of different answers must differ within one conversation, and the same bytes must give the same id.</summary>
    private static uint Hash(string? responseId, string? name)
    {
        uint hash = 2166136261;
        foreach (char c in $"{responseId}\n{name}")
        {
            hash = (hash ^ c) * 16777619;
        }

        return hash;
    }
}
