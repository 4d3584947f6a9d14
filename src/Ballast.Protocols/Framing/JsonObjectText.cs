using System.Text;
using System.Text.Json;

namespace Ballast.Protocols.Framing;

/// <summary>Argument text of tool calls for protocols that want a JSON object in its place.</summary>
internal static class JsonObjectText
{
    /// <summary>Name under which text that is no object is kept.</summary>
    public const string WrapName = "_raw";

    /// <summary>True where the text can go as it is; nothing at all counts as an empty object.</summary>
    public static bool IsObject(string text) => string.IsNullOrWhiteSpace(text) || IsObject(Encoding.UTF8.GetBytes(text));

    /// <summary>Writes the text as an object; false where it was none and had to be wrapped into one.</summary>
    public static bool Write(Utf8JsonWriter json, string text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            json.WriteStartObject();
            json.WriteEndObject();
            return true;
        }

        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        if (IsObject(utf8))
        {
            json.WriteRawValue(utf8, skipInputValidation: true);
            return true;
        }

        json.WriteStartObject();
        json.WriteString(WrapName, text);
        json.WriteEndObject();
        return false;
    }

    private static bool IsObject(ReadOnlySpan<byte> utf8)
    {
        try
        {
            Utf8JsonReader json = new(utf8, new JsonReaderOptions { MaxDepth = JsonCursor.DepthMax });
            json.Read();
            bool isObject = json.TokenType == JsonTokenType.StartObject;
            json.Skip();
            return isObject && !json.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
