using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>Citations as <c>annotations</c>: their offsets count in the whole text of the message, not in its part.</summary>
internal sealed class OpenAIChatCitations
{
    private readonly Dictionary<int, long> _partStarts = [];
    private readonly List<(Cited Cited, long Start)> _citations = [];
    private long _length;
    private int _taken;

    public void Advance(int part, int length)
    {
        _partStarts.TryAdd(part, _length);
        _length += length;
    }

    public void Add(Cited cited, LossReport losses)
    {
        if (cited.Url is null)
        {
            losses.AddInResponse(cited.Pointer, "Chat Completions cites web pages only.");
            return;
        }

        _citations.Add((cited, _partStarts.GetValueOrDefault(cited.Part, _length)));
    }

    public bool HasNew => _taken < _citations.Count;

    /// <summary>Writes those that were not yet written.</summary>
    public void Write(Utf8JsonWriter json)
    {
        if (!HasNew)
        {
            return;
        }

        json.WriteStartArray("annotations"u8);
        for (; _taken < _citations.Count; _taken++)
        {
            (Cited cited, long start) = _citations[_taken];
            json.WriteStartObject();
            json.WriteString("type"u8, "url_citation"u8);
            json.WriteStartObject("url_citation"u8);
            json.WriteNumber("start_index"u8, start + (cited.Start ?? 0));
            json.WriteNumber("end_index"u8, cited.End is int end ? start + end : _length);
            json.WriteString("url"u8, cited.Url);
            json.WriteString("title"u8, cited.Title ?? "");
            if (cited.QuotedText is not null)
            {
                json.WriteString("content"u8, cited.QuotedText);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
