using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Operations;

/// <summary>
/// Embeddings of Vertex AI's older models by <c>:predict</c> (https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api). The model stands in
/// the path; how many texts it takes at once is the model's affair.
/// </summary>
/// <param name="kin">The vendor's chat protocol.</param>
public sealed class VertexEmbeddings(Protocol kin) : EmbeddingsOperation("vertex-embeddings", kin)
{
    public override RequestEnvelope Peek(ReadOnlyMemory<byte> body, RequestAddress address = default) => PeekOfPath(body, address);

    /// <summary>The caller's bytes: no model's name is in them.</summary>
    public override void SpliceRequest(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output) => output.Write(envelope.Body.Span);

    public override ResponseReader OpenReader(ReaderOptions options) =>
        options.Depth == ReadDepth.UsageOnly ? new CountingReader(options) : base.OpenReader(options);

    private protected override EmbeddingRequest Read(JsonElement body, RequestAddress address, List<Extra> extras)
    {
        Keep(body, extras, "instances", "parameters");
        List<EmbeddingInput> inputs = [];
        EmbeddingRequest? first = null;
        foreach (JsonElement instance in body.GetProperty("instances"u8).EnumerateArray())
        {
            string pointer = $"/instances/{inputs.Count}";
            inputs.Add(new EmbeddingInput(instance.GetProperty("content"u8).GetString(), default, $"{pointer}/content"));
            string? word = Text(instance, "task_type"u8);
            if (first is not null && word != first.PurposeWord)
            {
                throw Invalid("All instances must agree on task_type to be answered by another vendor.", "instances");
            }

            first ??= new EmbeddingRequest
            {
                Inputs = inputs,
                Purpose = word is null ? null : new Setting<EmbeddingPurpose>(EmbeddingPurposeWord.Read(word), $"{pointer}/task_type"),
                PurposeWord = word,
                Title = Text(instance, "title"u8) is { } title ? new Setting<string>(title, $"{pointer}/title") : null,
            };
        }

        return ReadParameters(body, first ?? new EmbeddingRequest { Inputs = inputs }, extras);
    }

    private static EmbeddingRequest ReadParameters(JsonElement body, EmbeddingRequest request, List<Extra> extras)
    {
        if (!body.TryGetProperty("parameters"u8, out JsonElement parameters) || parameters.ValueKind != JsonValueKind.Object)
        {
            return request;
        }

        // A text that is too long is cut by default, as elsewhere.
        if (parameters.TryGetProperty("autoTruncate"u8, out JsonElement cuts) && cuts.ValueKind == JsonValueKind.False)
        {
            extras.Add(new Extra("autoTruncate", "/parameters/autoTruncate", RawJson.From(cuts.GetRawText())));
        }

        return parameters.TryGetProperty("outputDimensionality"u8, out JsonElement dimensions) && dimensions.ValueKind != JsonValueKind.Null
            ? request with { Dimensions = new Setting<long>(dimensions.GetInt64(), "/parameters/outputDimensionality") }
            : request;
    }

    private protected override void Write(EmbeddingRequest request, RequestTarget target, LossReport losses, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("instances"u8);
        foreach (EmbeddingInput input in request.Inputs)
        {
            json.WriteStartObject();
            json.WriteString("content"u8, TextOf(input));
            if (request.Purpose is { } purpose && EmbeddingPurposeWord.Gemini(purpose.Value) is { } word)
            {
                json.WriteString("task_type"u8, word);
            }

            if (request.Title is { } title)
            {
                json.WriteString("title"u8, title.Value);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (request.Dimensions is { } dimensions)
        {
            json.WriteStartObject("parameters"u8);
            json.WriteNumber("outputDimensionality"u8, dimensions.Value);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        if (request.Purpose is { Value: EmbeddingPurpose.Other } other)
        {
            losses.Add(other.Pointer, "Vertex AI has no such purpose.");
        }
    }

    private protected override (List<float[]> Vectors, Usage? Usage) ReadAnswer(JsonElement body)
    {
        List<float[]> vectors = [];
        long? tokens = null;
        foreach (JsonElement prediction in body.GetProperty("predictions"u8).EnumerateArray())
        {
            JsonElement embeddings = prediction.GetProperty("embeddings"u8);
            vectors.Add(Vector(embeddings.GetProperty("values"u8)));
            if (embeddings.TryGetProperty("statistics"u8, out JsonElement statistics) && statistics.TryGetProperty("token_count"u8, out JsonElement count))
            {
                tokens = (tokens ?? 0) + (long)count.GetDouble();
            }
        }

        return (vectors, tokens is { } told ? new Usage { InputTokens = told } : null);
    }

    private protected override void WriteAnswer(IReadOnlyList<ReadOnlyMemory<float>> vectors, Usage usage, WriterOptions options, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("predictions"u8);
        for (int i = 0; i < vectors.Count; i++)
        {
            json.WriteStartObject();
            json.WriteStartObject("embeddings"u8);
            json.WriteStartObject("statistics"u8);

            // What the vendor tells for all of them is told with the first: clients add these up.
            json.WriteNumber("token_count"u8, i == 0 ? usage.TotalInputTokens : 0);
            json.WriteBoolean("truncated"u8, false);
            json.WriteEndObject();
            json.WritePropertyName("values"u8);
            WriteVector(vectors[i].Span, json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string? Text(JsonElement owner, ReadOnlySpan<byte> name) =>
        owner.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Adds up the tokens of an answer that is passed on: there is no sum in it.</summary>
    private sealed class CountingReader(ReaderOptions options) : PlainReader(options)
    {
        protected override void Read(in ReadOnlySequence<byte> body)
        {
            Utf8JsonReader reader = new(body);
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("token_count"u8) && reader.Read() && reader.TryGetDouble(out double count)
                    && count is >= 0 and < int.MaxValue)
                {
                    Usage = new Usage { InputTokens = (Usage?.InputTokens ?? 0) + (long)count };
                }
            }
        }
    }
}
