using System.Text.Json;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OllamaChat;

/// <summary>The first look at a request.</summary>
internal static class OllamaChatEnvelope
{
    public static RequestEnvelope Peek(ReadOnlyMemory<byte> body) => BodyFields.Peek(body, fields => Make(body, fields));

    private static RequestEnvelope Make(ReadOnlyMemory<byte> body, BodyFields fields)
    {
        fields.ExpectArray("messages");
        bool stream = fields.Flag("stream", otherwise: true);
        return new RequestEnvelope
        {
            Body = body,
            Model = fields.Text("model"),
            ModelValue = fields.Find("model"),
            Stream = stream,
            StreamUsage = stream,
            MaxOutputTokens = PredictLimit(fields),
            AsksJsonSchema = fields.KindOf("format") == (byte)'{',
            HasForeignThinking = ForeignThinking.IsIn(body.Span),
        };
    }

    /// <summary><c>options.num_predict</c>; a negative one is no limit.</summary>
    private static long? PredictLimit(BodyFields fields)
    {
        JsonSpan options = fields.Find("options");
        if (!options.IsPresent)
        {
            return null;
        }

        Utf8JsonReader reader = fields.Open(options);
        while (reader.TokenType != JsonTokenType.EndObject && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isLimit = reader.ValueTextEquals("num_predict"u8);
            reader.Read();
            if (isLimit)
            {
                return BodyFields.Limit(reader);
            }

            reader.Skip();
        }

        return null;
    }
}
