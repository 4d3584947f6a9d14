using System.Text.Json;
using System.Text.RegularExpressions;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Anthropic;

/// <summary>Reads and checks <c>system</c> and <c>messages</c>.</summary>
internal sealed partial class MessagesContent(ThinkingSignature signature, InputBlocks blocks)
{
    /// <summary>Tokens of a page-sized document, whose bytes the sandbox does not read.</summary>
    private const int DocumentTokens = 500;

    private const int MessageTokens = 4;

    private static readonly string[] ImageTypes = ["image/jpeg", "image/png", "image/gif", "image/webp"];

    private readonly List<MessageBlocks> _messages = [];

    public IReadOnlyList<MessageBlocks> Messages => _messages;

    public string ReadSystem(JsonElement body)
    {
        switch (MessagesFields.Find(body, "system"))
        {
            case null:
                return "";
            case { ValueKind: JsonValueKind.String } text:
                string all = MessagesFields.Text(text);
                blocks.Add(default, all, 0, "system");
                return all;
            case { ValueKind: JsonValueKind.Array } list:
                List<string> parts = [];
                foreach (JsonElement part in list.EnumerateArray())
                {
                    string path = $"system.{parts.Count}";
                    parts.Add(MessagesFields.RequiredText(AsObject(part, path), "text", path + ".text"));
                    blocks.Add(part, parts[^1], 0, path);
                }

                return string.Join('\n', parts);
            default:
                throw MessagesErrors.Invalid("system", "Input should be a valid string");
        }
    }

    public void ReadMessages(JsonElement body)
    {
        JsonElement list = MessagesFields.List(body, "messages", "messages") ?? throw MessagesErrors.Missing("messages");
        if (list.GetArrayLength() == 0)
        {
            throw MessagesErrors.Invalid("messages: at least one message is required");
        }

        int index = 0;
        foreach (JsonElement message in list.EnumerateArray())
        {
            ReadMessage(AsObject(message, $"messages.{index}"), index++);
        }

        if (_messages[0].Role != "user")
        {
            throw MessagesErrors.Invalid("messages: first message must use the \"user\" role");
        }

        MessagesPairing.Check(_messages, signature.AcceptsRecorded);
    }

    public IReadOnlyList<Turn> Turns() => TurnsOf(_messages);

    public static IReadOnlyList<Turn> TurnsOf(IReadOnlyList<MessageBlocks> messages)
    {
        List<Turn> turns = [];
        foreach (MessageBlocks message in messages)
        {
            if (message.Results.Count > 0)
            {
                turns.Add(new Turn(TurnRole.Tool, "") { Results = message.Results });
            }

            if (message.Results.Count == 0 || message.Texts.Count > 0 || message.Images.Count > 0)
            {
                TurnRole role = message.Role == "assistant" ? TurnRole.Assistant : TurnRole.User;

                // Text beside tool results comments on them; it does not ask for other tools.
                turns.Add(new Turn(message.Results.Count > 0 ? TurnRole.Tool : role, string.Join('\n', message.Texts))
                {
                    Images = message.Images,
                    Calls = message.Calls,
                });
            }
        }

        return turns;
    }

    private static JsonElement AsObject(JsonElement element, string path) => element.ValueKind == JsonValueKind.Object
        ? element
        : throw MessagesErrors.Invalid(path, "Input should be a valid dictionary or object to extract fields from");

    /// <summary>The one kind of message that may speak as the system: it makes deferred tools known.</summary>
    private static bool OnlyAddsTools(JsonElement message) =>
        message.TryGetProperty("content", out JsonElement content) && content.ValueKind == JsonValueKind.Array
        && content.EnumerateArray().All(block => block.ValueKind == JsonValueKind.Object
            && block.TryGetProperty("type", out JsonElement type) && type.ValueEquals("tool_addition"));

    private void ReadMessage(JsonElement message, int index)
    {
        string path = $"messages.{index}";
        string role = MessagesFields.RequiredText(message, "role", path + ".role");
        if (role == "system" && !OnlyAddsTools(message))
        {
            throw MessagesErrors.Invalid(
                "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, "
                + "not \"system\" as an input message role.");
        }

        if (role is not ("user" or "assistant" or "system"))
        {
            throw MessagesErrors.Invalid(path + ".role", "Input should be 'user' or 'assistant'");
        }

        MessageBlocks read = new(role == "system" ? "user" : role, index);
        switch (MessagesFields.Find(message, "content"))
        {
            case null:
                throw MessagesErrors.Missing(path + ".content");
            case { ValueKind: JsonValueKind.String } text:
                read.Types.Add("text");
                read.Texts.Add(MessagesFields.Text(text));
                blocks.Add(default, read.Texts[0], MessageTokens, path);
                break;
            case { ValueKind: JsonValueKind.Array } list:
                int at = 0;
                foreach (JsonElement block in list.EnumerateArray())
                {
                    string blockPath = $"{path}.content.{at++}";
                    ReadBlock(AsObject(block, blockPath), blockPath, read);
                }

                break;
            default:
                throw MessagesErrors.Invalid(path + ".content", "Input should be a valid string or list");
        }

        _messages.Add(read);
    }

    private void ReadBlock(JsonElement block, string path, MessageBlocks into)
    {
        string type = MessagesFields.RequiredText(block, "type", path + ".type");
        into.Types.Add(type);
        string counted = "";
        int extra = MessageTokens;
        switch (type)
        {
            case "text":
                counted = MessagesFields.RequiredText(block, "text", $"{path}.text.text");
                into.Texts.Add(counted.Length > 0
                    ? counted
                    : throw MessagesErrors.Invalid($"messages: text content blocks must be non-empty"));
                break;
            case "image":
                PromptImage image = ReadImage(block, $"{path}.image.source");
                into.Images.Add(image);
                extra += Math.Clamp(image.Width * image.Height / 750, 1, 1600);
                break;
            case "tool_use":
                ToolCall call = ReadCall(block, path + ".tool_use");
                into.Calls.Add(call);
                counted = call.Name + call.Arguments;
                break;
            case "tool_result":
                ToolResult result = ReadResult(block, path + ".tool_result");
                into.Results.Add(result);
                counted = result.Text;
                break;
            case "thinking":
                counted = CheckThinking(block, path);
                break;
            case "redacted_thinking":
                CheckRedacted(block, path);
                break;
            case "document":
                into.Images.Add(PromptImage.Document(MessagesFields.Text(block, "title", $"{path}.document.title") ?? "the given file"));
                extra += DocumentTokens;
                break;
            default:
                counted = CheckOther(block, type, path);
                break;
        }

        blocks.Add(block, counted, extra, path);
    }

    /// <summary>What Anthropic's own tools leave in a conversation is taken back as it is.</summary>
    private static string CheckOther(JsonElement block, string type, string path)
    {
        bool isKnown = type is "search_result" or "container_upload" or "compaction" or "server_tool_use" or "mcp_tool_use"
            or "tool_addition"
            || type.EndsWith("_tool_result", StringComparison.Ordinal);
        return isKnown
            ? block.GetRawText()
            : throw MessagesErrors.Invalid(
                path,
                $"Input tag '{type}' found using 'type' does not match any of the expected tags: 'document', 'image', 'redacted_thinking', "
                + "'search_result', 'server_tool_use', 'text', 'thinking', 'tool_result', 'tool_use', 'web_search_tool_result'");
    }

    private string CheckThinking(JsonElement block, string path)
    {
        string thinking = MessagesFields.Text(block, "thinking", $"{path}.thinking.thinking")
            ?? throw MessagesErrors.Missing($"{path}.thinking.thinking");
        string signed = MessagesFields.Text(block, "signature", $"{path}.thinking.signature")
            ?? throw MessagesErrors.Missing($"{path}.thinking.signature");
        return signature.Verify(thinking, signed)
            ? thinking
            : throw MessagesErrors.Invalid($"{path}: Invalid `signature` in `thinking` block");
    }

    private void CheckRedacted(JsonElement block, string path)
    {
        string data = MessagesFields.RequiredText(block, "data", $"{path}.redacted_thinking.data");
        if (!signature.Verify("", data))
        {
            throw MessagesErrors.Invalid($"{path}: Invalid `data` in `redacted_thinking` block");
        }
    }

    private static ToolCall ReadCall(JsonElement block, string path)
    {
        string id = MessagesFields.RequiredText(block, "id", path + ".id");
        if (!IdPattern().IsMatch(id))
        {
            throw MessagesErrors.Invalid(path + ".id", "String should match pattern '^[a-zA-Z0-9_-]+$'");
        }

        string name = MessagesFields.RequiredText(block, "name", path + ".name");
        JsonElement input = MessagesFields.Object(block, "input", path + ".input") ?? throw MessagesErrors.Missing(path + ".input");
        return new ToolCall(id, name, input.GetRawText());
    }

    private static ToolResult ReadResult(JsonElement block, string path)
    {
        string id = MessagesFields.RequiredText(block, "tool_use_id", path + ".tool_use_id");
        if (!IdPattern().IsMatch(id))
        {
            throw MessagesErrors.Invalid(path + ".tool_use_id", "String should match pattern '^[a-zA-Z0-9_-]+$'");
        }

        string text = MessagesFields.Find(block, "content") switch
        {
            null => "",
            { ValueKind: JsonValueKind.String } whole => MessagesFields.Text(whole),
            { ValueKind: JsonValueKind.Array } parts => string.Join(
                '\n', parts.EnumerateArray().Select((part, i) => ReadPart(part, $"{path}.content.{i}"))),
            _ => throw MessagesErrors.Invalid(path + ".content", "Input should be a valid string or list"),
        };
        return new ToolResult(id, "", text);
    }

    private static string ReadPart(JsonElement part, string path)
    {
        string type = MessagesFields.RequiredText(AsObject(part, path), "type", path + ".type");
        return type switch
        {
            "text" => MessagesFields.RequiredText(part, "text", path + ".text.text"),
            "image" => ReadImage(part, path + ".image.source").Description,
            _ => type,
        };
    }

    private static PromptImage ReadImage(JsonElement block, string path)
    {
        JsonElement source = MessagesFields.Object(block, "source", path) ?? throw MessagesErrors.Missing(path);
        string type = MessagesFields.RequiredText(source, "type", path + ".type");
        switch (type)
        {
            case "url":
                MessagesFields.RequiredText(source, "url", path + ".url.url");
                return PromptImage.ByAddress;
            case "file":
                MessagesFields.RequiredText(source, "file_id", path + ".file.file_id");
                return PromptImage.ByAddress;
            case "base64":
                return Decode(source, path + ".base64");
            default:
                throw MessagesErrors.Invalid(
                    path, $"Input tag '{type}' found using 'type' does not match any of the expected tags: 'base64', 'file', 'url'");
        }
    }

    private static PromptImage Decode(JsonElement source, string path)
    {
        string media = MessagesFields.RequiredText(source, "media_type", path + ".media_type");
        if (!ImageTypes.Contains(media))
        {
            throw MessagesErrors.Invalid(path + ".media_type", "Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'");
        }

        string data = MessagesFields.RequiredText(source, "data", path + ".data");
        byte[] bytes = new byte[(data.Length / 4 * 3) + 3];
        if (!Convert.TryFromBase64String(data, bytes, out int length))
        {
            throw MessagesErrors.Invalid(path, "invalid base64 data");
        }

        PromptImage image = PromptImage.Recognise(bytes.AsSpan(0, length)) ?? throw MessagesErrors.Invalid("Could not process image");
        return media == "image/" + image.Format
            ? image
            : throw MessagesErrors.Invalid(
                path + ".data",
                $"Image does not match the provided media type {media}");
    }

    [GeneratedRegex("^[a-zA-Z0-9_-]+$")]
    private static partial Regex IdPattern();
}
