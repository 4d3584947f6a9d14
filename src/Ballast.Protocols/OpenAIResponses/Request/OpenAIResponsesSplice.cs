using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>
/// The caller's own bytes sent on with no more replaced than must be: the model, and state, which Ballast keeps itself. The vendor keeps nothing, and gives its
/// reasoning away encrypted, so that it can come back.
/// </summary>
internal static class OpenAIResponsesSplice
{
    /// <summary>What asks for encrypted reasoning.</summary>
    public const string EncryptedReasoning = "reasoning.encrypted_content";

    private static readonly string[] s_counted =
    [
        "model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "truncation", "parallel_tool_calls",
    ];

    public static void Write(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output)
    {
        List<JsonEdit> edits = [new JsonEdit(envelope.ModelValue, Quoted(target.Model))];
        StringBuilder added = new();
        Fields fields = Fields.Find(envelope.Body.Span);
        // An answer that nobody waits for has to be kept where it is made.
        bool isKept = envelope.State is { Background: true };
        if (fields.Store.IsPresent)
        {
            edits.Add(new JsonEdit(fields.Store, isKept ? "true"u8.ToArray() : "false"u8.ToArray()));
        }
        else
        {
            added.Append(isKept ? ",\"store\":true" : ",\"store\":false");
        }

        foreach (JsonSpan state in (ReadOnlySpan<JsonSpan>)[fields.Previous, fields.Conversation])
        {
            if (state.IsPresent)
            {
                edits.Add(new JsonEdit(state, "null"u8.ToArray()));
            }
        }

        if (OpenAIResponsesReasoning.IsEncrypted(target, fields.HasReasoning))
        {
            Include(envelope.Body.Span, fields.Include, edits, added);
        }

        edits.Add(new JsonEdit(new JsonSpan(envelope.ModelValue.End, 0), Encoding.UTF8.GetBytes(added.ToString())));
        edits.Sort(static (a, b) => a.Span.Start.CompareTo(b.Span.Start));
        JsonSplice.Write(envelope.Body.Span, CollectionsMarshal.AsSpan(edits), output);
    }

    private static void Include(ReadOnlySpan<byte> body, JsonSpan include, List<JsonEdit> edits, StringBuilder added)
    {
        if (!include.IsPresent)
        {
            added.Append($",\"include\":[\"{EncryptedReasoning}\"]");
            return;
        }

        ReadOnlySpan<byte> value = body.Slice(include.Start, include.Length);
        if (value[0] != (byte)'[')
        {
            edits.Add(new JsonEdit(include, Encoding.UTF8.GetBytes($"[\"{EncryptedReasoning}\"]")));
        }
        else if (value.IndexOf("\"reasoning.encrypted_content\""u8) < 0)
        {
            bool isEmpty = value[1..^1].Trim(" \t\r\n"u8).IsEmpty;
            edits.Add(new JsonEdit(new JsonSpan(include.Start + 1, 0), Encoding.UTF8.GetBytes($"\"{EncryptedReasoning}\"{(isEmpty ? "" : ",")}")));
        }
    }

    public static void WriteCount(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output)
    {
        using JsonDocument document = JsonDocument.Parse(envelope.Body);
        using Utf8JsonWriter json = new(output, OpenAIResponsesProtocol.WriterOptions);
        json.WriteStartObject();
        foreach (JsonProperty property in document.RootElement.EnumerateObject())
        {
            if (property.NameEquals("model"u8))
            {
                json.WriteString("model"u8, target.Model);
            }
            else if (s_counted.Contains(property.Name))
            {
                json.WritePropertyName(property.Name);
                json.WriteRawValue(JsonMarshal.GetRawUtf8Value(property.Value), skipInputValidation: true);
            }
        }

        json.WriteEndObject();
    }

    /// <summary>A request to make a conversation shorter, for another deployment: what was said before is in it already.</summary>
    public static void WriteCompaction(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output)
    {
        using JsonDocument document = JsonDocument.Parse(envelope.Body, new JsonDocumentOptions { MaxDepth = OpenAIResponsesPeek.DepthMax + 1 });
        using Utf8JsonWriter json = new(output, OpenAIResponsesProtocol.WriterOptions);
        json.WriteStartObject();
        foreach (JsonProperty property in document.RootElement.EnumerateObject())
        {
            if (property.NameEquals("model"u8))
            {
                json.WriteString("model"u8, target.Model);
            }
            else if (property.Name is not ("previous_response_id" or "conversation" or "store" or "background" or "stream"))
            {
                json.WritePropertyName(property.Name);
                json.WriteRawValue(JsonMarshal.GetRawUtf8Value(property.Value), skipInputValidation: true);
            }
        }

        json.WriteEndObject();
    }

    private static byte[] Quoted(string text) =>
        Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"");

    /// <summary>Where the fields that concern state lie.</summary>
    private ref struct Fields
    {
        public JsonSpan Store;
        public JsonSpan Previous;
        public JsonSpan Conversation;
        public JsonSpan Include;
        public bool HasReasoning;

        public static Fields Find(ReadOnlySpan<byte> body)
        {
            Fields fields = default;
            Utf8JsonReader reader = new(body, new JsonReaderOptions { MaxDepth = OpenAIResponsesPeek.DepthMax + 1 });
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                // By its text: half a surrogate pair in a name cannot be compared.
                int field = JsonText.Read(ref reader) switch
                {
                    "store" => 1,
                    "previous_response_id" => 2,
                    "conversation" => 3,
                    "include" => 4,
                    "reasoning" => 5,
                    _ => 0,
                };
                reader.Read();
                int start = (int)reader.TokenStartIndex;
                fields.HasReasoning |= field == 5 && reader.TokenType == JsonTokenType.StartObject;
                reader.Skip();
                JsonSpan span = new(start, (int)reader.BytesConsumed - start);
                fields.Store = field == 1 ? span : fields.Store;
                fields.Previous = field == 2 ? span : fields.Previous;
                fields.Conversation = field == 3 ? span : fields.Conversation;
                fields.Include = field == 4 ? span : fields.Include;
            }

            return fields;
        }
    }
}
