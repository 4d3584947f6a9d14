using System.Runtime.InteropServices;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Operations;

/// <summary>OpenAI's embeddings (https://platform.openai.com/docs/api-reference/embeddings), as most servers speak them.</summary>
public sealed class OpenAIEmbeddings(Protocol kin) : EmbeddingsOperation("openai-embeddings", kin)
{
    public override RequestEnvelope Peek(ReadOnlyMemory<byte> body, RequestAddress address = default)
    {
        RequestEnvelope envelope = base.Peek(body, address);
        using JsonDocument document = JsonDocument.Parse(body);
        return document.RootElement.TryGetProperty("input"u8, out _) ? envelope : throw Invalid("Missing required parameter: 'input'.", "input");
    }

    private protected override EmbeddingRequest Read(JsonElement body, RequestAddress address, List<Extra> extras)
    {
        Keep(body, extras, "model", "input", "dimensions", "input_type", "encoding_format");
        JsonElement input = body.GetProperty("input"u8);
        bool isOne = input.ValueKind == JsonValueKind.String || (input.ValueKind == JsonValueKind.Array && input.GetArrayLength() > 0 && input[0].ValueKind == JsonValueKind.Number);
        List<EmbeddingInput> inputs = [];
        if (isOne)
        {
            inputs.Add(Input(input, "/input"));
        }
        else
        {
            foreach (JsonElement one in input.EnumerateArray())
            {
                inputs.Add(Input(one, $"/input/{inputs.Count}"));
            }
        }

        Setting<EmbeddingPurpose>? purpose = null;
        string? word = null;
        if (body.TryGetProperty("input_type"u8, out JsonElement type) && type.ValueKind == JsonValueKind.String)
        {
            word = type.GetString();
            purpose = new Setting<EmbeddingPurpose>(EmbeddingPurposeWord.Read(word!), "/input_type");
        }

        return new EmbeddingRequest
        {
            Inputs = inputs,
            Dimensions = body.TryGetProperty("dimensions"u8, out JsonElement dimensions) && dimensions.ValueKind != JsonValueKind.Null
                ? new Setting<long>(dimensions.GetInt64(), "/dimensions")
                : null,
            Purpose = purpose,
            PurposeWord = word,
            IsBase64 = body.TryGetProperty("encoding_format"u8, out JsonElement format) && format.ValueKind == JsonValueKind.String && format.ValueEquals("base64"u8),
        };
    }

    private protected override void Write(EmbeddingRequest request, RequestTarget target, LossReport losses, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("model"u8, target.Model);
        json.WriteStartArray("input"u8);
        foreach (EmbeddingInput input in request.Inputs)
        {
            json.WriteStringValue(TextOf(input));
        }

        json.WriteEndArray();
        json.WriteString("encoding_format"u8, "float"u8);
        if (request.Dimensions is { } dimensions)
        {
            json.WriteNumber("dimensions"u8, dimensions.Value);
        }

        if (request.Purpose is { } purpose)
        {
            losses.Add(purpose.Pointer, "OpenAI's models do not tell queries from documents.");
        }

        if (request.Title is { } title)
        {
            losses.Add(title.Pointer, "OpenAI's embeddings take no titles.");
        }

        json.WriteEndObject();
    }

    private protected override (List<float[]> Vectors, Usage? Usage) ReadAnswer(JsonElement body)
    {
        SortedDictionary<int, float[]> vectors = [];
        foreach (JsonElement one in body.GetProperty("data"u8).EnumerateArray())
        {
            int index = one.TryGetProperty("index"u8, out JsonElement told) ? told.GetInt32() : vectors.Count;
            vectors[index] = Vector(one.GetProperty("embedding"u8));
        }

        return ([.. vectors.Values], null);
    }

    private protected override void WriteAnswer(IReadOnlyList<ReadOnlyMemory<float>> vectors, Usage usage, WriterOptions options, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("object"u8, "list"u8);
        json.WriteStartArray("data"u8);
        for (int i = 0; i < vectors.Count; i++)
        {
            json.WriteStartObject();
            json.WriteString("object"u8, "embedding"u8);
            json.WriteNumber("index"u8, i);
            json.WritePropertyName("embedding"u8);
            if (options.IsBase64)
            {
                json.WriteBase64StringValue(MemoryMarshal.AsBytes(vectors[i].Span));
            }
            else
            {
                WriteVector(vectors[i].Span, json);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("model"u8, options.Model);
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, usage.TotalInputTokens);
        json.WriteNumber("total_tokens"u8, usage.TotalInputTokens);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static EmbeddingInput Input(JsonElement value, string pointer) => value.ValueKind switch
    {
        JsonValueKind.String => new EmbeddingInput(value.GetString(), default, pointer),
        JsonValueKind.Array => new EmbeddingInput(null, RawJson.From(value.GetRawText()), pointer),
        _ => throw Invalid("An input is a text or a list of tokens.", pointer.Trim('/').Replace('/', '.')),
    };
}
