using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// References of an answer's text: <c>groundingMetadata</c>, which usually comes with the last chunk, and <c>citationMetadata</c>. Their places are counted in bytes of all the
/// text; the neutral ones in UTF-16 code units of one part.
/// </summary>
internal sealed class GeminiCitations(LossReport losses)
{
    private const string GroundingPointer = "/candidates/0/groundingMetadata";

    private const string CitationsPointer = "/candidates/0/citationMetadata/citations";

    private static readonly string[] s_groundingFields = ["groundingChunks", "groundingSupports"];

    private readonly StringBuilder _text = new();
    private readonly List<(int Part, int Start)> _parts = [];
    private int[] _bytes = [];

    /// <summary>More text of a part.</summary>
    public void Advance(int part, string text)
    {
        if (_parts.Count == 0 || _parts[^1].Part != part)
        {
            _parts.Add((part, _text.Length));
        }

        _text.Append(text);
    }

    public void ReadGrounding(ReadOnlySpan<byte> json, List<ChatEvent> events)
    {
        new GeminiAnswerLosses(losses).NoteRest(json, GroundingPointer, s_groundingFields);
        using JsonDocument document = JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { MaxDepth = GeminiCursor.DepthMax });
        List<(string? Url, string? Title, string? Text)> sources = [.. Items(document.RootElement, "groundingChunks"u8).Select(ReadSource)];
        bool[] isUsed = new bool[sources.Count];
        int at = -1;
        foreach (JsonElement support in Items(document.RootElement, "groundingSupports"u8))
        {
            at++;
            string pointer = GeminiCursor.Below(GroundingPointer + "/groundingSupports", at);
            (int part, int? start, int? end) = support.TryGetProperty("segment"u8, out JsonElement segment) && segment.ValueKind == JsonValueKind.Object
                ? PlaceOf(Number(segment, "startIndex"u8) ?? 0, Number(segment, "endIndex"u8))
                : PlaceOf(0, null);
            string? quoted = segment.ValueKind == JsonValueKind.Object ? Text(segment, "text"u8) : null;
            foreach (JsonElement index in Items(support, "groundingChunkIndices"u8))
            {
                if (index.TryGetInt32(out int source) && source >= 0 && source < sources.Count)
                {
                    isUsed[source] = true;
                    Add(events, part, sources[source], quoted, start, end, pointer);
                }
            }
        }

        for (int i = 0; i < sources.Count; i++)
        {
            if (!isUsed[i])
            {
                Add(events, PlaceOf(0, null).Part, sources[i], sources[i].Text, null, null, GeminiCursor.Below(GroundingPointer + "/groundingChunks", i));
            }
        }
    }

    public void ReadCitations(ReadOnlySpan<byte> json, List<ChatEvent> events)
    {
        using JsonDocument document = JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { MaxDepth = GeminiCursor.DepthMax });
        int at = -1;
        foreach (JsonElement citation in Items(document.RootElement, "citations"u8))
        {
            at++;
            if (citation.ValueKind != JsonValueKind.Object || Text(citation, "uri"u8) is not string url)
            {
                continue;
            }

            (int part, int? start, int? end) = PlaceOf(Number(citation, "startIndex"u8) ?? 0, Number(citation, "endIndex"u8));
            Add(events, part, (url, Text(citation, "title"u8), null), null, start, end, GeminiCursor.Below(CitationsPointer, at));
        }
    }

    private void Add(
        List<ChatEvent> events, int part, (string? Url, string? Title, string? Text) source, string? quoted, int? start, int? end, string pointer)
    {
        if (_parts.Count == 0)
        {
            losses.AddInResponse(pointer, "A reference without a text.");
            return;
        }

        events.Add(new Cited(part, source.Url, source.Title, quoted ?? source.Text, start, end) { Pointer = pointer });
    }

    private static (string? Url, string? Title, string? Text) ReadSource(JsonElement chunk)
    {
        if (chunk.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty kind in chunk.EnumerateObject())
            {
                if (kind.Value.ValueKind == JsonValueKind.Object)
                {
                    return (Text(kind.Value, "uri"u8), Text(kind.Value, "title"u8), Text(kind.Value, "text"u8));
                }
            }
        }

        return default;
    }

    /// <summary>The part in which a place lies, and the place within it.</summary>
    private (int Part, int? Start, int? End) PlaceOf(int startByte, int? endByte)
    {
        if (_parts.Count == 0)
        {
            return default;
        }

        int start = UnitOf(startByte);
        int at = _parts.Count - 1;
        while (at > 0 && _parts[at].Start > start)
        {
            at--;
        }

        return endByte is { } end
            ? (_parts[at].Part, start - _parts[at].Start, Math.Max(start, UnitOf(end)) - _parts[at].Start)
            : (_parts[at].Part, null, null);
    }

    /// <summary>The UTF-16 code unit at a byte of the text's UTF-8.</summary>
    private int UnitOf(int wanted)
    {
        if (_bytes.Length != _text.Length + 1)
        {
            // The byte at which each unit begins, found once: references may be many.
            _bytes = new int[_text.Length + 1];
            int unit = 0;
            int position = 0;
            foreach (ReadOnlyMemory<char> piece in _text.GetChunks())
            {
                foreach (char letter in piece.Span)
                {
                    _bytes[unit++] = position;
                    position += letter < 0x80 ? 1 : letter < 0x800 ? 2 : char.IsSurrogate(letter) ? 2 : 3;
                }
            }

            _bytes[unit] = position;
        }

        int found = Array.BinarySearch(_bytes, wanted);
        return found >= 0 ? found : Math.Min(~found, _text.Length);
    }

    private static JsonElement.ArrayEnumerator Items(JsonElement node, ReadOnlySpan<byte> name) =>
        node.ValueKind == JsonValueKind.Object && node.TryGetProperty(name, out JsonElement items) && items.ValueKind == JsonValueKind.Array
            ? items.EnumerateArray()
            : default;

    private static string? Text(JsonElement node, ReadOnlySpan<byte> name) =>
        node.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static int? Number(JsonElement node, ReadOnlySpan<byte> name) =>
        node.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number : null;
}
