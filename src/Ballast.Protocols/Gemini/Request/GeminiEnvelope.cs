using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Ballast.Protocols.Gemini;

/// <summary>Checks a whole request for form and finds what routing needs. Model and streaming are in the address; a model named in the body is only checked for its type.</summary>
internal static class GeminiEnvelope
{
    /// <summary>Most fields at the top of a request.</summary>
    public const int TopLevelFieldsMax = 128;

    /// <summary>Before a model's name in a body and in a list.</summary>
    public const string ModelPrefix = "models/";

    private const string WrapperName = "generateContentRequest";

    public static RequestEnvelope Peek(ReadOnlyMemory<byte> body, RequestAddress address)
    {
        if (!Utf8.IsValid(body.Span))
        {
            throw ProtocolException.Invalid("The request body is not valid UTF-8.");
        }

        try
        {
            return Read(body, address);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw ProtocolException.Invalid($"The request body is not valid JSON, or is nested deeper than {GeminiCursor.DepthMax} levels.");
        }
    }

    private static RequestEnvelope Read(ReadOnlyMemory<byte> body, RequestAddress address)
    {
        Utf8JsonReader json = new(body.Span, GeminiCursor.ReaderOptions);
        json.Read();
        Found found = default;
        ReadFields(ref json, body, ref found);
        // A second document behind the first is refused here.
        json.Read();
        if (!found.HasContents)
        {
            throw ProtocolException.Invalid("contents is not specified.", "contents");
        }

        string model = address.Model ?? found.Model ?? throw ProtocolException.Invalid("model is required.", "model");
        return new RequestEnvelope
        {
            Body = body,
            Address = address,
            Model = model,
            ModelValue = found.ModelValue,
            Stream = address.Stream is StreamForm.Events or StreamForm.Array,
            StreamUsage = address.Stream is StreamForm.Events or StreamForm.Array,
            MaxOutputTokens = found.MaxOutputTokens,
            ChoiceCount = (int)Math.Clamp(found.ChoiceCount ?? 1, 1, int.MaxValue),
            AsksJsonSchema = found.AsksJsonSchema,
            HasForeignThinking = GeminiSignatures.HasForeign(body.Span),
        };
    }

    private static void ReadFields(ref Utf8JsonReader json, ReadOnlyMemory<byte> body, ref Found found)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw ProtocolException.Invalid("The request body must be a JSON object.");
        }

        HashSet<string> seen = [];
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            // The field names are those of one object: two spellings of one name are the same field twice.
            string name = GeminiCursor.Camel(json.GetString()!);
            if (!seen.Add(name) || seen.Count > TopLevelFieldsMax)
            {
                throw ProtocolException.Invalid(
                    seen.Count > TopLevelFieldsMax ? $"The request body may have at most {TopLevelFieldsMax} fields." : "A field of the request body is given twice.", name);
            }

            json.Read();
            ReadField(ref json, name, body, ref found);
        }
    }

    private static void ReadField(ref Utf8JsonReader json, string name, ReadOnlyMemory<byte> body, ref Found found)
    {
        switch (name)
        {
            case "contents":
                found.HasContents = json.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject ? true : throw ProtocolException.Invalid("contents must be an array.", "contents");
                json.Skip();
                break;
            case "model" when json.TokenType != JsonTokenType.Null:
                int start = (int)json.TokenStartIndex;
                string model = json.TokenType == JsonTokenType.String ? json.GetString()! : throw ProtocolException.Invalid("model must be a string.", "model");
                found.Model = model.StartsWith(ModelPrefix, StringComparison.Ordinal) ? model[ModelPrefix.Length..] : model;
                found.ModelValue = new JsonSpan(start, (int)json.BytesConsumed - start);
                break;
            case "generationConfig" when json.TokenType == JsonTokenType.StartObject:
                ReadConfig(ref json, ref found);
                break;
            case WrapperName when json.TokenType == JsonTokenType.StartObject && !found.IsWrapped:
                found.IsWrapped = true;
                ReadFields(ref json, body, ref found);
                break;
            default:
                json.Skip();
                break;
        }
    }

    private static void ReadConfig(ref Utf8JsonReader json, ref Found found)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = GeminiCursor.Camel(json.GetString()!);
            json.Read();
            switch (name)
            {
                case "maxOutputTokens":
                    found.MaxOutputTokens = Number(ref json) ?? found.MaxOutputTokens;
                    break;
                case "candidateCount":
                    found.ChoiceCount = Number(ref json) ?? found.ChoiceCount;
                    break;
                case "responseSchema" or "responseJsonSchema" or "_responseJsonSchema":
                    found.AsksJsonSchema |= json.TokenType == JsonTokenType.StartObject;
                    break;
            }

            json.Skip();
        }
    }

    private static long? Number(ref Utf8JsonReader json) =>
        json.TokenType == JsonTokenType.Number && json.TryGetInt64(out long value) ? value
        : json.TokenType == JsonTokenType.String && long.TryParse(json.GetString(), out value) ? value
        : null;

    /// <summary>A model as a body names it.</summary>
    public static ReadOnlyMemory<byte> Replacement(string model) => Encoding.UTF8.GetBytes($"\"{ModelPrefix}{JsonEncodedText.Encode(model)}\"");

    /// <summary>
    /// A count's body for an endpoint of the wanted form: wrapped in <c>generateContentRequest</c>, which names its model, or its bare fields. Contents alone go in
    /// either way.
    /// </summary>
    public static void SpliceCount(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output)
    {
        ReadOnlyMemory<byte> body = envelope.Body;
        bool isWrapped = TryFindWrapper(body, out JsonSpan wrapper);
        ReadOnlyMemory<byte> inner = isWrapped ? body.Slice(wrapper.Start, wrapper.Length) : body;
        if (!isWrapped && HoldsContentsOnly(body))
        {
            output.Write(body.Span);
            return;
        }

        bool wraps = target.Has(TargetFeatures.WrappedCount);
        output.Write(wraps ? "{\"generateContentRequest\":{\"model\":"u8 : "{"u8);
        if (wraps)
        {
            output.Write(Replacement(target.Model).Span);
        }

        bool isFirst = !wraps;
        Utf8JsonReader json = new(inner.Span, GeminiCursor.ReaderOptions);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            int start = (int)json.TokenStartIndex;
            bool isModel = json.ValueTextEquals("model"u8);
            json.Read();
            json.Skip();
            if (!isModel)
            {
                output.Write(isFirst ? ""u8 : ","u8);
                output.Write(inner.Span[start..(int)json.BytesConsumed]);
                isFirst = false;
            }
        }

        output.Write(wraps ? "}}"u8 : "}"u8);
    }

    /// <summary>A count of nothing but the conversation looks alike everywhere.</summary>
    private static bool HoldsContentsOnly(ReadOnlyMemory<byte> body)
    {
        Utf8JsonReader json = new(body.Span, GeminiCursor.ReaderOptions);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (!json.ValueTextEquals("contents"u8))
            {
                return false;
            }

            json.Skip();
        }

        return true;
    }

    /// <summary>Where the wrapped request of a count lies.</summary>
    public static bool TryFindWrapper(ReadOnlyMemory<byte> body, out JsonSpan wrapper)
    {
        Utf8JsonReader json = new(body.Span, GeminiCursor.ReaderOptions);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isIt = json.ValueTextEquals("generateContentRequest"u8) || json.ValueTextEquals("generate_content_request"u8);
            json.Read();
            int start = (int)json.TokenStartIndex;
            bool isObject = json.TokenType == JsonTokenType.StartObject;
            json.Skip();
            if (isIt && isObject)
            {
                wrapper = new JsonSpan(start, (int)json.BytesConsumed - start);
                return true;
            }
        }

        wrapper = default;
        return false;
    }

    private struct Found
    {
        public string? Model;
        public JsonSpan ModelValue;
        public bool HasContents;
        public bool IsWrapped;
        public long? MaxOutputTokens;
        public long? ChoiceCount;
        public bool AsksJsonSchema;
    }
}
