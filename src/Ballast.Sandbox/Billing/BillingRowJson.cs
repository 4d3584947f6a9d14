using System.Buffers;
using System.Text.Json;

namespace Ballast.Sandbox.Billing;

/// <summary>One <see cref="BillingRow"/> as one line of JSON, and back.</summary>
internal static class BillingRowJson
{
    public static byte[] Write(BillingRow row)
    {
        ArrayBufferWriter<byte> buffer = new(512);
        using (Utf8JsonWriter json = new(buffer))
        {
            Write(json, row);
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static void Write(Utf8JsonWriter json, BillingRow row)
    {
        json.WriteStartObject();
        json.WriteString("time", row.Time);
        json.WriteString("platform", row.Platform);
        json.WriteString("request_id", row.RequestId);
        json.WriteString("client_request_id", row.ClientRequestId);
        json.WriteString("model", row.Model);
        json.WriteString("path", row.Path);
        json.WriteBoolean("stream", row.Stream);
        json.WriteNumber("status", row.Status);
        json.WriteString("outcome", row.Outcome);
        json.WriteNumber("input_tokens", row.InputTokens);
        json.WriteNumber("cache_read_tokens", row.CacheReadTokens);
        json.WriteNumber("cache_write_tokens", row.CacheWriteTokens);
        json.WriteNumber("output_tokens", row.OutputTokens);
        json.WriteString("finish", row.Finish);
        json.WriteEndObject();
    }

    /// <exception cref="JsonException">The line is not a billing row.</exception>
    public static BillingRow Read(string line)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement row = document.RootElement;
        return new BillingRow
        {
            Time = row.GetProperty("time").GetDateTimeOffset(),
            Platform = row.GetProperty("platform").GetString()!,
            RequestId = row.GetProperty("request_id").GetString()!,
            ClientRequestId = row.GetProperty("client_request_id").GetString(),
            Model = row.GetProperty("model").GetString(),
            Path = row.GetProperty("path").GetString()!,
            Stream = row.GetProperty("stream").GetBoolean(),
            Status = row.GetProperty("status").GetInt32(),
            Outcome = row.GetProperty("outcome").GetString()!,
            InputTokens = row.GetProperty("input_tokens").GetInt64(),
            CacheReadTokens = row.GetProperty("cache_read_tokens").GetInt64(),
            CacheWriteTokens = row.GetProperty("cache_write_tokens").GetInt64(),
            OutputTokens = row.GetProperty("output_tokens").GetInt64(),
            Finish = row.GetProperty("finish").GetString(),
        };
    }
}
