using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ballast.Protocols.Tests.Wire;

/// <summary>JSON with sorted keys, no white space and numbers by value, so that two spellings of one value compare equal.</summary>
public static class CanonicalJson
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(string json) => Of(Encoding.UTF8.GetBytes(json));

    public static string Of(ReadOnlyMemory<byte> json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return Of(document.RootElement);
    }

    public static string Of(JsonElement element)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer, s_options))
        {
            Write(element, writer);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>A stream as one line for each frame: its name, if any, and its data in canonical form; comments as they are. Lines of JSON likewise.</summary>
    public static string OfStream(string stream)
    {
        StringBuilder text = new();
        foreach (string frame in stream.Replace("\r\n", "\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            foreach (string line in frame.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                bool isJson = line.StartsWith("data: {", StringComparison.Ordinal);
                text.Append(isJson ? "data: " + Of(line[6..]) : line.StartsWith('{') ? Of(line) : line).Append('\n');
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static void Write(JsonElement element, Utf8JsonWriter writer)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (JsonProperty property in element.EnumerateObject().OrderBy(p => p.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(property.Name);
                    Write(property.Value, writer);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (JsonElement item in element.EnumerateArray())
                {
                    Write(item, writer);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.Number when !element.TryGetInt64(out _):
                double number = element.GetDouble();
                if (number == Math.Floor(number) && Math.Abs(number) < 1e15)
                {
                    writer.WriteNumberValue((long)number);
                }
                else
                {
                    writer.WriteNumberValue(number);
                }

                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }
}
