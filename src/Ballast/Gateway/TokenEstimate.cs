using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Microsoft.ML.Tokenizers;

namespace Ballast.Gateway;

/// <summary>
/// Counts tokens where no vendor does: upwards, so that money is never understated, and always flagged. The tokenizer (o200k) takes half a second to load and is
/// loaded on first use.
/// </summary>
public static class TokenEstimate
{
    /// <summary>What a message costs beyond its text: role and separators.</summary>
    public const int TokensPerMessage = 4;

    /// <summary>What one image is taken for; vendors count between 85 and about 1,600.</summary>
    public const int TokensPerImage = 1600;

    /// <summary>UTF-8 bytes of an answer for one token, on the low side: English has about four, scripts of three bytes a character about one character.</summary>
    private const int BytesPerToken = 3;

    /// <summary>Other vendors' tokenizers make up to a quarter more of a text than the one that is counted with.</summary>
    private const int TokenizerMargin = 4;

    /// <summary>What vendors put around a request, on the high side.</summary>
    private const int TokensPerRequest = 16;

    private static readonly Lazy<Tokenizer> Tokenizer = new(() => TiktokenTokenizer.CreateForEncoding("o200k_base"));

    /// <summary>Input tokens of a request.</summary>
    public static long Count(ChatRequest request)
    {
        long tokens = 3;
        foreach (Message message in request.Messages)
        {
            tokens += TokensPerMessage + Count(message.Parts);
        }

        foreach (Tool tool in request.Tools)
        {
            tokens += TokensPerMessage + Count(tool.Name) + Count(tool.Description) + Count(tool.Parameters.ToString()) + Count(tool.FreeText?.Definition) + Count(tool.Native.ToString());
        }

        return tokens + Count(request.ResponseFormat?.Schema.ToString());
    }

    /// <summary>Tokens of a text of which only the length in bytes is known.</summary>
    public static long OfLength(long bytes) => (bytes + BytesPerToken - 1) / BytesPerToken;

    /// <summary>Tokens of a request, and of an answer of which only the length in bytes is known.</summary>
    public static Usage Of(Exchange exchange, long bytes) => exchange.Protocol.Family switch
    {
        ProtocolFamily.Chat => new() { InputTokens = InputOf(exchange), OutputTokens = OfLength(bytes), IsEstimated = true },
        ProtocolFamily.Embeddings => new() { InputTokens = OfLength(exchange.Envelope.Body.Length), IsEstimated = true },

        // Pictures and sound are not priced by tokens: that nothing is known is said by the flag.
        _ => new() { IsEstimated = true },
    };

    private static long InputOf(Exchange exchange)
    {
        try
        {
            long tokens = Count(exchange.Request);
            return tokens + (tokens / TokenizerMargin) + TokensPerRequest;
        }
        catch (ProtocolException)
        {
            // A request that only its vendor understands: three bytes for a token errs upwards.
            return OfLength(exchange.Envelope.Body.Length);
        }
    }

    private static long Count(IReadOnlyList<Part> parts)
    {
        long tokens = 0;
        foreach (Part part in parts)
        {
            tokens += part switch
            {
                TextPart text => Count(text.Text),
                RefusalPart refusal => Count(refusal.Text),
                ThinkingPart thinking => Count(thinking.Text),
                RedactedThinkingPart redacted => OfLength(redacted.Data.Length),
                ToolCallPart call => TokensPerMessage + Count(call.Name) + Count(call.Arguments),
                ToolResultPart result => TokensPerMessage + Count(result.Content),
                ImagePart => TokensPerImage,
                DocumentPart document => Count(document.Text) + OfLength(document.Source.Base64?.Length ?? 0),
                AudioPart audio => OfLength(audio.Base64.Length),
                OpaquePart opaque => Count(opaque.Value.ToString()),
                _ => 0,
            };
        }

        return tokens;
    }

    private static long Count(string? text) => string.IsNullOrEmpty(text) ? 0 : Tokenizer.Value.CountTokens(text);
}
