using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Ballast.Cli;

/// <summary>One line of JSON on standard output: what every <c>--json</c> promises.</summary>
internal static class ReportJson
{
    public static void WriteLine(TextWriter output, Action<Utf8JsonWriter> write)
    {
        ArrayBufferWriter<byte> buffer = new(4096);
        using (Utf8JsonWriter writer = new(buffer))
        {
            write(writer);
        }

        output.WriteLine(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    public static void WriteMilliseconds(this Utf8JsonWriter writer, string name, TimeSpan? time)
    {
        if (time is TimeSpan value)
        {
            writer.WriteNumber(name, value.TotalMilliseconds);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    public static void WriteOptional(this Utf8JsonWriter writer, string name, double? number)
    {
        if (number is double value)
        {
            writer.WriteNumber(name, Math.Round(value, 6));
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    public static void WriteOptional(this Utf8JsonWriter writer, string name, decimal? number)
    {
        if (number is decimal value)
        {
            writer.WriteNumber(name, value);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    public static void WriteTexts(this Utf8JsonWriter writer, string name, IEnumerable<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (string text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }

    public static void WriteMoment(this Utf8JsonWriter writer, string name, DateTimeOffset? time)
    {
        if (time is DateTimeOffset value)
        {
            writer.WriteString(name, value.UtcDateTime);
        }
        else
        {
            writer.WriteNull(name);
        }
    }
}
