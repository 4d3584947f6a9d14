using System.Text.Json;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.OpenAIShape;

namespace Ballast.Sandbox.Responses;

/// <summary>Reads the content of a message or of a tool's output: a string, or parts of text, images and files.</summary>
internal sealed record ResponsesContent(string Text, IReadOnlyList<PromptImage> Images)
{
    private static readonly string[] s_media = ["application/pdf", "text/", "application/json", "application/vnd."];

    /// <param name="content">The field's value.</param>
    /// <param name="path">Where it stands in the request.</param>
    /// <param name="isAssistant">The model has said it.</param>
    /// <param name="house">The platform.</param>
    public static ResponsesContent Read(JsonElement content, string path, bool isAssistant, ResponsesHouse house)
    {
        switch (content.ValueKind)
        {
            case JsonValueKind.String:
                return new ResponsesContent(ChatFields.Text(content), []);
            case JsonValueKind.Array:
                List<string> texts = [];
                List<PromptImage> images = [];
                int index = 0;
                foreach (JsonElement part in content.EnumerateArray())
                {
                    ReadPart(part, $"{path}[{index++}]", isAssistant, texts, images, house);
                }

                return new ResponsesContent(string.Join('\n', texts), images);
            default:
                throw ChatErrors.WrongType(path, "one of an array of objects or string", content);
        }
    }

    private static void ReadPart(JsonElement part, string path, bool isAssistant, List<string> texts, List<PromptImage> images, ResponsesHouse house)
    {
        if (part.ValueKind != JsonValueKind.Object)
        {
            throw ChatErrors.WrongType(path, "an object", part);
        }

        string type = ChatFields.Text(part, "type", path + ".type") ?? throw ChatErrors.Missing(path + ".type");
        switch (type)
        {
            case "output_text" when isAssistant:
            case "input_text" when !isAssistant || house.IsLenient:
                texts.Add(ChatFields.Text(part, "text", path + ".text") ?? throw ChatErrors.Missing(path + ".text"));
                break;
            case "refusal" when isAssistant:
                texts.Add(ChatFields.Text(part, "refusal", path + ".refusal") ?? throw ChatErrors.Missing(path + ".refusal"));
                break;
            case "input_image" when !isAssistant:
                images.Add(ReadImage(part, path, house));
                break;
            case "input_file" when !isAssistant:
                images.Add(ReadFile(part, path, house));
                break;
            default:
                if (!house.IsLenient)
                {
                    string known = isAssistant ? "'output_text' and 'refusal'" : "'input_text', 'input_image', and 'input_file'";
                    throw ChatErrors.BadValue(path, $"Invalid value: '{type}'. Supported values are: {known}.");
                }

                break;
        }
    }

    private static PromptImage ReadImage(JsonElement part, string path, ResponsesHouse house)
    {
        if (ChatFields.Text(part, "file_id", path + ".file_id") is { } id)
        {
            return Kept(id, house) is { } file ? PromptImage.Recognise(file.Content) ?? throw Unsupported(path) : PromptImage.ByAddress;
        }

        string url = ChatFields.Text(part, "image_url", path + ".image_url") ?? throw ChatErrors.Missing(path + ".image_url");
        return ChatContent.ReadUrl(url, path + ".image_url");
    }

    private static PromptImage ReadFile(JsonElement part, string path, ResponsesHouse house)
    {
        string name = ChatFields.Text(part, "filename", path + ".filename") ?? "the given file";
        if (ChatFields.Text(part, "file_id", path + ".file_id") is { } id)
        {
            return PromptImage.Document(Kept(id, house)?.Name ?? name);
        }

        if (ChatFields.Text(part, "file_url", path + ".file_url") is { } address)
        {
            return Uri.TryCreate(address, UriKind.Absolute, out _)
                ? PromptImage.Document(name)
                : throw ChatErrors.BadValue(path + ".file_url", $"Invalid '{path}.file_url'. Expected a valid URL, but got a value with an invalid format.");
        }

        string data = ChatFields.Text(part, "file_data", path + ".file_data") ?? throw ChatErrors.Missing(path + ".file_data");
        int comma = data.IndexOf(',', StringComparison.Ordinal);
        string media = data.StartsWith("data:", StringComparison.OrdinalIgnoreCase) && comma > 5 ? data[5..comma].Split(';')[0] : "";
        if (!house.IsLenient && !s_media.Any(known => media.StartsWith(known, StringComparison.OrdinalIgnoreCase)))
        {
            throw ChatErrors.BadValue(
                path + ".file_data",
                $"Invalid file data: '{path}.file_data'. Expected a base64-encoded data URL with a valid file MIME type "
                + $"(e.g. 'data:text/plain;base64,SGVsbG8sIFdvcmxkIQ=='), but got unsupported MIME type '{media}'.");
        }

        return PromptImage.Document(name);
    }

    /// <summary>A file of the platform's own; null where ids of recorded files are taken.</summary>
    private static CabinetFile? Kept(string id, ResponsesHouse house) =>
        house.Files.FindFile(id)
        ?? (house.IsLenient ? null : throw new Server.VendorErrorException(new Server.VendorError(404, "invalid_request_error", $"The file with id {id} was not found.", null, "input")));

    private static Server.VendorErrorException Unsupported(string path) =>
        ChatErrors.Refused(path, "invalid_image_format", "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].");
}
