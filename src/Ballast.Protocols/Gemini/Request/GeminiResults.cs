using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// A function's result must be an object here, and text elsewhere. Text goes in under <c>output</c> or <c>error</c>, the names that the API documents, and is never taken
/// apart: within an object the API reads <c>$ref</c> as a reference. An object that says nothing else than such a text is read as that text.
/// </summary>
internal static class GeminiResults
{
    public static string Read(RawJson response, out bool isError)
    {
        using JsonDocument document = JsonDocument.Parse(response.Utf8, new JsonDocumentOptions { MaxDepth = GeminiCursor.DepthMax });
        isError = false;
        JsonElement root = document.RootElement;
        if (root.GetPropertyCount() == 1)
        {
            JsonProperty only = root.EnumerateObject().First();
            isError = only.NameEquals("error"u8);
            if (only.Value.ValueKind == JsonValueKind.String && (isError || only.NameEquals("output"u8) || only.NameEquals("result"u8) || only.NameEquals("content"u8)))
            {
                return only.Value.GetString()!;
            }
        }

        return response.ToString();
    }

    public static void Write(Utf8JsonWriter json, string text, bool isError)
    {
        json.WriteStartObject("response"u8);
        json.WriteString(isError ? "error"u8 : "output"u8, text);
        json.WriteEndObject();
    }
}
