using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>References on their way to a client: <c>groundingMetadata</c> of the last chunk, its places counted in bytes of all the text.</summary>
internal sealed class GeminiGrounding
{
    /// <summary>Longest piece of text repeated in a reference, in UTF-16 code units.</summary>
    private const int SegmentLengthMax = 2048;

    private readonly List<Cited> _cited = [];
    private readonly Dictionary<int, int> _indices = [];
    private readonly StringBuilder _text = new();
    private readonly List<(int Part, int Start)> _parts = [];

    public void Advance(int part, string text)
    {
        if (_parts.Count == 0 || _parts[^1].Part != part)
        {
            _indices.TryAdd(part, _parts.Count);
            _parts.Add((part, _text.Length));
        }

        _text.Append(text);
    }

    public void Add(Cited cited) => _cited.Add(cited);

    public void Write(Utf8JsonWriter json)
    {
        if (_cited.Count == 0)
        {
            return;
        }

        Dictionary<(string?, string?, string?), int> sources = [];
        foreach (Cited cited in _cited)
        {
            sources.TryAdd(SourceOf(cited), sources.Count);
        }

        json.WriteStartObject("groundingMetadata"u8);
        json.WriteStartArray("groundingChunks"u8);
        foreach ((string? url, string? title, string? text) in sources.Keys)
        {
            WriteSource(json, url, title, text);
        }

        json.WriteEndArray();
        json.WriteStartArray("groundingSupports"u8);
        int[] bytes = Bytes();
        foreach (Cited cited in _cited)
        {
            WriteSupport(json, cited, sources[SourceOf(cited)], bytes);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    // A source without an address is a document of the request: its own words tell it from others.
    private static (string?, string?, string?) SourceOf(Cited cited) => (cited.Url, cited.Title, cited.Url is null ? cited.QuotedText : null);

    private static void WriteSource(Utf8JsonWriter json, string? url, string? title, string? text)
    {
        json.WriteStartObject();
        json.WriteStartObject(url is null ? "retrievedContext"u8 : "web"u8);
        if (url is not null)
        {
            json.WriteString("uri"u8, url);
        }

        if (title is not null)
        {
            json.WriteString("title"u8, title);
        }

        if (text is not null)
        {
            json.WriteString("text"u8, text);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteSupport(Utf8JsonWriter json, Cited cited, int source, int[] bytes)
    {
        json.WriteStartObject();
        if (_indices.TryGetValue(cited.Part, out int at))
        {
            int begin = _parts[at].Start;
            int end = at + 1 < _parts.Count ? _parts[at + 1].Start : _text.Length;
            int start = Math.Clamp(begin + (cited.Start ?? 0), begin, end);
            int stop = Math.Clamp(cited.End is { } last ? begin + last : end, start, end);
            json.WriteStartObject("segment"u8);
            json.WriteNumber("startIndex"u8, bytes[start]);
            json.WriteNumber("endIndex"u8, bytes[stop]);
            if (cited.End is not null && stop - start <= SegmentLengthMax)
            {
                json.WriteString("text"u8, _text.ToString(start, stop - start));
            }

            json.WriteEndObject();
        }

        json.WriteStartArray("groundingChunkIndices"u8);
        json.WriteNumberValue(source);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private int[] Bytes()
    {
        int[] bytes = new int[_text.Length + 1];
        int unit = 0;
        int position = 0;
        foreach (ReadOnlyMemory<char> piece in _text.GetChunks())
        {
            foreach (char letter in piece.Span)
            {
                bytes[unit++] = position;
                position += letter < 0x80 ? 1 : letter < 0x800 ? 2 : char.IsSurrogate(letter) ? 2 : 3;
            }
        }

        bytes[unit] = position;
        return bytes;
    }
}
