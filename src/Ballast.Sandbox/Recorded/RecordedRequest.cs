using System.Text;
using System.Text.Json;
using Ballast.Sandbox.Recorded;

namespace Ballast.Sandbox;

/// <summary>The body of a recorded request, made ready to be sent again: only its model's name changes.</summary>
public static class RecordedRequest
{
    /// <summary>The body with another model; where the real address held the model, it is put in front. Every other byte stays.</summary>
    public static byte[] WithModel(ReadOnlyMemory<byte> body, string model)
    {
        string name = $"\"{JsonEncodedText.Encode(model)}\"";
        Utf8JsonReader reader = new(body.Span, new JsonReaderOptions { MaxDepth = 256 });
        bool isEmpty = true;
        while (reader.Read())
        {
            if (reader.CurrentDepth != 1 || reader.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }

            isEmpty = false;
            bool isModel = reader.ValueTextEquals("model"u8);
            reader.Read();
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (isModel)
            {
                return [.. body.Span[..start], .. Encoding.UTF8.GetBytes(name), .. body.Span[(int)reader.BytesConsumed..]];
            }
        }

        return [.. Encoding.UTF8.GetBytes($"{{\"model\":{name}{(isEmpty ? "" : ",")}"), .. body.Span[1..]];
    }

    /// <summary>A request that could have led to an answer whose request was not recorded.</summary>
    public static byte[] Stand(string api, bool isStream)
    {
        string limit = api == WireApi.Messages ? ",\"max_tokens\":1024" : "";
        string stream = !isStream ? "" : api == WireApi.Messages ? ",\"stream\":true" : ",\"stream\":true,\"stream_options\":{\"include_usage\":true}";
        return Encoding.UTF8.GetBytes($"{{\"messages\":[{{\"role\":\"user\",\"content\":\"What was asked was not recorded.\"}}]{limit}{stream}}}");
    }

    /// <summary>The model that the body asks for, or null.</summary>
    public static string? ModelOf(ReadOnlyMemory<byte> body)
    {
        using JsonDocument? document = JsonWalk.TryParse(body);
        return document is null ? null : JsonWalk.Text(document.RootElement, "model");
    }

    /// <summary>The body asks for a streamed answer.</summary>
    public static bool IsStream(ReadOnlyMemory<byte> body)
    {
        using JsonDocument? document = JsonWalk.TryParse(body);
        return document is not null && JsonWalk.Get(document.RootElement, "stream") is { ValueKind: JsonValueKind.True };
    }

    /// <summary>The caller gets to see the tokens: it asked for them, or its protocol or the whole answer tells them anyway.</summary>
    public static bool AsksForUsage(string api, ReadOnlyMemory<byte> body)
    {
        using JsonDocument? document = JsonWalk.TryParse(body);
        return api == WireApi.Messages || document is null || JsonWalk.Get(document.RootElement, "stream") is not { ValueKind: JsonValueKind.True }
            || (JsonWalk.Get(document.RootElement, "stream_options") is { } options && JsonWalk.Get(options, "include_usage") is { ValueKind: JsonValueKind.True });
    }
}
