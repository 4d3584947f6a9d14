using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>Prompts whose answers are known, a tool and a schema; the same as in <c>node/suite.mjs</c>.</summary>
internal static class Samples
{
    public const string ExactText = "Grüße, 世界 🌍!";
    public const string ExactPrompt = $"Reply with exactly \"{ExactText}\"";
    public const string CountPrompt = "Count from 1 to 40.";
    public const string LongPrompt = "Count from 1 to 900.";
    public const string WeatherPrompt = "What is the weather in Paris right now?";
    public const string TwoCitiesPrompt = "Compare the weather in Paris and London.";
    public const string WrongKey = "a-key-that-nobody-gave";

    public const string ToolName = "get_weather";
    public const string ToolDescription = "Tells the current weather of a city.";
    public const string ToolSchema = """
        {"type":"object","properties":{"city":{"type":"string","description":"Name of the city"},"unit":{"type":"string","enum":["celsius","fahrenheit"]}},"required":["city","unit"],"additionalProperties":false}
        """;

    public const string ShipSchema = """
        {"type":"object","properties":{"name":{"type":"string"},"masts":{"type":"integer"},"kind":{"type":"string","enum":["barque","brig","sloop"]}},"required":["name","masts","kind"],"additionalProperties":false}
        """;

    public static readonly string Counted = string.Join(", ", Enumerable.Range(1, 40));

    /// <summary>A PNG of 7 by 5 pixels; the sandbox tells its size, so an answer shows whether it arrived.</summary>
    public static readonly byte[] Png = MakePng(7, 5);

    /// <summary>A document without a page.</summary>
    public static readonly byte[] Pdf = "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"u8.ToArray();

    public static JsonElement Json(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    public static void CheckWeather(string arguments, string city) => CheckWeather(Json(arguments), city);

    public static void CheckWeather(JsonElement arguments, string city)
    {
        Assert.Contains(city, arguments.GetProperty("city").GetString(), StringComparison.Ordinal);
        Assert.Contains(arguments.GetProperty("unit").GetString(), (string[])["celsius", "fahrenheit"]);
    }

    public static void CheckShip(string json)
    {
        JsonElement ship = Json(json);
        Assert.Equal(3, ship.EnumerateObject().Count());
        Assert.Equal(JsonValueKind.String, ship.GetProperty("name").ValueKind);
        Assert.True(ship.GetProperty("masts").TryGetInt64(out _));
        Assert.Contains(ship.GetProperty("kind").GetString(), (string[])["barque", "brig", "sloop"]);
    }

    private static byte[] MakePng(int width, int height)
    {
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8;
        header[9] = 2;
        using MemoryStream pixels = new();
        using (ZLibStream packed = new(pixels, CompressionLevel.Fastest, leaveOpen: true))
        {
            packed.Write(new byte[height * (1 + (width * 3))]);
        }

        return [0x89, .. "PNG\r\n\u001a\n"u8, .. Chunk("IHDR", header), .. Chunk("IDAT", pixels.ToArray()), .. Chunk("IEND", [])];
    }

    private static byte[] Chunk(string type, byte[] data)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. data];
        byte[] length = new byte[4];
        byte[] sum = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(sum, Crc(body));
        return [.. length, .. body, .. sum];
    }

    private static uint Crc(byte[] bytes)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte unit in bytes)
        {
            crc ^= unit;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0xEDB88320;
            }
        }

        return ~crc;
    }
}
