using System.Text.Json;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>Reads a message's <c>content</c>: a string or parts of text, images, audio and files.</summary>
internal sealed record ChatContent(string Text, IReadOnlyList<PromptImage> Images)
{
    public const int ImageTokens = 85;

    private static readonly string[] ImageTypes = ["image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"];

    public static ChatContent Read(JsonElement message, string role, string path, bool isLenient)
    {
        if (ChatFields.Find(message, "content") is not { } content)
        {
            return role == "assistant"
                ? new ChatContent(ChatFields.Text(message, "refusal", path + ".refusal") ?? "", [])
                : throw ChatErrors.WrongType(path + ".content", "one of a string or array of objects", default);
        }

        return content.ValueKind switch
        {
            JsonValueKind.String => new ChatContent(ChatFields.Text(content), []),
            JsonValueKind.Array => ReadParts(content, path, isLenient),
            _ => throw ChatErrors.WrongType(path + ".content", "one of a string or array of objects", content),
        };
    }

    private static ChatContent ReadParts(JsonElement parts, string path, bool isLenient)
    {
        List<string> texts = [];
        List<PromptImage> images = [];
        int index = 0;
        foreach (JsonElement part in parts.EnumerateArray())
        {
            ReadPart(part, $"{path}.content[{index++}]", texts, images, isLenient);
        }

        return new ChatContent(string.Join('\n', texts), images);
    }

    private static void ReadPart(JsonElement part, string path, List<string> texts, List<PromptImage> images, bool isLenient)
    {
        if (part.ValueKind == JsonValueKind.String)
        {
            texts.Add(ChatFields.Text(part));
            return;
        }

        if (part.ValueKind != JsonValueKind.Object)
        {
            throw ChatErrors.WrongType(path, "an object", part);
        }

        string type = ChatFields.Text(part, "type", path + ".type") ?? throw ChatErrors.Missing(path + ".type");
        switch (type)
        {
            case "text":
                texts.Add(ChatFields.Text(part, "text", path + ".text") ?? throw ChatErrors.Missing(path + ".text"));
                break;
            case "refusal":
                texts.Add(ChatFields.Text(part, "refusal", path + ".refusal") ?? "");
                break;
            case "image_url":
                images.Add(ReadImage(part, path + ".image_url"));
                break;
            case "file":
                images.Add(PromptImage.Document(NameOf(part, path)));
                break;
            case "input_audio" or "video_url" or "audio_url" or "thinking" or "reasoning":
                break;
            default:
                if (isLenient)
                {
                    break;
                }

                throw ChatErrors.BadValue(
                    path + ".type",
                    $"Invalid value: '{type}'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', and 'file'.");
        }
    }

    private static string NameOf(JsonElement part, string path) =>
        ChatFields.Object(part, "file", path + ".file") is { } file && ChatFields.Text(file, "filename", path + ".file.filename") is { } name ? name : "the given file";

    private static PromptImage ReadImage(JsonElement part, string path)
    {
        JsonElement holder = ChatFields.Find(part, "image_url") ?? throw ChatErrors.Missing(path);
        string url = holder.ValueKind switch
        {
            JsonValueKind.String => ChatFields.Text(holder),
            JsonValueKind.Object => ChatFields.Text(holder, "url", path + ".url") ?? throw ChatErrors.Missing(path + ".url"),
            _ => throw ChatErrors.WrongType(path, "an object", holder),
        };
        return ReadUrl(url, path + ".url");
    }

    /// <summary>An image given by its address, or in a data URL.</summary>
    public static PromptImage ReadUrl(string url, string path)
    {
        if (!url.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            return Uri.TryCreate(url, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https" or "gs" or "s3"
                ? PromptImage.ByAddress
                : throw ChatErrors.BadValue(
                    path, $"Invalid '{path}'. Expected a valid URL, but got a value with an invalid format.");
        }

        int comma = url.IndexOf(',', StringComparison.Ordinal);
        string[] head = comma < 0 ? [] : url[5..comma].Split(';');
        if (comma < 0 || !head.Contains("base64") || !ImageTypes.Contains(head[0].ToLowerInvariant()))
        {
            throw ChatErrors.BadValue(
                path,
                $"Invalid '{path}'. Expected a base64-encoded data URL with an image MIME type "
                + $"(e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), "
                + $"but got unsupported MIME type '{(head.Length > 0 ? head[0] : "")}'.");
        }

        return Decode(url[(comma + 1)..], path);
    }

    private static PromptImage Decode(string base64, string path)
    {
        byte[] bytes = new byte[(base64.Length / 4 * 3) + 3];
        if (!Convert.TryFromBase64String(base64, bytes, out int length))
        {
            throw ChatErrors.Refused(
                path, "invalid_base64", $"Invalid '{path}'. Expected a base64-encoded image, but got invalid base64 data.");
        }

        return PromptImage.Recognise(bytes.AsSpan(0, length))
            ?? throw ChatErrors.Refused(
                null,
                "invalid_image_format",
                "You uploaded an unsupported image. Please make sure your image has of one the following formats: "
                + "['png', 'jpeg', 'gif', 'webp'].");
    }
}
