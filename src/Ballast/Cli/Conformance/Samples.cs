namespace Ballast.Cli.Conformance;

/// <summary>What requests are made of.</summary>
internal static class Samples
{
    public const string Tool = "get_weather";
    public const string Argument = "city";
    public const string Schema = """{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}""";
    public const string ChatTools = $$$"""[{"type":"function","function":{"name":"{{{Tool}}}","description":"Current weather of one city.","parameters":{{{Schema}}}}}]""";
    public const string MessagesTools = $$$"""[{"name":"{{{Tool}}}","description":"Current weather of one city.","input_schema":{{{Schema}}}}]""";
    public const string OneCity = "What is the weather in Paris? Use the tool.";
    public const string TwoCities = "What is the weather in Paris and in Oslo? Call the tool once for each city, two calls at once.";

    /// <summary>A red square of 8 × 8 pixels.</summary>
    public const string Png =
        "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mP4z8CAFTEMLQkAKP8/wc53yE8AAAAASUVORK5CYII=";

    /// <summary>An empty page.</summary>
    public static readonly string Pdf = Convert.ToBase64String(
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"u8);

    /// <summary>200 kB of text.</summary>
    public static readonly string LargePrompt = string.Concat(Enumerable.Repeat("All work and no play. ", 9_000));

    /// <summary>Letters of many scripts, an emoji, a pair of surrogates written as escapes, control characters.</summary>
    public const string Unicode = "Grüße, 你好, שלום, नमस्ते, 🚲 \u0001\u2028 ok";
}
