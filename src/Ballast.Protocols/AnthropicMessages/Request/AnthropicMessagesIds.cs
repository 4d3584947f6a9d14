using System.Text;
using System.Text.Json;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>
/// Ids and names as this API allows them (<c>^[a-zA-Z0-9_-]+$</c>), and arguments as it wants them (a JSON object). The mapping is a pure function: a call and its result
/// are mapped alike in every request of a conversation, without memory.
/// </summary>
internal static class AnthropicMessagesIds
{
    /// <summary>Longest tool name.</summary>
    public const int NameLengthMax = 128;

    /// <summary>
    /// Writes arguments as an object: nothing becomes <c>{}</c>, text that is no JSON object goes under <paramref name="wrapName"/>, and then the answer is false.
    /// </summary>
    public static bool WriteArguments(Utf8JsonWriter json, string arguments, string wrapName)
    {
        if (string.IsNullOrWhiteSpace(arguments))
        {
            json.WriteStartObject();
            json.WriteEndObject();
            return true;
        }

        byte[] utf8 = Encoding.UTF8.GetBytes(arguments);
        if (IsObject(utf8))
        {
            json.WriteRawValue(utf8, skipInputValidation: true);
            return true;
        }

        json.WriteStartObject();
        json.WriteString(wrapName, arguments);
        json.WriteEndObject();
        return false;
    }

    /// <summary>True where the arguments can go as they are; nothing at all counts as an empty object.</summary>
    public static bool IsObject(string arguments) => string.IsNullOrWhiteSpace(arguments) || IsObject(Encoding.UTF8.GetBytes(arguments));

    private static bool IsObject(ReadOnlySpan<byte> utf8)
    {
        try
        {
            Utf8JsonReader json = new(utf8, AnthropicMessagesJson.ReaderOptions);
            json.Read();
            if (json.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            json.Skip();
            return !json.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
