using System.Text;
using System.Text.Json;

namespace Ballast.Protocols.Framing;

/// <summary>Argument text of tool calls for protocols that want a JSON object in its place.</summary>
internal static class JsonObjectText
{
    /// <summary>Name under which text that is no object is kept.</summary>
    public const string WrapName = "raw_arguments";

    /// <summary>True where the text can go as it is; nothing at all counts as an empty object.</summary>
    public static bool IsObject(string text) => string.IsNullOrWhiteSpace(text) || IsObject(Encoding.UTF8.GetBytes(text));

    /// <summary>Writes the text as an object, nothing as <c>{}</c>; false where it was none and had to be wrapped into one.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="text">The arguments.</param>
    /// <param name="onOneLine">Line breaks, which JSON may have outside of strings only, become spaces: one would end an event or a line of a stream.</param>
    public static bool Write(Utf8JsonWriter json, string text, bool onOneLine = false)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            json.WriteStartObject();
            json.WriteEndObject();
            return true;
        }

        if (IsObject(text))
        {
            json.WriteRawValue(onOneLine ? text.Replace('\n', ' ').Replace('\r', ' ') : text, skipInputValidation: true);
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
