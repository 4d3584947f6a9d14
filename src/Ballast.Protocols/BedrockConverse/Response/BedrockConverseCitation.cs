using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>A citation: title, source, the text quoted, and its place in a document, of which an address on the web is the only kind with a neutral form.</summary>
internal static class BedrockConverseCitation
{
    /// <param name="citation">The object.</param>
    /// <param name="part">The part whose text it belongs to.</param>
    /// <param name="pointer">Where it stands.</param>
    /// <param name="lost">Where its place stands, if that cannot cross.</param>
    public static Cited Read(ReadOnlySpan<byte> citation, int part, string pointer, out string? lost)
    {
        lost = null;
        string? url = null;
        string? title = null;
        string? quote = null;
        Utf8JsonReader json = new(citation, JsonFields.ReaderOptions);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            int field = json.ValueTextEquals("title"u8) ? 1
                : json.ValueTextEquals("source"u8) ? 2
                : json.ValueTextEquals("sourceContent"u8) ? 3
                : json.ValueTextEquals("location"u8) ? 4
                : 0;
            json.Read();
            if (field is 1 or 2 && json.TokenType == JsonTokenType.String)
            {
                string value = JsonText.Read(ref json);
                title = field == 1 ? value : title;
                url = field == 2 && value.StartsWith("http", StringComparison.Ordinal) ? value : url;
            }
            else if (field == 3)
            {
                quote = ReadTexts(json);
            }
            else if (field == 4 && ReadWeb(json) is { } address)
            {
                url = address;
            }
            else if (field == 4 && json.TokenType == JsonTokenType.StartObject)
            {
                lost = $"{pointer}/location";
            }

            json.Skip();
        }

        return new Cited(part, url, title, quote, null, null) { Pointer = pointer };
    }

    public static void Write(Utf8JsonWriter json, Cited cited)
    {
        if (cited.Title is not null)
        {
            json.WriteString("title"u8, cited.Title);
        }

        json.WriteStartArray("sourceContent"u8);
        if (cited.QuotedText is { Length: > 0 } quote)
        {
            json.WriteStartObject();
            json.WriteString("text"u8, quote);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (cited.Url is not null)
        {
            json.WriteStartObject("location"u8);
            json.WriteStartObject("web"u8);
            json.WriteString("url"u8, cited.Url);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    private static string? ReadTexts(Utf8JsonReader json)
    {
        string? joined = null;
        int depth = json.CurrentDepth;
        if (json.TokenType != JsonTokenType.StartArray)
        {
            return null;
        }

        while (json.Read() && json.CurrentDepth > depth)
        {
            bool isText = json.TokenType == JsonTokenType.PropertyName && json.ValueTextEquals("text"u8);
            if (isText && json.Read() && json.TokenType == JsonTokenType.String)
            {
                joined += JsonText.Read(ref json);
            }
        }

        return joined;
    }

    private static string? ReadWeb(Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject || !json.Read() || json.TokenType != JsonTokenType.PropertyName || !json.ValueTextEquals("web"u8))
        {
            return null;
        }

        json.Read();
        string? url = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isUrl = json.ValueTextEquals("url"u8);
            json.Read();
            url = isUrl && json.TokenType == JsonTokenType.String ? JsonText.Read(ref json) : url;
            json.Skip();
        }

        return url;
    }
}
