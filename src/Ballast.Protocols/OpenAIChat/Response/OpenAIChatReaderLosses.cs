using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>
/// Fields of an answer that no other protocol has: each is named as a loss once, whatever it holds, unless it says nothing. Pointers lead into the message as a whole:
/// a chunk's <c>delta</c> is a piece of its <c>message</c>.
/// </summary>
internal abstract partial class OpenAIChatReader
{
    private const string MessagePointer = "/choices/0/message";

    /// <summary>Fields known again at a glance: more than any server has, and few enough to look through for each field of each chunk.</summary>
    private const int NotedMax = 64;

    // Every chunk repeats its fields: what was noted is known again without a new string. What lies beyond the limit the report tells apart.
    private List<(string At, byte[] Name)> Noted => field ??= [];

    /// <summary>Skips the value of a field that is not read; where it says something, it is named as a loss.</summary>
    private void NoteUnknown(ref Utf8JsonReader reader, string at)
    {
        if (!IsEverything || (at.Length > 0 && IsForm(reader)) || IsNoted(at, reader) || (at.Length == 0 && IsPadding(reader)))
        {
            reader.Read();
            reader.Skip();
            return;
        }

        Utf8JsonReader name = reader;
        if (SaysSomething(ref reader))
        {
            Note(at, JsonText.Read(ref name), says: true);
        }
    }

    private void Note(string at, string name, bool says)
    {
        if (!says || !IsEverything)
        {
            return;
        }

        if (Noted.Count < NotedMax)
        {
            Noted.Add((at, Encoding.UTF8.GetBytes(name)));
        }

        Options.Losses.AddInResponse(JsonCursor.Below(at, name), $"The field {name} cannot cross protocols.");
    }

    private bool IsNoted(string at, in Utf8JsonReader reader)
    {
        foreach ((string place, byte[] name) in Noted)
        {
            if (reader.ValueTextEquals(name) && place == at)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Fields that belong to the form and say nothing of their own.</summary>
    private static bool IsForm(in Utf8JsonReader reader) =>
        reader.ValueTextEquals("role"u8) || reader.ValueTextEquals("type"u8) || reader.ValueTextEquals("index"u8);

    /// <summary>Servers that say how soon they answered beside the tokens (Mistral).</summary>
    private bool TookTier(Utf8JsonReader reader, string at)
    {
        if (at != "/usage" || !reader.ValueTextEquals("service_tier"u8))
        {
            return false;
        }

        reader.Read();
        string? common = reader.TokenType == JsonTokenType.String && !reader.HasValueSequence ? ServiceTierWord.Common(reader.ValueSpan) : null;
        if (_tier is null && common is not null)
        {
            (_tier, _tierPointer) = (common, "/usage/service_tier");
            TellTier();
        }

        // What was told above already is told where every protocol has a word for it.
        return common is not null && common == _tier && (_tierPointer == "/usage/service_tier" || common == ServiceTierWord.Standard);
    }

    /// <summary>
    /// What fills a chunk up so that its length tells nothing: OpenAI's <c>obfuscation</c>, which is random, and Mistral's <c>p</c>, which is as many letters of the alphabet.
    /// </summary>
    private static bool IsPadding(Utf8JsonReader reader)
    {
        bool isRandom = reader.ValueTextEquals("obfuscation"u8);
        if (!isRandom && !reader.ValueTextEquals("p"u8))
        {
            return false;
        }

        reader.Read();
        return reader.TokenType == JsonTokenType.String && (isRandom || IsAlphabet(reader.ValueSpan));
    }

    private static bool IsAlphabet(ReadOnlySpan<byte> text)
    {
        int letters = Math.Min(text.Length, Alphabet.Length);
        return text[..letters].SequenceEqual(Alphabet[..letters]) && text[letters..].IndexOfAnyExceptInRange((byte)'0', (byte)'z') < 0;
    }

    private static ReadOnlySpan<byte> Alphabet => "abcdefghijklmnopqrstuvwxyz"u8;

    /// <summary>Skips a property's value: nothing is said by null, by an empty text, and by a list or object of nothing else.</summary>
    private static bool SaysSomething(ref Utf8JsonReader reader)
    {
        reader.Read();
        int depth = reader.CurrentDepth;
        bool says = false;
        do
        {
            says |= reader.TokenType is JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False
                || (reader.TokenType == JsonTokenType.String && !reader.ValueSpan.IsEmpty);
        }
        while ((reader.CurrentDepth > depth || reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject) && reader.Read());
        return says;
    }

    /// <summary>Figures that have no class of tokens, unless they are zero.</summary>
    private void NoteUnknownUsage(ReadOnlySpan<byte> usage)
    {
        if (!IsEverything)
        {
            return;
        }

        Utf8JsonReader reader = new(usage, s_readerOptions);
        reader.Read();
        NoteUnknownUsage(ref reader, "/usage", OpenAIChatUsage.TextCounts(usage));
    }

    private void NoteUnknownUsage(ref Utf8JsonReader reader, string at, in OpenAIChatTextCounts texts)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (OpenAIChatUsage.DetailsName(reader) is { } details)
            {
                reader.Read();
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    NoteUnknownUsage(ref reader, $"{at}/{details}", texts);
                }
                else
                {
                    reader.Skip();
                }
            }
            else if (OpenAIChatUsage.IsCounted(reader) || IsNoted(at, reader) || texts.IsAll(reader, at) || TookTier(reader, at))
            {
                reader.Read();
                reader.Skip();
            }
            else
            {
                string name = JsonText.Read(ref reader);
                Utf8JsonReader value = reader;
                value.Read();
                bool isZero = value.TokenType == JsonTokenType.Number && value.TryGetDouble(out double number) && number == 0;
                Note(at, name, SaysSomething(ref reader) && !isZero);
            }
        }
    }
}
