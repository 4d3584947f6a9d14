using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.CohereChat;

/// <summary>
/// Documents that an answer may cite: a text, or an object of fields with an id. Title and text have a place in the neutral form; other fields are joined to the text
/// where there is none, and kept for this protocol.
/// </summary>
internal static class CohereChatDocuments
{
    public static void Read(ref JsonCursor json, string at, List<Part> documents)
    {
        json.Expect(JsonTokenType.StartArray, "an array of documents", at);
        while (json.NextItem())
        {
            documents.Add(ReadOne(ref json, JsonCursor.Below(at, documents.Count)));
        }
    }

    public static DocumentPart ReadOne(ref JsonCursor json, string at)
    {
        if (json.Token == JsonTokenType.String)
        {
            return new DocumentPart(new MediaSource { MediaType = "text/plain" }, null, at) { Text = json.Text(at) };
        }

        json.Expect(JsonTokenType.StartObject, "a document", at);
        DocumentPart document = new(new MediaSource { MediaType = "text/plain" }, null, at);
        List<Extra> extras = [];
        while (json.NextProperty(out string name))
        {
            if (name == "data" && json.Token == JsonTokenType.StartObject)
            {
                document = ReadData(ref json, $"{at}/data", document, extras);
            }
            else
            {
                extras.Add(json.TakeExtra(name, at));
            }
        }

        return document with { Extras = extras };
    }

    private static DocumentPart ReadData(ref JsonCursor json, string at, DocumentPart document, List<Extra> extras)
    {
        string? title = null;
        string? text = null;
        while (json.NextProperty(out string name))
        {
            switch (name)
            {
                case "title" when json.Token == JsonTokenType.String:
                    title = json.Text($"{at}/title");
                    break;
                case "text" when json.Token == JsonTokenType.String:
                    text = json.Text($"{at}/text");
                    break;
                default:
                    extras.Add(json.TakeExtra(name, at));
                    break;
            }
        }

        return document with { Name = title, Text = text ?? Joined(extras, at) };
    }

    /// <summary>Fields of other names, one in a line: without a text they are all that the document says.</summary>
    private static string Joined(List<Extra> extras, string at)
    {
        StringBuilder text = new();
        foreach (Extra extra in extras.Where(extra => extra.Pointer.StartsWith(at, StringComparison.Ordinal)))
        {
            using JsonDocument value = JsonDocument.Parse(extra.Value.Utf8);
            text.Append(text.Length > 0 ? "\n" : "").Append(extra.Name).Append(": ").Append(value.RootElement.ToString());
        }

        return text.ToString();
    }

    /// <summary>Writes a document, the caller's own as it came.</summary>
    public static void Write(Utf8JsonWriter json, DocumentPart document, string? id, bool isOwn)
    {
        if (isOwn && document.Name is null && document.Extras.Count == 0)
        {
            json.WriteStringValue(document.Text);
            return;
        }

        string at = $"{document.Pointer}/data";
        json.WriteStartObject();
        if (id is not null)
        {
            json.WriteString("id"u8, id);
        }

        WriteExtras(json, document.Extras, document.Pointer, isOwn);
        json.WriteStartObject("data"u8);
        if (document.Name is not null)
        {
            json.WriteString("title"u8, document.Name);
        }

        bool isJoined = isOwn && document.Text == Joined([.. document.Extras], at);
        if (!isJoined)
        {
            json.WriteString("text"u8, document.Text);
        }

        WriteExtras(json, document.Extras, at, isOwn);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteExtras(Utf8JsonWriter json, IReadOnlyList<Extra> extras, string at, bool isOwn)
    {
        foreach (Extra extra in extras)
        {
            if (isOwn && extra.Pointer == JsonCursor.Below(at, extra.Name))
            {
                json.WritePropertyName(extra.Name);
                extra.Value.WriteTo(json);
            }
        }
    }
}
