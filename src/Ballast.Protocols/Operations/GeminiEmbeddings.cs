using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.Operations;

/// <summary>
/// Gemini's embeddings (https://ai.google.dev/api/embeddings): <c>:embedContent</c> for one text, <c>:batchEmbedContents</c> for several; the model stands in the path and,
/// in a batch, once more in each request.
/// </summary>
/// <param name="kin">The vendor's chat protocol.</param>
/// <param name="isBatch">The form for several texts, which is the one that deployments are asked in.</param>
public sealed class GeminiEmbeddings(Protocol kin, bool isBatch) : EmbeddingsOperation(isBatch ? "gemini-embeddings" : "gemini-embedding", kin)
{
    public override RequestEnvelope Peek(ReadOnlyMemory<byte> body, RequestAddress address = default) => PeekOfPath(body, address);

    public override void SpliceRequest(RequestEnvelope envelope, RequestTarget target, IBufferWriter<byte> output)
    {
        // Wherever the body names a model it must be that of the path.
        byte[] name = Encoding.UTF8.GetBytes($"\"models/{JsonEncodedText.Encode(target.Model, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"");
        List<JsonEdit> edits = [];
        Utf8JsonReader reader = new(envelope.Body.Span);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && (reader.CurrentDepth == 1 || (isBatch && reader.CurrentDepth == 3)) && reader.ValueTextEquals("model"u8) && reader.Read())
            {
                edits.Add(new JsonEdit(new JsonSpan((int)reader.TokenStartIndex, (int)(reader.BytesConsumed - reader.TokenStartIndex)), name));
            }
        }

        JsonSplice.Write(envelope.Body.Span, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(edits), output);
    }

    private protected override EmbeddingRequest Read(JsonElement body, RequestAddress address, List<Extra> extras)
    {
        List<EmbeddingInput> inputs = [];
        if (!isBatch)
        {
            return ReadOne(body, "", inputs, extras);
        }

        EmbeddingRequest? first = null;
        foreach (JsonElement one in body.GetProperty("requests"u8).EnumerateArray())
        {
            EmbeddingRequest read = ReadOne(one, $"/requests/{inputs.Count}", inputs, extras);
            if (first is not null && (read.Dimensions?.Value != first.Dimensions?.Value || read.PurposeWord != first.PurposeWord))
            {
                throw Invalid("All requests of a batch must agree on taskType and outputDimensionality to be answered by another vendor.", "requests");
            }

            first ??= read;
        }

        return first ?? new EmbeddingRequest { Inputs = inputs };
    }

    private protected override void Write(EmbeddingRequest request, RequestTarget target, LossReport losses, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        if (isBatch)
        {
            json.WriteStartArray("requests"u8);
            foreach (EmbeddingInput input in request.Inputs)
            {
                json.WriteStartObject();
                json.WriteString("model"u8, "models/" + target.Model);
                WriteOne(request, input, json);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }
        else
        {
            WriteOne(request, request.Inputs is [var only] ? only : throw Invalid("This deployment makes the vector of one text at a time.", "input"), json);
        }

        json.WriteEndObject();
        if (request.Purpose is { Value: EmbeddingPurpose.Other } other)
        {
            losses.Add(other.Pointer, "Gemini has no such purpose.");
        }
    }

    private static void WriteOne(EmbeddingRequest request, EmbeddingInput input, Utf8JsonWriter json)
    {
        json.WriteStartObject("content"u8);
        json.WriteStartArray("parts"u8);
        json.WriteStartObject();
        json.WriteString("text"u8, TextOf(input));
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        if (request.Purpose is { } purpose && EmbeddingPurposeWord.Gemini(purpose.Value) is { } word)
        {
            json.WriteString("taskType"u8, word);
        }

        if (request.Title is { } title)
        {
            json.WriteString("title"u8, title.Value);
        }

        if (request.Dimensions is { } dimensions)
        {
            json.WriteNumber("outputDimensionality"u8, dimensions.Value);
        }
    }

    private protected override (List<float[]> Vectors, Usage? Usage) ReadAnswer(JsonElement body)
    {
        if (body.TryGetProperty("embedding"u8, out JsonElement one))
        {
            return ([Vector(one.GetProperty("values"u8))], null);
        }

        return ([.. body.GetProperty("embeddings"u8).EnumerateArray().Select(static embedding => Vector(embedding.GetProperty("values"u8)))], null);
    }

    private protected override void WriteAnswer(IReadOnlyList<ReadOnlyMemory<float>> vectors, Usage usage, WriterOptions options, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        if (isBatch)
        {
            json.WriteStartArray("embeddings"u8);
        }
        else
        {
            json.WritePropertyName("embedding"u8);
        }

        foreach (ReadOnlyMemory<float> vector in vectors)
        {
            json.WriteStartObject();
            json.WritePropertyName("values"u8);
            WriteVector(vector.Span, json);
            json.WriteEndObject();
        }

        if (isBatch)
        {
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static EmbeddingRequest ReadOne(JsonElement one, string pointer, List<EmbeddingInput> inputs, List<Extra> extras)
    {
        JsonElement parts = one.GetProperty("content"u8).GetProperty("parts"u8);
        StringBuilder text = new();
        int index = 0;
        foreach (JsonElement part in parts.EnumerateArray())
        {
            if (part.TryGetProperty("text"u8, out JsonElement piece))
            {
                text.Append(piece.GetString());
            }
            else
            {
                extras.Add(new Extra("parts", $"{pointer}/content/parts/{index}", RawJson.From(part.GetRawText())));
            }

            index++;
        }

        inputs.Add(new EmbeddingInput(text.ToString(), default, $"{pointer}/content"));
        string? word = Find(one, "taskType", "task_type")?.GetString();
        JsonElement? dimensions = Find(one, "outputDimensionality", "output_dimensionality");
        return new EmbeddingRequest
        {
            Inputs = inputs,
            Purpose = word is null ? null : new Setting<EmbeddingPurpose>(EmbeddingPurposeWord.Read(word), $"{pointer}/taskType"),
            PurposeWord = word,
            Title = Find(one, "title", "title")?.GetString() is { } title ? new Setting<string>(title, $"{pointer}/title") : null,
            Dimensions = dimensions is { } count ? new Setting<long>(count.GetInt64(), $"{pointer}/outputDimensionality") : null,
        };
    }

    // Google's servers take both spellings of every name.
    private static JsonElement? Find(JsonElement body, string name, string other) =>
        (body.TryGetProperty(name, out JsonElement value) || body.TryGetProperty(other, out value)) && value.ValueKind != JsonValueKind.Null ? value : null;
}
