using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>
/// Brings a body from the form of one kind of endpoint into that of another: Anthropic's own names the model and says whether to stream, a cloud's has both in its address
/// and says its version instead. Every other field goes on byte for byte.
/// </summary>
internal static class AnthropicMessagesCloudBody
{
    public static void Write(RequestEnvelope envelope, RequestTarget target, bool isCount, IBufferWriter<byte> output)
    {
        string model = $"\"model\":\"{JsonEncodedText.Encode(target.Model)}\"";
        // A count's address is the same for all models.
        string head = target.VersionInBody is not { } version ? model
            : isCount ? $"\"anthropic_version\":\"{version}\",{model}"
            : $"\"anthropic_version\":\"{version}\"";
        Put(output, "{" + head);
        if (envelope.Stream && !isCount)
        {
            Put(output, ",\"stream\":true");
        }

        if (envelope.MaxOutputTokens is null && !isCount)
        {
            Put(output, string.Create(CultureInfo.InvariantCulture, $",\"max_tokens\":{target.DefaultMaxOutputTokens}"));
        }

        if (target.Betas is { Count: > 0 })
        {
            Put(output, ",");
            BetaField.TryWriteList(target.Betas, output);
        }

        ReadOnlySpan<byte> body = envelope.Body.Span;
        Utf8JsonReader json = new(body, JsonFields.ReaderOptions);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            int start = (int)json.TokenStartIndex;
            bool isLeftOut = json.ValueTextEquals("model"u8) || json.ValueTextEquals("stream"u8) || json.ValueTextEquals("anthropic_version"u8)
                || (target.Betas is not null && json.ValueTextEquals("anthropic_beta"u8))
                || (json.ValueTextEquals("max_tokens"u8) && (isCount || envelope.MaxOutputTokens is null));
            json.Read();
            json.Skip();
            if (!isLeftOut)
            {
                output.Write(","u8);
                output.Write(body[start..(int)json.BytesConsumed]);
            }
        }

        Put(output, "}");
    }

    private static void Put(IBufferWriter<byte> output, string text) => output.Write(Encoding.UTF8.GetBytes(text));
}
