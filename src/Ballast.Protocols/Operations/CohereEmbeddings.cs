using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Operations;

/// <summary>Cohere's embeddings, version 2 (https://docs.cohere.com/reference/embed).</summary>
public sealed class CohereEmbeddings(Protocol kin) : EmbeddingsOperation("cohere-embeddings", kin)
{
    private protected override EmbeddingRequest Read(JsonElement body, RequestAddress address, List<Extra> extras)
    {
        Keep(body, extras, "model", "texts", "input_type", "output_dimension", "embedding_types", "truncate");
        List<EmbeddingInput> inputs = [];
        if (body.TryGetProperty("texts"u8, out JsonElement texts) && texts.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement text in texts.EnumerateArray())
            {
                inputs.Add(new EmbeddingInput(text.GetString(), default, $"/texts/{inputs.Count}"));
            }
        }

        if (body.TryGetProperty("embedding_types"u8, out JsonElement types) && types.ValueKind == JsonValueKind.Array)
        {
            int index = 0;
            foreach (JsonElement type in types.EnumerateArray())
            {
                if (!type.ValueEquals("float"u8))
                {
                    extras.Add(new Extra("embedding_types", $"/embedding_types/{index}", RawJson.From(type.GetRawText())));
                }

                index++;
            }
        }

        string? word = body.TryGetProperty("input_type"u8, out JsonElement purpose) ? purpose.GetString() : null;
        return new EmbeddingRequest
        {
            Inputs = inputs,
            Dimensions = body.TryGetProperty("output_dimension"u8, out JsonElement dimensions) && dimensions.ValueKind != JsonValueKind.Null
                ? new Setting<long>(dimensions.GetInt64(), "/output_dimension")
                : null,
            Purpose = word is null ? null : new Setting<EmbeddingPurpose>(EmbeddingPurposeWord.Read(word), "/input_type"),
            PurposeWord = word,
        };
    }

    private protected override void Write(EmbeddingRequest request, RequestTarget target, LossReport losses, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("model"u8, target.Model);
        json.WriteStartArray("texts"u8);
        foreach (EmbeddingInput input in request.Inputs)
        {
            json.WriteStringValue(TextOf(input));
        }

        json.WriteEndArray();
        json.WriteString("input_type"u8, EmbeddingPurposeWord.Cohere(request.Purpose?.Value ?? EmbeddingPurpose.Document));
        if (request.Purpose is { Value: EmbeddingPurpose.Other } purpose)
        {
            losses.Add(purpose.Pointer, "Cohere has no such purpose: the texts are taken for documents.");
        }

        json.WriteStartArray("embedding_types"u8);
        json.WriteStringValue("float"u8);
        json.WriteEndArray();
        if (request.Dimensions is { } dimensions)
        {
            json.WriteNumber("output_dimension"u8, dimensions.Value);
        }

        if (request.Title is { } title)
        {
            losses.Add(title.Pointer, "Cohere's embeddings take no titles.");
        }

        json.WriteEndObject();
    }

    private protected override (List<float[]> Vectors, Usage? Usage) ReadAnswer(JsonElement body)
    {
        JsonElement embeddings = body.GetProperty("embeddings"u8);
        JsonElement floats = embeddings.ValueKind == JsonValueKind.Object ? embeddings.GetProperty("float"u8) : embeddings;
        return ([.. floats.EnumerateArray().Select(Vector)], null);
    }

    private protected override void WriteAnswer(IReadOnlyList<ReadOnlyMemory<float>> vectors, Usage usage, WriterOptions options, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, options.FallbackId);
        json.WriteStartObject("embeddings"u8);
        json.WriteStartArray("float"u8);
        foreach (ReadOnlyMemory<float> vector in vectors)
        {
            WriteVector(vector.Span, json);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartObject("meta"u8);
        json.WriteStartObject("billed_units"u8);
        json.WriteNumber("input_tokens"u8, usage.TotalInputTokens);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteString("response_type"u8, "embeddings_by_type"u8);
        json.WriteEndObject();
    }
}
