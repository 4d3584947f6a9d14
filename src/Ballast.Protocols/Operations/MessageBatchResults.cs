using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Operations;

/// <summary>
/// Finds what each answer of a batch of Messages used while its results pass by: a JSON object a line,
/// <c>{"custom_id": …, "result": {"type": "succeeded", "message": {"model": …, "usage": …}}}</c>. Refused, cancelled and expired requests have no message, and cost nothing.
/// </summary>
/// <param name="answer">Takes the model that answered and what it used, once for each answer.</param>
public sealed class MessageBatchResults(Action<string, Usage> answer)
{
    /// <summary>Longest line that is looked into, in bytes: several times the longest answer that any model gives.</summary>
    public const int LineBytesMax = 8 * 1024 * 1024;

    private readonly ArrayBufferWriter<byte> _line = new();
    private bool _isTooLong;

    /// <summary>A line was passed by without being looked into: what it used is not known.</summary>
    public bool IsIncomplete { get; private set; }

    /// <summary>Takes the next bytes, cut anywhere.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int end = bytes.IndexOf((byte)'\n');
            ReadOnlySpan<byte> piece = end < 0 ? bytes : bytes[..end];
            _isTooLong |= _line.WrittenCount + piece.Length > LineBytesMax;
            if (!_isTooLong)
            {
                _line.Write(piece);
            }

            if (end >= 0)
            {
                End();
            }

            bytes = end < 0 ? default : bytes[(end + 1)..];
        }
    }

    /// <summary>Nothing follows, or nothing more of this line.</summary>
    public void End()
    {
        IsIncomplete |= _isTooLong;
        if (!_isTooLong && _line.WrittenSpan.ContainsAnyExcept(" \t\r"u8))
        {
            Count(_line.WrittenMemory);
        }

        _line.ResetWrittenCount();
        _isTooLong = false;
    }

    private void Count(ReadOnlyMemory<byte> line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            if (Find(document.RootElement, "result") is not { } result || Find(result, "message") is not { } message || Find(message, "usage") is not { } usage)
            {
                return;
            }

            long written = Number(usage, "cache_creation_input_tokens");
            long longer = Find(usage, "cache_creation") is { } byTime ? Math.Min(written, Number(byTime, "ephemeral_1h_input_tokens")) : 0;
            answer(message.TryGetProperty("model", out JsonElement model) && model.ValueKind == JsonValueKind.String ? model.GetString()! : "", new Usage
            {
                InputTokens = Number(usage, "input_tokens"),
                CacheReadTokens = Number(usage, "cache_read_input_tokens"),
                CacheWriteTokens = written - longer,
                CacheWriteLongTokens = longer,
                OutputTokens = Number(usage, "output_tokens"),
                ServiceTier = ServiceTier.Batch,
            });
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // Passed on as it is; its reader will tell.
            IsIncomplete = true;
        }
    }

    private static JsonElement? Find(JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Object ? value : null;

    private static long Number(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number > 0 ? number : 0;
}
