using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>Answers <c>/embeddings</c>: vectors made of the input's words; texts with words in common lie near each other.</summary>
internal static class EmbeddingsEndpoint
{
    private const int FullDimensions = 1536;
    private const int MaxInputs = 2048;
    private const int MaxInputTokens = 8192;

    public static async Task AnswerAsync(Visit visit, JsonElement body, string model)
    {
        JsonElement input = ChatFields.Find(body, "input") ?? throw ChatErrors.Missing("input");
        List<string> texts = ReadInput(input);
        string format = ChatFields.Text(body, "encoding_format", "encoding_format") ?? "float";
        if (format is not ("float" or "base64"))
        {
            throw ChatErrors.BadValue(
                "encoding_format", $"Invalid value: '{format}'. Supported values are: 'float' and 'base64'.");
        }

        int dimensions = (int)(ChatFields.Integer(body, "dimensions", 1) ?? FullDimensions);
        if (dimensions > FullDimensions)
        {
            throw ChatErrors.BadValue(
                "dimensions",
                $"Invalid value for 'dimensions' = {dimensions}. Must be less than or equal to {FullDimensions}.");
        }

        long tokens = 0;
        JsonArray data = [];
        for (int i = 0; i < texts.Count; i++)
        {
            tokens += CountTokens(texts[i]);
            float[] vector = Embed(texts[i], dimensions);
            JsonNode embedding = format == "base64" ? Convert.ToBase64String(MemoryMarshal.AsBytes<float>(vector)) : List(vector);
            data.Add((JsonNode)new JsonObject { ["object"] = "embedding", ["index"] = i, ["embedding"] = embedding });
        }

        visit.Billing.InputTokens = tokens;
        JsonObject answer = new() { ["object"] = "list", ["data"] = data, ["model"] = model };
        if (!visit.HasFault(FaultKind.MissingUsage))
        {
            answer["usage"] = new JsonObject { ["prompt_tokens"] = tokens, ["total_tokens"] = tokens };
        }

        await AnswerPlayer.WholeAsync(visit, answer, []).ConfigureAwait(false);
    }

    /// <summary>The vector of a text, as a list of numbers.</summary>
    public static JsonArray Values(string text, int dimensions) => List(Embed(text, dimensions));

    private static int CountTokens(string text)
    {
        int tokens = Tokens.Count(text);
        return tokens <= MaxInputTokens
            ? tokens
            : throw ChatErrors.Refused(
                null,
                null,
                $"This model's maximum context length is {MaxInputTokens} tokens, however you requested {tokens} tokens. "
                + "Please reduce your prompt.");
    }

    private static List<string> ReadInput(JsonElement input)
    {
        if (input.ValueKind == JsonValueKind.String)
        {
            return [ReadText(input)];
        }

        if (input.ValueKind != JsonValueKind.Array || input.GetArrayLength() is 0 or > MaxInputs)
        {
            throw ChatErrors.BadValue("input", "'$.input' is invalid. Please check the API reference.");
        }

        return input[0].ValueKind == JsonValueKind.Number
            ? [input.GetRawText()]
            : [.. input.EnumerateArray().Select(item => item.ValueKind switch
            {
                JsonValueKind.String => ReadText(item),
                JsonValueKind.Array => item.GetRawText(),
                _ => throw ChatErrors.BadValue("input", "'$.input' is invalid. Please check the API reference."),
            })];
    }

    private static string ReadText(JsonElement item)
    {
        string text = ChatFields.Text(item);
        return text.Length > 0
            ? text
            : throw ChatErrors.BadValue("input", "Invalid 'input': input cannot be an empty string.");
    }

    public static float[] Embed(string text, int dimensions)
    {
        double[] sum = new double[dimensions];
        IReadOnlyList<string> words = new PromptWords(text).All;
        foreach (string word in words.Count > 0 ? words : [text])
        {
            Dice dice = new(0, "embedding", PromptWords.Stem(word));
            for (int i = 0; i < dimensions; i++)
            {
                sum[i] += dice.NextDouble() - 0.5;
            }
        }

        double length = Math.Sqrt(sum.Sum(value => value * value));
        return [.. sum.Select(value => (float)(value / length))];
    }

    public static JsonArray List(float[] vector)
    {
        JsonArray list = [];
        foreach (float value in vector)
        {
            list.Add((JsonNode)value);
        }

        return list;
    }
}
