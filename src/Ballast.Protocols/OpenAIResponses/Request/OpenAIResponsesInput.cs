using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>
/// The input of a request and what was said before it: a vendor that keeps nothing gets the whole conversation, and what is kept here are items. Pure: where items
/// are kept is not known here.
/// </summary>
public static class OpenAIResponsesInput
{
    /// <summary>Most items of a conversation that one request may add.</summary>
    public const int AddedItemsMax = 20;

    /// <summary>Who issued the encrypted content of an answer: vendor and account, since another account of the same vendor cannot read it.</summary>
    public static string IssuerOf(string vendor, string account) => OpenAIResponsesReasoning.IssuerOf(vendor, account);

    /// <summary>The ids of items that the input only names, or whose reasoning may have been kept back.</summary>
    public static IReadOnlyList<string> ReferencesOf(ReadOnlyMemory<byte> body)
    {
        using JsonDocument document = Parse(body);
        List<string> ids = [];
        foreach (JsonElement item in ItemsOf(document.RootElement))
        {
            if (ReferenceOf(item) is { } id)
            {
                ids.Add(id);
            }
        }

        return ids;
    }

    /// <summary>The request with all earlier items before its own, and with the items that it only named.</summary>
    /// <param name="body">The caller's request.</param>
    /// <param name="earlier">What was said before, in order.</param>
    /// <param name="find">Gives a kept item by its id, or null.</param>
    /// <exception cref="ProtocolException">An item that is named is not there.</exception>
    public static byte[] Expand(ReadOnlyMemory<byte> body, IReadOnlyList<StoredItem> earlier, Func<string, StoredItem?> find)
    {
        using JsonDocument document = Parse(body);
        ArrayBufferWriter<byte> output = new(body.Length + 4096);
        using (Utf8JsonWriter json = new(output, OpenAIResponsesProtocol.WriterOptions))
        {
            json.WriteStartObject();
            foreach (JsonProperty field in document.RootElement.EnumerateObject())
            {
                if (field.Name is not ("previous_response_id" or "conversation" or "input"))
                {
                    json.WritePropertyName(field.Name);
                    json.WriteRawValue(JsonMarshal.GetRawUtf8Value(field.Value), skipInputValidation: true);
                }
            }

            json.WriteStartArray("input"u8);
            foreach (StoredItem item in earlier)
            {
                WriteStored(item, json);
            }

            WriteOwn(document.RootElement, find, json);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>The caller's own items, each with an id and in the form in which they are listed.</summary>
    /// <param name="body">A request, or the body that adds items to a conversation (<c>items</c>).</param>
    /// <param name="seed">Ids are made of it and of the item's place.</param>
    public static IReadOnlyList<StoredItem> OwnItems(ReadOnlyMemory<byte> body, string seed)
    {
        using JsonDocument document = Parse(body);
        List<StoredItem> items = [];
        JsonElement root = document.RootElement;
        if (root.TryGetProperty("input"u8, out JsonElement input) && input.ValueKind == JsonValueKind.String)
        {
            items.Add(MessageOf(input, seed));
            return items;
        }

        foreach (JsonElement item in ItemsOf(root))
        {
            if (item.ValueKind == JsonValueKind.Object && TypeOf(item) != "item_reference")
            {
                string made = string.Create(CultureInfo.InvariantCulture, $"{PrefixOf(TypeOf(item))}_{seed}_in{items.Count}");
                items.Add(Listed(item, IdOf(item) ?? made));
            }
        }

        return items;
    }

    /// <summary>The items of an answer.</summary>
    public static IReadOnlyList<StoredItem> OutputItems(ReadOnlyMemory<byte> answer, string issuer)
    {
        using JsonDocument document = Parse(answer);
        List<StoredItem> items = [];
        if (document.RootElement.TryGetProperty("output"u8, out JsonElement output) && output.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in output.EnumerateArray())
            {
                if (item.ValueKind == JsonValueKind.Object)
                {
                    items.Add(new StoredItem(IdOf(item) ?? "", JsonMarshal.GetRawUtf8Value(item).ToArray(), issuer));
                }
            }
        }

        return items;
    }

    /// <summary>The answer's own id.</summary>
    public static string? AnswerIdOf(ReadOnlyMemory<byte> answer)
    {
        using JsonDocument document = Parse(answer);
        return IdOf(document.RootElement);
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> json) => JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = OpenAIResponsesFrame.ReaderOptions.MaxDepth });

    private static JsonElement.ArrayEnumerator ItemsOf(JsonElement root) =>
        (root.TryGetProperty("input"u8, out JsonElement input) || root.TryGetProperty("items"u8, out input)) && input.ValueKind == JsonValueKind.Array
            ? input.EnumerateArray()
            : default;

    private static string? IdOf(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty("id"u8, out JsonElement id) && id.ValueKind == JsonValueKind.String ? id.GetString() : null;

    private static string TypeOf(JsonElement item) =>
        item.TryGetProperty("type"u8, out JsonElement type) && type.ValueKind == JsonValueKind.String ? type.GetString()!
        : item.TryGetProperty("role"u8, out _) ? "message"
        : "item_reference";

    private static string PrefixOf(string type) => type switch
    {
        "message" => "msg",
        "reasoning" => "rs",
        "function_call" or "function_call_output" => "fc",
        "custom_tool_call" or "custom_tool_call_output" => "ctc",
        _ => "item",
    };

    private static string? ReferenceOf(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object || IdOf(item) is not { } id)
        {
            return null;
        }

        string type = TypeOf(item);
        return type == "item_reference" || (type == "reasoning" && !HasEncrypted(item)) ? id : null;
    }

    private static bool HasEncrypted(JsonElement item) =>
        item.TryGetProperty("encrypted_content"u8, out JsonElement content) && content.ValueKind == JsonValueKind.String && content.GetString()!.Length > 0;

    private static void WriteOwn(JsonElement root, Func<string, StoredItem?> find, Utf8JsonWriter json)
    {
        if (root.TryGetProperty("input"u8, out JsonElement input) && input.ValueKind == JsonValueKind.String)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, "user"u8);
            json.WritePropertyName("content"u8);
            json.WriteRawValue(JsonMarshal.GetRawUtf8Value(input), skipInputValidation: true);
            json.WriteEndObject();
            return;
        }

        foreach (JsonElement item in ItemsOf(root))
        {
            string? reference = ReferenceOf(item);
            if (reference is not null && find(reference) is { } kept)
            {
                WriteStored(kept, json);
            }
            else if (reference is not null && TypeOf(item) == "item_reference")
            {
                throw new ProtocolException(new Conversation.ChatError(Conversation.ChatErrorKind.NotFound, $"Item with id '{Short(reference)}' not found.")
                {
                    Param = "input",
                    Code = "item_not_found",
                });
            }
            else
            {
                json.WriteRawValue(JsonMarshal.GetRawUtf8Value(item), skipInputValidation: true);
            }
        }
    }

    private static string Short(string id) => id.Length <= 128 ? id : id[..128];

    /// <summary>What is encrypted bears its issuer's mark from here on, so that it goes to nobody else; reasoning that only its vendor could have kept is left out.</summary>
    private static void WriteStored(StoredItem item, Utf8JsonWriter json)
    {
        using JsonDocument document = Parse(item.Json);
        JsonElement root = document.RootElement;
        bool isEncrypted = HasEncrypted(root);
        bool isOpenAIs = item.Issuer.Length > 0 && (item.Issuer + "@").StartsWith(OpenAIResponsesProtocol.Issuer + "@", StringComparison.Ordinal);
        if (TypeOf(root) == "reasoning" && !isEncrypted && isOpenAIs)
        {
            return;
        }

        if (!isEncrypted || item.Issuer.Length == 0 || root.GetProperty("encrypted_content"u8).GetString()!.StartsWith(ForeignThinking.Mark, StringComparison.Ordinal))
        {
            json.WriteRawValue(item.Json.Span, skipInputValidation: true);
            return;
        }

        json.WriteStartObject();
        foreach (JsonProperty field in root.EnumerateObject())
        {
            json.WritePropertyName(field.Name);
            if (field.NameEquals("encrypted_content"u8))
            {
                json.WriteStringValue(ForeignThinking.Wrap(item.Issuer, field.Value.GetString()));
            }
            else
            {
                json.WriteRawValue(JsonMarshal.GetRawUtf8Value(field.Value), skipInputValidation: true);
            }
        }

        json.WriteEndObject();
    }

    private static StoredItem MessageOf(JsonElement text, string seed)
    {
        string id = $"msg_{seed}_in0";
        return new StoredItem(id, Write(json =>
        {
            json.WriteString("id"u8, id);
            json.WriteString("type"u8, "message"u8);
            json.WriteString("role"u8, "user"u8);
            json.WriteString("status"u8, "completed"u8);
            WriteText(text, "input_text", json);
        }), "");
    }

    private static StoredItem Listed(JsonElement item, string id)
    {
        bool isMessage = TypeOf(item) == "message";
        return new StoredItem(id, Write(json =>
        {
            json.WriteString("id"u8, id);
            if (isMessage)
            {
                json.WriteString("type"u8, "message"u8);
                json.WriteString("status"u8, "completed"u8);
            }

            foreach (JsonProperty field in item.EnumerateObject())
            {
                if (field.NameEquals("id"u8) || (isMessage && field.Name is "type" or "status"))
                {
                    continue;
                }

                if (isMessage && field.NameEquals("content"u8) && field.Value.ValueKind == JsonValueKind.String)
                {
                    bool isAnswer = item.TryGetProperty("role"u8, out JsonElement role) && role.ValueKind == JsonValueKind.String && role.ValueEquals("assistant"u8);
                    WriteText(field.Value, isAnswer ? "output_text" : "input_text", json);
                    continue;
                }

                json.WritePropertyName(field.Name);
                json.WriteRawValue(JsonMarshal.GetRawUtf8Value(field.Value), skipInputValidation: true);
            }
        }), "");
    }

    private static void WriteText(JsonElement text, string type, Utf8JsonWriter json)
    {
        json.WriteStartArray("content"u8);
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        json.WritePropertyName("text"u8);
        json.WriteRawValue(JsonMarshal.GetRawUtf8Value(text), skipInputValidation: true);
        if (type == "output_text")
        {
            json.WriteStartArray("annotations"u8);
            json.WriteEndArray();
        }

        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static byte[] Write(Action<Utf8JsonWriter> fields)
    {
        ArrayBufferWriter<byte> output = new();
        using (Utf8JsonWriter json = new(output, OpenAIResponsesProtocol.WriterOptions))
        {
            json.WriteStartObject();
            fields(json);
            json.WriteEndObject();
        }

        return output.WrittenSpan.ToArray();
    }
}
