using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ballast.Protocols;

/// <summary>OpenAI's list of models, one for all its protocols.</summary>
internal static class OpenAIModels
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static void Write(IReadOnlyList<ModelDescription> models, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, s_options);
        json.WriteStartObject();
        json.WriteString("object"u8, "list"u8);
        json.WriteStartArray("data"u8);
        foreach (ModelDescription model in models)
        {
            Write(model, json);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static void Write(ModelDescription model, IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, s_options);
        Write(model, json);
    }

    private static void Write(ModelDescription model, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, model.Name);
        json.WriteString("object"u8, "model"u8);
        json.WriteNumber("created"u8, model.CreatedUnixSeconds);
        json.WriteString("owned_by"u8, model.Owner);
        json.WriteEndObject();
    }
}
