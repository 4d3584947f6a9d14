using System.Security.Cryptography;
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

    private const int HashLength = 10;

    /// <summary>The id itself where it is legal; else its legal characters and a hash of the whole, so that two ids stay two.</summary>
    public static string Legal(string id, int lengthMax = int.MaxValue)
    {
        if (id.Length > 0 && id.Length <= lengthMax && id.All(IsLegal))
        {
            return id;
        }

        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..HashLength];
        string kept = string.Concat(id.Select(letter => IsLegal(letter) ? letter : '_'));
        return $"{kept[..Math.Min(kept.Length, Math.Min(lengthMax, NameLengthMax) - HashLength - 1)]}_{hash}";
    }

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

    private static bool IsLegal(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-';

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
