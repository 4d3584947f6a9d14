using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Operations;

/// <summary>What the vendors' forms of embeddings have in common: a whole JSON request, a whole JSON answer, one vector for each input.</summary>
public abstract class EmbeddingsOperation(string name, Protocol kin) : PlainOperation(name, kin)
{
    /// <summary>Inputs taken in one request: what the largest vendor takes.</summary>
    public const int InputsMax = 2048;

    private static readonly JsonWriterOptions s_writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public override ProtocolFamily Family => ProtocolFamily.Embeddings;

    public override RequestEnvelope Peek(ReadOnlyMemory<byte> body, RequestAddress address = default)
    {
        BodyFields fields = BodyFields.Read(body);
        string? model = fields.TextOrNull("model") is { Length: > 0 } named ? named : address.Model;
        return new RequestEnvelope
        {
            Body = body,
            Address = address,
            Model = model ?? throw Invalid("Missing required parameter: 'model'.", "model"),
            ModelValue = fields.FindAny("model"),
        };
    }

    /// <summary>For forms whose path names the model: what a body says of it is no more than that once again.</summary>
    private protected static RequestEnvelope PeekOfPath(ReadOnlyMemory<byte> body, RequestAddress address)
    {
        _ = BodyFields.Read(body);
        return new RequestEnvelope { Body = body, Address = address, Model = address.Model ?? throw Invalid("The path names no model.", "model") };
    }

    public override ChatRequest ReadRequest(ReadOnlyMemory<byte> body, RequestAddress address = default)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            List<Extra> extras = [];
            EmbeddingRequest request = Read(document.RootElement, address, extras);
            if (request.Inputs.Count is 0 or > InputsMax)
            {
                throw Invalid($"Between 1 and {InputsMax} inputs are taken at once.", "input");
            }

            return new ChatRequest { SourceProtocol = Name, Model = address.Model ?? Peek(body, address).Model, Embedding = request, Extras = extras };
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or FormatException)
        {
            throw Invalid("The request body could not be read: a field has a value of the wrong type.", null);
        }
    }

    public override void WriteRequest(ChatRequest request, RequestTarget target, LossReport losses, IBufferWriter<byte> output)
    {
        EmbeddingRequest embedding = request.Embedding ?? throw Invalid("This deployment makes vectors of texts; it does not chat.", "model");
        foreach (Extra extra in request.Extras)
        {
            losses.Add(extra.Pointer, "The deployment's protocol has no such field.");
        }

        using Utf8JsonWriter json = new(output, s_writing);
        Write(embedding, target, losses, json);
    }

    public override ResponseReader OpenReader(ReaderOptions options) =>
        options.Depth == ReadDepth.UsageOnly ? new PlainReader(options) : new EmbeddingsReader(options, this);

    public override ResponseWriter OpenWriter(WriterOptions options) => new EmbeddingsWriter(options, this);

    /// <summary>Reads a request; what only this protocol knows is added to <paramref name="extras"/>.</summary>
    private protected abstract EmbeddingRequest Read(JsonElement body, RequestAddress address, List<Extra> extras);

    private protected abstract void Write(EmbeddingRequest request, RequestTarget target, LossReport losses, Utf8JsonWriter json);

    /// <summary>Reads an answer: a vector for each input, in their order, and the tokens where they are told.</summary>
    private protected abstract (List<float[]> Vectors, Usage? Usage) ReadAnswer(JsonElement body);

    private protected abstract void WriteAnswer(IReadOnlyList<ReadOnlyMemory<float>> vectors, Usage usage, WriterOptions options, Utf8JsonWriter json);

    private protected static ProtocolException Invalid(string message, string? param) => ProtocolException.Invalid(message, param);

    /// <summary>Keeps fields that are not among the known ones.</summary>
    private protected static void Keep(JsonElement body, List<Extra> extras, params ReadOnlySpan<string> known)
    {
        foreach (JsonProperty field in body.EnumerateObject())
        {
            if (!known.Contains(field.Name) && field.Value.ValueKind != JsonValueKind.Null)
            {
                extras.Add(new Extra(field.Name, "/" + field.Name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal), RawJson.From(field.Value.GetRawText())));
            }
        }
    }

    /// <summary>An input as another vendor's server can take it: tokens of one vendor's tokenizer mean nothing to another.</summary>
    private protected static string TextOf(EmbeddingInput input) =>
        input.Text ?? throw Invalid("Tokens are understood by the vendor alone whose tokenizer made them: send texts.", input.Pointer.Trim('/').Replace('/', '.'));

    private protected static float[] Vector(JsonElement numbers)
    {
        if (numbers.ValueKind == JsonValueKind.String)
        {
            byte[] bytes = numbers.GetBytesFromBase64();
            return bytes.Length % sizeof(float) == 0 ? MemoryMarshal.Cast<byte, float>(bytes).ToArray() : throw new FormatException("A vector is not a whole number of floats.");
        }

        float[] vector = new float[numbers.GetArrayLength()];
        int index = 0;
        foreach (JsonElement number in numbers.EnumerateArray())
        {
            vector[index++] = number.GetSingle();
        }

        return vector;
    }

    private protected static void WriteVector(ReadOnlySpan<float> vector, Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (float value in vector)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }

    private sealed class EmbeddingsReader(ReaderOptions options, EmbeddingsOperation form) : PlainReader(options)
    {
        protected override void Read(in ReadOnlySequence<byte> body)
        {
            base.Read(body);
            using JsonDocument document = JsonDocument.Parse(body);
            (List<float[]> vectors, Usage? usage) = form.ReadAnswer(document.RootElement);
            Usage = usage ?? Usage;
            Events.Add(new ResponseStarted(ResponseId, ServedModel, null));
            for (int i = 0; i < vectors.Count; i++)
            {
                Events.Add(new Embedded(i, vectors[i]));
            }

            if (Usage is not null)
            {
                Events.Add(new UsageReported(Usage));
            }

            Events.Add(ResponseEnded.Instance);
        }
    }

    private sealed class EmbeddingsWriter(WriterOptions options, EmbeddingsOperation form) : ResponseWriter(options)
    {
        private readonly List<ReadOnlyMemory<float>> _vectors = [];
        private Usage _usage = new();

        public override void Write(ChatEvent chatEvent, IBufferWriter<byte> output)
        {
            switch (chatEvent)
            {
                case Embedded embedded:
                    _vectors.Add(embedded.Vector);
                    break;
                case UsageReported reported:
                    _usage = reported.Usage;
                    break;
                case ResponseEnded:
                    using (Utf8JsonWriter json = new(output, s_writing))
                    {
                        form.WriteAnswer(_vectors, _usage, Options, json);
                    }

                    break;
            }
        }
    }
}
