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
        const string text = "What was asked was not recorded.";
        string stream = isStream ? ",\"stream\":true" : "";
        string body = WireApi.FormOf(api) switch
        {
            WireApi.Messages when api == WireApi.Invoke => $$"""{"anthropic_version":"bedrock-2023-05-31","messages":[{"role":"user","content":"{{text}}"}],"max_tokens":1024}""",
            WireApi.Messages => $$"""{"messages":[{"role":"user","content":"{{text}}"}],"max_tokens":1024{{stream}}}""",
            WireApi.Gemini => $$"""{"contents":[{"role":"user","parts":[{"text":"{{text}}"}]}]}""",
            WireApi.Converse => $$"""{"messages":[{"role":"user","content":[{"text":"{{text}}"}]}]}""",
            WireApi.Responses => $$"""{"input":"{{text}}"{{stream}}}""",
            WireApi.Ollama => $$"""{"messages":[{"role":"user","content":"{{text}}"}],"stream":{{(isStream ? "true" : "false")}}}""",
            WireApi.Cohere => $$"""{"messages":[{"role":"user","content":"{{text}}"}]{{stream}}}""",
            _ => $$"""{"messages":[{"role":"user","content":"{{text}}"}]{{stream}}{{(isStream ? ",\"stream_options\":{\"include_usage\":true}" : "")}}}""",
        };
        return Encoding.UTF8.GetBytes(body);
    }

    /// <summary>A body of InvokeModel that is Claude's: it names the version of Anthropic's interface.</summary>
    public static bool IsOfClaude(ReadOnlyMemory<byte> body)
    {
        using JsonDocument? document = body.IsEmpty ? null : JsonWalk.TryParse(body);
        return document is not null && JsonWalk.Text(document.RootElement, "anthropic_version") is not null && JsonWalk.Get(document.RootElement, "messages") is not null;
    }

    /// <summary>The model that the body asks for, or null.</summary>
    public static string? ModelOf(ReadOnlyMemory<byte> body)
    {
        using JsonDocument? document = JsonWalk.TryParse(body);
        return document is null ? null : JsonWalk.Text(document.RootElement, "model");
    }

    /// <summary>The body has this field.</summary>
    public static bool Has(ReadOnlyMemory<byte> body, string field)
    {
        using JsonDocument? document = JsonWalk.TryParse(body);
        return document is not null && JsonWalk.Get(document.RootElement, field) is not null;
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
        return WireApi.FormOf(api) != WireApi.Chat || document is null || JsonWalk.Get(document.RootElement, "stream") is not { ValueKind: JsonValueKind.True }
            || (JsonWalk.Get(document.RootElement, "stream_options") is { } options && JsonWalk.Get(options, "include_usage") is { ValueKind: JsonValueKind.True });
    }
}
