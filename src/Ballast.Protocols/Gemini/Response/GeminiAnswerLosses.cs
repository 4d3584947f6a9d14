using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Gemini;

/// <summary>Names fields of an answer that no other protocol has, unless they say nothing. Pointers lead into the answer as a whole, also where it came in chunks.</summary>
internal sealed class GeminiAnswerLosses(LossReport losses)
{
    private static readonly string[] s_usageFields =
    [
        "promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "cachedContentTokenCount", "toolUsePromptTokenCount", "totalTokenCount", "cacheWriteTokenCount",
        "cacheWriteLongTokenCount",
    ];

    private static readonly string[] s_partFields = ["text", "thought", "thoughtSignature", "functionCall"];

    private static readonly string[] s_callFields = ["id", "name", "args"];

    /// <param name="json">The usage.</param>
    /// <param name="tier">The service tier that is told by an event of its own; what says the same, or is where it came from, is no loss.</param>
    public void NoteUsage(ReadOnlySpan<byte> json, string? tier)
    {
        List<string> known = [.. s_usageFields];
        foreach (string name in tier is null ? [] : (ReadOnlySpan<string>)["serviceTier", "trafficType"])
        {
            if (Says(json, name, tier!))
            {
                known.Add(name);
            }
        }

        GeminiModalities.AddPlain(json, known);
        NoteRest(json, "/usageMetadata", [.. known]);
    }

    private static bool Says(ReadOnlySpan<byte> json, string name, string tier)
    {
        Utf8JsonReader reader = new(json, GeminiCursor.ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isIt = reader.ValueTextEquals(name);
            reader.Read();
            if (isIt && reader.TokenType == JsonTokenType.String && ServiceTierWord.Common(reader.ValueSpan) == tier)
            {
                return true;
            }

            reader.Skip();
        }

        return false;
    }

    public void NotePart(ReadOnlySpan<byte> json, string pointer) => NoteRest(json, pointer, s_partFields);

    public void NoteCall(ReadOnlySpan<byte> json, string pointer) => NoteRest(json, pointer, s_callFields);

    /// <summary>Names the property at which the reader stands, and skips its value.</summary>
    public void Note(ref Utf8JsonReader reader, string at)
    {
        string name = JsonText.Read(ref reader);
        if (SaysSomething(ref reader))
        {
            losses.AddInResponse(GeminiCursor.Below(at, name), $"The field {name} cannot cross protocols.");
        }
    }

    /// <summary>Names all properties of an object but the known ones.</summary>
    public void NoteRest(ReadOnlySpan<byte> json, string at, string[] known)
    {
        Utf8JsonReader reader = new(json, GeminiCursor.ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (IsAny(reader, known))
            {
                reader.Read();
                reader.Skip();
            }
            else
            {
                Note(ref reader, at);
            }
        }
    }

    private static bool IsAny(in Utf8JsonReader reader, string[] names)
    {
        foreach (string name in names)
        {
            if (reader.ValueTextEquals(name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Skips a property's value: nothing is said by null, by an empty text, and by a list or object of nothing else.</summary>
    private static bool SaysSomething(ref Utf8JsonReader reader)
    {
        reader.Read();
        int depth = reader.CurrentDepth;
        bool says = false;
        do
        {
            says |= reader.TokenType is JsonTokenType.True or JsonTokenType.False or JsonTokenType.Number
                || (reader.TokenType == JsonTokenType.String && !reader.ValueSpan.IsEmpty);
        }
        while ((reader.CurrentDepth > depth || reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject) && reader.Read());
        return says;
    }
}
