using System.Text.Json;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Google;

/// <summary>Bytes within a request, with their type: what they cost, and what can be seen in them.</summary>
internal readonly record struct GeminiMedia(PromptImage? Image, long Tokens)
{
    /// <summary>Tokens of a picture and of a page.</summary>
    public const long TokensEach = 258;

    private static readonly string[] s_imageTypes = ["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"];

    public static GeminiMedia Read(JsonElement element, string path, bool isLenient)
    {
        GeminiObject blob = GeminiObject.Open(element, path, isLenient, "mimeType", "data", "displayName");
        string type = blob.Text("mimeType") ?? "";
        byte[] bytes = blob.Bytes("data") ?? [];
        if (bytes.Length == 0)
        {
            throw GoogleErrors.Invalid($"* GenerateContentRequest.{blob.At("data")}: data must not be empty.\n");
        }

        if (s_imageTypes.Contains(type))
        {
            PromptImage? image = PromptImage.Recognise(bytes);
            return image is null && type is "image/png" or "image/jpeg" or "image/webp"
                ? throw GoogleErrors.Invalid("Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting")
                : new GeminiMedia(image ?? PromptImage.ByAddress, TokensEach);
        }

        return type switch
        {
            "application/pdf" when !bytes.AsSpan().StartsWith("%PDF"u8) => throw GoogleErrors.Invalid("The document has no pages."),
            "application/pdf" => new GeminiMedia(PromptImage.Document(blob.Text("displayName") ?? "without a name"), TokensEach),
            _ when type.StartsWith("text/", StringComparison.Ordinal) || type is "application/json" => new GeminiMedia(null, Math.Max(1, bytes.Length / 4)),
            _ when type.StartsWith("audio/", StringComparison.Ordinal) || type.StartsWith("video/", StringComparison.Ordinal) => new GeminiMedia(null, TokensEach),
            _ => throw GoogleErrors.Invalid($"Unsupported MIME type: {type}"),
        };
    }
}
