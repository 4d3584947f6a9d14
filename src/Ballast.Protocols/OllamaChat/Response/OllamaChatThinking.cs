using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OllamaChat;

/// <summary>
/// Reasoning on its way to a client: its text as <c>thinking</c>; beside it, in <c>thinking_details</c>, each part that has an issuer, text and marked signature together,
/// so that a client that sends the message back as it came sends back everything the issuer must have.
/// </summary>
internal sealed class OllamaChatThinking(string vendor)
{
    private readonly StringBuilder _whole = new();
    private readonly List<(string? Text, string Value)> _details = [];
    private readonly StringBuilder _text = new();
    private int _part = -1;
    private int _taken;

    public string Whole => _whole.ToString();

    public bool HasNewDetails => _taken < _details.Count;

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
                _details.Add((_text.ToString(), ForeignThinking.Wrap(signed.Issuer, signed.Signature)));
                Clear();
                return true;
            case ThinkingRedacted redacted:
                Close();
                _details.Add((null, ForeignThinking.Wrap(redacted.Issuer, redacted.Data)));
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
            _details.Add((_text.ToString(), ForeignThinking.Wrap(vendor, null)));
        }

        Clear();
    }

    /// <summary>Writes the details that were not yet written.</summary>
    public void WriteNewDetails(Utf8JsonWriter json)
    {
        if (!HasNewDetails)
        {
            return;
        }

        json.WriteStartArray(OllamaChatMessages.DetailsField);
        for (; _taken < _details.Count; _taken++)
        {
            (string? text, string value) = _details[_taken];
            json.WriteStartObject();
            if (text is not null)
            {
                json.WriteString("text"u8, text);
            }

            json.WriteString(text is null ? "data"u8 : "signature"u8, value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
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
}
