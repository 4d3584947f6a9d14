using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>
/// Reasoning on its way to a client: its text as <c>reasoning_content</c>; beside it, in <c>reasoning_details</c>, each part that has an issuer, text and marked
/// signature together, so that a client that sends the message back as it came sends back everything the issuer must have.
/// </summary>
internal sealed class OpenAIChatThinking(string vendor)
{
    private readonly StringBuilder _whole = new();
    private readonly List<Detail> _details = [];
    private readonly StringBuilder _text = new();
    private int _part = -1;
    private int _taken;

    /// <summary>True where the event is one of reasoning.</summary>
    public bool Take(ChatEvent chatEvent)
    {
        switch (chatEvent)
        {
            case ThinkingDelta delta:
                Follow(delta.Part);
                _text.Append(delta.Text);
                _whole.Append(delta.Text);
                return true;
            case ThinkingSigned signed:
                Follow(signed.Part);
                _details.Add(new Detail(_text.ToString(), ForeignThinking.Wrap(signed.Issuer, signed.Signature), null));
                Clear();
                return true;
            case ThinkingRedacted redacted:
                Close();
                _details.Add(new Detail(null, null, ForeignThinking.Wrap(redacted.Issuer, redacted.Data)));
                return true;
            default:
                return false;
        }
    }

    /// <summary>Ends the part at hand: one that nobody signed is marked with its maker alone.</summary>
    public void Close()
    {
        if (_text.Length > 0 && vendor.Length > 0)
        {
            _details.Add(new Detail(_text.ToString(), ForeignThinking.Wrap(vendor, null), null));
        }

        Clear();
    }

    private void Follow(int part)
    {
        if (part != _part)
        {
            Close();
            _part = part;
        }
    }

    private void Clear()
    {
        _text.Clear();
        _part = -1;
    }

    /// <summary>Writes both fields of a whole message.</summary>
    public void WriteWhole(Utf8JsonWriter json)
    {
        Close();
        if (_whole.Length > 0)
        {
            json.WriteString("reasoning_content"u8, _whole.ToString());
        }

        WriteNewDetails(json);
    }

    public bool HasNewDetails => _taken < _details.Count;

    /// <summary>Writes the details that were not yet written.</summary>
    public void WriteNewDetails(Utf8JsonWriter json)
    {
        if (!HasNewDetails)
        {
            return;
        }

        json.WriteStartArray("reasoning_details"u8);
        for (; _taken < _details.Count; _taken++)
        {
            Detail detail = _details[_taken];
            json.WriteStartObject();
            if (detail.Data is not null)
            {
                json.WriteString("type"u8, "reasoning.encrypted"u8);
                json.WriteString("data"u8, detail.Data);
            }
            else
            {
                json.WriteString("type"u8, "reasoning.text"u8);
                json.WriteString("text"u8, detail.Text);
                json.WriteString("signature"u8, detail.Signature);
            }

            json.WriteNumber("index"u8, _taken);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private sealed record Detail(string? Text, string? Signature, string? Data);
}
