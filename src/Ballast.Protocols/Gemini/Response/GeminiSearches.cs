using System.Text.Json;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// The searches of the web that an answer tells of in <c>groundingMetadata.webSearchQueries</c>. Google bills each once, however often it is told, and none without words
/// (https://ai.google.dev/gemini-api/docs/google-search#pricing).
/// </summary>
internal sealed class GeminiSearches
{
    /// <summary>More are not told apart.</summary>
    private const int CountMax = 1000;

    private HashSet<string>? _queries;

    public int Count => _queries?.Count ?? 0;

    public void Read(ReadOnlySpan<byte> grounding)
    {
        Utf8JsonReader json = new(grounding, GeminiCursor.ReaderOptions);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isQueries = json.ValueTextEquals("webSearchQueries"u8) || json.ValueTextEquals("imageSearchQueries"u8);
            json.Read();
            if (!isQueries || json.TokenType != JsonTokenType.StartArray)
            {
                json.Skip();
                continue;
            }

            while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            {
                if (json.TokenType == JsonTokenType.String && !json.ValueSpan.IsEmpty && Count < CountMax)
                {
                    (_queries ??= new HashSet<string>(StringComparer.Ordinal)).Add(JsonText.Read(ref json));
                }

                json.Skip();
            }
        }
    }
}
