using System.Text;
using System.Text.Json;

namespace Ballast.Guards.Constitution;

/// <summary>What bodies say that are otherwise only passed on: the strings of JSON, the fields of a form that are text, the pieces of a stream put together, or plain text.</summary>
public static class PlainTexts
{
    /// <summary>Longest field of a form that is taken for text, in bytes; files are longer, and of a longer text the beginning is read.</summary>
    private const int FieldBytesMax = 1 << 20;

    private const int PartsMax = 256;

    // Places beside those of choices.
    private const int TranscriptPieces = -2;
    private const int TranscriptWhole = -1;

    /// <summary>Names whose values are no words of anybody's.</summary>
    private static readonly HashSet<string> s_silent = new(StringComparer.Ordinal) { "model", "id", "object", "b64_json", "logprobs", "encoding_format", "response_format" };

    /// <summary>All that a request says, and whether it holds tokens in the place of text, which nobody can read.</summary>
    public static (IReadOnlyList<string> Texts, bool HasTokens) OfRequest(ReadOnlySpan<byte> body)
    {
        if (body.StartsWith("--"u8))
        {
            return (Fields(body), false);
        }

        List<string> texts = [];
        return (texts, ReadJson(body, texts));
    }

    /// <summary>All that an answer says: JSON, server-sent events, or text as it is.</summary>
    public static string OfAnswer(ReadOnlySpan<byte> answer)
    {
        List<string> texts = [];
        ReadOnlySpan<byte> told = answer.TrimStart(" \t\r\n"u8);
        if (told is [(byte)'{', ..])
        {
            ReadJson(told, texts);
            return string.Join('\n', texts);
        }

        if (!told.StartsWith("data:"u8) && !told.StartsWith("event:"u8) && !told.StartsWith(":"u8))
        {
            return Encoding.UTF8.GetString(answer);
        }

        SortedDictionary<int, StringBuilder> pieces = [];
        foreach (Range range in told.Split((byte)'\n'))
        {
            if (told[range].StartsWith("data:"u8))
            {
                TakeEvent(told[range]["data:".Length..].Trim(" \r"u8), pieces);
            }
        }

        return string.Join('\n', pieces.Values);
    }

    /// <summary>A word may be cut anywhere: the pieces of each choice of old completions are put together, and those of a transcription, whose last event says it all once more.</summary>
    private static void TakeEvent(ReadOnlySpan<byte> data, SortedDictionary<int, StringBuilder> pieces)
    {
        try
        {
            Utf8JsonReader reader = new(data);
            using JsonDocument told = JsonDocument.ParseValue(ref reader);
            if (told.RootElement.ValueKind != JsonValueKind.Object)
            {
                return;
            }

            if (told.RootElement.TryGetProperty("choices"u8, out JsonElement choices) && choices.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement choice in choices.EnumerateArray())
                {
                    int index = choice.TryGetProperty("index"u8, out JsonElement number) && number.TryGetInt32(out int written) ? written : 0;
                    Add(choice, "text"u8, index);
                }
            }

            Add(told.RootElement, "delta"u8, TranscriptPieces);
            Add(told.RootElement, "text"u8, TranscriptWhole);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // [DONE], or nothing that anybody could read.
        }

        void Add(JsonElement from, ReadOnlySpan<byte> name, int place)
        {
            if (from.TryGetProperty(name, out JsonElement text) && text.ValueKind == JsonValueKind.String)
            {
                (pieces.TryGetValue(place, out StringBuilder? known) ? known : pieces[place] = new StringBuilder()).Append(text.GetString());
            }
        }
    }

    /// <summary>True where it holds lists of numbers; what is no JSON says nothing.</summary>
    private static bool ReadJson(ReadOnlySpan<byte> body, List<string> texts)
    {
        bool hasTokens = false, isSilent = false;
        int silentDepth = int.MaxValue;
        Utf8JsonReader reader = new(body);
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        isSilent = s_silent.Contains(TextOf(reader));
                        break;
                    case JsonTokenType.StartArray or JsonTokenType.StartObject:
                        silentDepth = isSilent ? Math.Min(silentDepth, reader.CurrentDepth) : silentDepth;
                        isSilent = false;
                        break;
                    case JsonTokenType.EndArray or JsonTokenType.EndObject:
                        silentDepth = reader.CurrentDepth == silentDepth ? int.MaxValue : silentDepth;
                        break;
                    case JsonTokenType.String when !isSilent && reader.CurrentDepth <= silentDepth && !reader.ValueSpan.StartsWith("data:"u8):
                        texts.Add(TextOf(reader));
                        break;
                    default:
                        break;
                }

                hasTokens |= reader.TokenType == JsonTokenType.StartArray && IsNumber(body[(int)reader.BytesConsumed..]);
                isSilent &= reader.TokenType == JsonTokenType.PropertyName;
            }
        }
        catch (JsonException)
        {
            // [DONE], or nothing that anybody could read.
        }

        return hasTokens;
    }

    private static string TextOf(in Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Encoding.UTF8.GetString(reader.ValueSpan); // half a character, escaped: read as it stands
        }
    }

    private static bool IsNumber(ReadOnlySpan<byte> rest) => rest.TrimStart(" \t\r\n"u8) is [(>= (byte)'0' and <= (byte)'9') or (byte)'-', ..];

    private static List<string> Fields(ReadOnlySpan<byte> form)
    {
        List<string> texts = [];
        int lineEnd = form.IndexOf("\r\n"u8);
        if (lineEnd < 0)
        {
            return texts;
        }

        byte[] boundary = [.. "\r\n"u8, .. form[..lineEnd]];
        ReadOnlySpan<byte> rest = form[lineEnd..];
        for (int part = 0; part < PartsMax; part++)
        {
            int head = rest.IndexOf("\r\n\r\n"u8);
            int end = head < 0 ? -1 : rest[(head + 4)..].IndexOf(boundary);
            if (end < 0)
            {
                break;
            }

            ReadOnlySpan<byte> value = rest.Slice(head + 4, Math.Min(end, FieldBytesMax));
            if (rest[..head].IndexOf("filename"u8) < 0 && rest[..head].IndexOf("name=\"model\""u8) < 0)
            {
                texts.Add(Encoding.UTF8.GetString(value));
            }

            rest = rest[(head + 4 + end + boundary.Length)..];
        }

        return texts;
    }
}
