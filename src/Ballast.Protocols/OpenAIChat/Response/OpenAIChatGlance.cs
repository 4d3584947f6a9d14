using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>
/// The usual answer, whole or chunk, read in one pass where only usage and finish are wanted: one choice of text, reasoning or refusal, no error. Whatever is not usual
/// (calls, several choices, a field given twice, escapes where words are compared) is declined before anything is noted, and read the long way, to the same result.
/// </summary>
internal ref struct OpenAIChatGlance
{
    private JsonScan _scan;
    private Fields _seen;

    private OpenAIChatGlance(ReadOnlySpan<byte> json, int depthMax) => _scan = new JsonScan(json, depthMax);

    [Flags]
    private enum Fields
    {
        None = 0,
        Choices = 1,
        Usage = 1 << 1,
        Id = 1 << 2,
        Model = 1 << 3,
        Message = 1 << 4,
        FinishReason = 1 << 5,
        Index = 1 << 6,
        Content = 1 << 7,
        ReasoningContent = 1 << 8,
        Reasoning = 1 << 9,
        Refusal = 1 << 10,
    }

    public ReadOnlySpan<byte> Id { get; private set; }
    public ReadOnlySpan<byte> Model { get; private set; }
    public bool HasChoices { get; private set; }

    /// <summary>Bytes of content, as written.</summary>
    public long ContentLength { get; private set; }

    /// <summary>The finish reason as the server says it; empty where there is none.</summary>
    public ReadOnlySpan<byte> Finish { get; private set; }

    /// <summary>The object of figures; empty where there is none.</summary>
    public ReadOnlySpan<byte> Usage { get; private set; }

    public ServiceTier ServiceTier { get; private set; }

    /// <summary>False where the answer is not usual, or is no JSON: the long way tells which.</summary>
    public static bool TryRead(ReadOnlySpan<byte> json, int depthMax, bool isWhole, out OpenAIChatGlance glance)
    {
        glance = new OpenAIChatGlance(json, depthMax);
        try
        {
            return glance.Read(isWhole) && (glance.HasChoices || !isWhole);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private bool Read(bool isWhole)
    {
        if (_scan.First() != (byte)'{')
        {
            return false;
        }

        _scan.EnterObject();
        while (_scan.NextField())
        {
            if (_scan.IsEscaped || !ReadField(isWhole))
            {
                return false;
            }
        }

        return true;
    }

    private bool ReadField(bool isWhole)
    {
        if (_scan.Is("choices"u8))
        {
            return IsNew(Fields.Choices) && ReadChoices(isWhole);
        }

        if (_scan.Is("id"u8))
        {
            bool isWord = TryWord(out ReadOnlySpan<byte> id);
            Id = id;
            return isWord && IsNew(Fields.Id);
        }

        if (_scan.Is("model"u8))
        {
            bool isWord = TryWord(out ReadOnlySpan<byte> model);
            Model = model;
            return isWord && IsNew(Fields.Model);
        }

        if (_scan.Is("usage"u8))
        {
            return IsNew(Fields.Usage) && TryUsage();
        }

        if (_scan.Is("service_tier"u8) && _scan.First() == (byte)'"')
        {
            bool isWord = TryWord(out ReadOnlySpan<byte> tier);
            ServiceTier = ServiceTierWord.Read(tier);
            return isWord;
        }

        if (_scan.Is("object"u8))
        {
            return TryWord(out ReadOnlySpan<byte> kind) && !kind.SequenceEqual("error"u8);
        }

        return _scan.Is("error"u8) ? TryNull() : !_scan.Is("x_groq"u8) && Pass();
    }

    private bool ReadChoices(bool isWhole)
    {
        if (_scan.First() != (byte)'[')
        {
            return false;
        }

        _scan.EnterArray();
        while (_scan.NextItem())
        {
            if (HasChoices || _scan.First() != (byte)'{')
            {
                return false;
            }

            HasChoices = true;
            _scan.EnterObject();
            while (_scan.NextField())
            {
                if (_scan.IsEscaped || !ReadChoiceField(isWhole))
                {
                    return false;
                }
            }
        }

        // A whole answer without a message has it elsewhere, or says nothing.
        return !HasChoices || !isWhole || (_seen & Fields.Message) != 0;
    }

    private bool ReadChoiceField(bool isWhole)
    {
        if (_scan.Is("delta"u8))
        {
            return !isWhole && IsNew(Fields.Message) && ReadMessage();
        }

        if (_scan.Is("message"u8))
        {
            // Some servers repeat the message so far beside each delta.
            return isWhole ? IsNew(Fields.Message) && ReadMessage() : Pass();
        }

        if (_scan.Is("finish_reason"u8))
        {
            bool isWord = TryWord(out ReadOnlySpan<byte> word);
            Finish = word;
            return isWord && IsNew(Fields.FinishReason) && !word.SequenceEqual("error"u8);
        }

        return _scan.Is("index"u8) ? IsNew(Fields.Index) && _scan.Integer() == 0 : Pass();
    }

    private bool ReadMessage()
    {
        if (_scan.First() != (byte)'{')
        {
            return false;
        }

        long reasoning = 0;
        long reasoningContent = 0;
        _scan.EnterObject();
        while (_scan.NextField())
        {
            if (_scan.IsEscaped || !ReadMessageField(ref reasoningContent, ref reasoning))
            {
                return false;
            }
        }

        // Servers that give reasoning in two fields give the same text in both.
        ContentLength += reasoningContent > 0 ? reasoningContent : reasoning;
        return true;
    }

    private bool ReadMessageField(ref long reasoningContent, ref long reasoning)
    {
        if (_scan.Is("content"u8))
        {
            return IsNew(Fields.Content) && TryContent(out long length) && Add(length);
        }

        if (_scan.Is("reasoning_content"u8))
        {
            return IsNew(Fields.ReasoningContent) && TryContent(out reasoningContent);
        }

        if (_scan.Is("reasoning"u8))
        {
            return IsNew(Fields.Reasoning) && TryContent(out reasoning);
        }

        if (_scan.Is("refusal"u8))
        {
            return IsNew(Fields.Refusal) && TryContent(out long length) && Add(length);
        }

        if (_scan.Is("tool_calls"u8))
        {
            return TryNullOrEmptyArray();
        }

        return _scan.Is("function_call"u8) || _scan.Is("reasoning_details"u8) ? TryNull() : Pass();
    }

    private bool IsNew(Fields field)
    {
        bool isNew = (_seen & field) == 0;
        _seen |= field;
        return isNew;
    }

    private bool Add(long length)
    {
        ContentLength += length;
        return true;
    }

    private bool Pass()
    {
        _scan.Skip();
        return true;
    }

    private bool TryNull() => _scan.First() == (byte)'n' && Pass();

    /// <summary>A string without escapes, or null, which is an empty one.</summary>
    private bool TryWord(out ReadOnlySpan<byte> word)
    {
        word = default;
        if (_scan.First() != (byte)'"')
        {
            return TryNull();
        }

        word = _scan.Text();
        return !_scan.IsEscaped;
    }

    /// <summary>A string or null.</summary>
    private bool TryContent(out long length)
    {
        length = 0;
        if (_scan.First() != (byte)'"')
        {
            return TryNull();
        }

        length = _scan.Text().Length;
        return true;
    }

    private bool TryUsage()
    {
        if (_scan.First() != (byte)'{')
        {
            return TryNull();
        }

        Usage = _scan.Bytes(_scan.Take());
        return true;
    }

    private bool TryNullOrEmptyArray()
    {
        if (_scan.First() != (byte)'[')
        {
            return TryNull();
        }

        _scan.EnterArray();
        return !_scan.NextItem();
    }
}
