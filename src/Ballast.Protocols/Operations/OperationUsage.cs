using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Operations;

/// <summary>
/// Reads the tokens that operations other than chat report: <c>prompt_tokens</c>, <c>completion_tokens</c>, <c>total_tokens</c> (embeddings, completions, reranking),
/// <c>input_tokens</c>, <c>output_tokens</c> (images, transcriptions), Cohere's <c>meta.billed_units</c> and <c>meta.tokens</c>,
/// Google's <c>promptTokenCount</c>.
/// </summary>
internal static class OperationUsage
{
    /// <summary>The reader stands on the object's start and is left at its end. Null where it tells no tokens.</summary>
    public static Usage? Read(ref Utf8JsonReader reader)
    {
        long? input = null, output = null, total = null, cached = null;
        MediaCounts media = default;
        int depth = reader.CurrentDepth;
        while (reader.Read() && reader.CurrentDepth > depth)
        {
            if (reader.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }

            media.Enter(in reader);
            bool isInput = reader.ValueTextEquals("prompt_tokens"u8) || reader.ValueTextEquals("input_tokens"u8) || reader.ValueTextEquals("promptTokenCount"u8);
            bool isOutput = reader.ValueTextEquals("completion_tokens"u8) || reader.ValueTextEquals("output_tokens"u8);
            bool isTotal = reader.ValueTextEquals("total_tokens"u8);
            bool isCached = reader.ValueTextEquals("cached_tokens"u8);
            bool isAudio = reader.ValueTextEquals("audio_tokens"u8);
            bool isImage = reader.ValueTextEquals("image_tokens"u8);
            reader.Read();
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long count) || count < 0)
            {
                continue;
            }

            media.Take(isAudio, isImage, count);

            // Of a figure told twice (in all, and by kind of medium) the first and outer one counts.
            input ??= isInput ? count : null;
            output ??= isOutput ? count : null;
            total ??= isTotal ? count : null;
            cached ??= isCached ? count : null;
        }

        if (input is null && output is null && total is null)
        {
            return null;
        }

        long all = input ?? Math.Max(0, (total ?? 0) - (output ?? 0));
        long read = Math.Min(cached ?? 0, all);
        return new Usage { InputTokens = all - read, CacheReadTokens = read, OutputTokens = output ?? Math.Max(0, (total ?? all) - all), Media = media.ToUsage() };
    }

    /// <summary>Tokens by kind of medium, which stand in objects of their own: of the input, of what of it was cached, of the output.</summary>
    private struct MediaCounts
    {
        private int _inputDepth;
        private int _cachedDepth;
        private int _outputDepth;
        private long _audio;
        private long _cachedAudio;
        private long _outputAudio;
        private long _image;
        private long _cachedImage;
        private long _outputImage;

        /// <summary>The reader stands on a name: it may be that of such an object, or lie behind one.</summary>
        public void Enter(in Utf8JsonReader reader)
        {
            int depth = reader.CurrentDepth;
            _inputDepth = depth <= _inputDepth ? 0 : _inputDepth;
            _cachedDepth = depth <= _cachedDepth ? 0 : _cachedDepth;
            _outputDepth = depth <= _outputDepth ? 0 : _outputDepth;
            if (reader.ValueTextEquals("input_tokens_details"u8) || reader.ValueTextEquals("input_token_details"u8) || reader.ValueTextEquals("prompt_tokens_details"u8))
            {
                _inputDepth = depth;
            }
            else if (reader.ValueTextEquals("cached_tokens_details"u8))
            {
                _cachedDepth = depth;
            }
            else if (reader.ValueTextEquals("output_tokens_details"u8) || reader.ValueTextEquals("output_token_details"u8) || reader.ValueTextEquals("completion_tokens_details"u8))
            {
                _outputDepth = depth;
            }
        }

        public void Take(bool isAudio, bool isImage, long count)
        {
            bool isCached = _cachedDepth > 0, isOutput = _outputDepth > 0, isInput = _inputDepth > 0 && !isCached;
            _audio = isAudio && isInput ? count : _audio;
            _cachedAudio = isAudio && isCached ? count : _cachedAudio;
            _outputAudio = isAudio && isOutput ? count : _outputAudio;
            _image = isImage && isInput ? count : _image;
            _cachedImage = isImage && isCached ? count : _cachedImage;
            _outputImage = isImage && isOutput ? count : _outputImage;
        }

        public readonly MediaUsage? ToUsage() => MediaUsage.Of(_audio, _cachedAudio, _outputAudio, _image, _cachedImage, _outputImage);
    }
}
