using System.Runtime.InteropServices;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>The fields of a response object that repeat its request: SDKs demand most of them. What the caller left out has the API's default.</summary>
internal sealed class OpenAIResponsesEcho(WriterOptions options)
{
    /// <summary>Names, and the defaults as JSON.</summary>
    private static readonly (string Name, string Default)[] s_fields =
    [
        ("instructions", "null"),
        ("max_output_tokens", "null"),
        ("max_tool_calls", "null"),
        ("parallel_tool_calls", "true"),
        ("prompt_cache_key", "null"),
        ("reasoning", """{"effort":null,"summary":null}"""),
        ("safety_identifier", "null"),
        ("service_tier", "\"default\""),
        ("temperature", "1.0"),
        ("text", """{"format":{"type":"text"}}"""),
        ("tool_choice", "\"auto\""),
        ("tools", "[]"),
        ("top_logprobs", "0"),
        ("top_p", "1.0"),
        ("truncation", "\"disabled\""),
        ("user", "null"),
        ("metadata", "{}"),
    ];

    private OpenAIResponsesToolNames? _names;
    private JsonDocument? _request;
    private bool _isRead;

    /// <param name="json">Takes the fields.</param>
    /// <param name="tier">The service tier of the answer; null where this API has no word for it.</param>
    /// <param name="isTierTold">The service tier is known: else the one that was asked for is repeated.</param>
    public void Write(Utf8JsonWriter json, string? tier, bool isTierTold)
    {
        AnswerState? state = options.State;
        json.WriteString("previous_response_id"u8, state?.PreviousResponseId);
        OpenAIResponsesStated.WriteConversation(json, state?.ConversationId);
        json.WriteBoolean("store"u8, state?.IsStored ?? false);
        JsonElement request = Request();
        foreach ((string name, string standard) in s_fields)
        {
            json.WritePropertyName(name);
            if (isTierTold && name == "service_tier")
            {
                json.WriteStringValue(tier);
            }
            else if (request.ValueKind == JsonValueKind.Object && request.TryGetProperty(name, out JsonElement asked) && asked.ValueKind != JsonValueKind.Null)
            {
                WriteLine(JsonMarshal.GetRawUtf8Value(asked), json);
            }
            else
            {
                json.WriteRawValue(standard, skipInputValidation: true);
            }
        }
    }

    /// <summary>Where the request declared the tool of this name; null where it stands alone.</summary>
    public ToolPlace? PlaceOf(string name) => (_names ??= OpenAIResponsesToolNames.Of(Request())).PlaceOf(name);

    /// <summary>A request may be written over many lines; an event of a stream must not be. Inside a string a line feed is escaped.</summary>
    private static void WriteLine(ReadOnlySpan<byte> value, Utf8JsonWriter json)
    {
        if (value.IndexOfAny((byte)'\n', (byte)'\r') < 0)
        {
            json.WriteRawValue(value, skipInputValidation: true);
            return;
        }

        byte[] line = value.ToArray();
        line.AsSpan().Replace((byte)'\n', (byte)' ');
        line.AsSpan().Replace((byte)'\r', (byte)' ');
        json.WriteRawValue(line, skipInputValidation: true);
    }

    private JsonElement Request()
    {
        if (!_isRead)
        {
            _isRead = true;
            _request = options.Request.IsEmpty ? null : JsonDocument.Parse(options.Request, new JsonDocumentOptions { MaxDepth = OpenAIResponsesPeek.DepthMax + 1 });
        }

        return _request?.RootElement ?? default;
    }
}
