using System.Text.Json;
using System.Text.RegularExpressions;
using Ballast.Sandbox.Anthropic;
using Ballast.Sandbox.Aws;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Bedrock;

/// <summary>Reads and checks <c>system</c> and <c>messages</c> of a Converse request.</summary>
internal sealed partial class ConverseContent(BedrockModel model, ThinkingSignature signature)
{
    /// <summary>Tokens of a page-sized document, whose bytes the sandbox does not read.</summary>
    private const int DocumentTokens = 500;

    private const int BlockTokens = 4;
    private const int FiveMinutes = 300;
    private const int OneHour = 3600;

    private static readonly string[] s_documents = ["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"];
    private static readonly string[] s_images = ["png", "jpeg", "gif", "webp"];

    private readonly List<MessageBlocks> _messages = [];
    private readonly List<InputBlock> _blocks = [];

    public IReadOnlyList<MessageBlocks> Messages => _messages;

    public IReadOnlyList<InputBlock> Blocks => _blocks;

    public void Count(string text, int extra = 0) => _blocks.Add(new InputBlock(text, Tokens.Count(text) + extra, null));

    public string ReadSystem(JsonElement body)
    {
        List<string> parts = [];
        int index = 0;
        foreach (JsonElement block in ConverseFields.List(body, "system")?.EnumerateArray() ?? default)
        {
            string path = $"system.{index++}";
            JsonProperty member = ConverseFields.OnlyMember(block, path);
            switch (member.Name)
            {
                case "text":
                    parts.Add(NotBlank(member.Value, "SystemContentBlock", path));
                    Count(parts[^1]);
                    break;
                case "cachePoint":
                    Mark(member.Value);
                    break;
                case "guardContent":
                    break;
                default:
                    throw ConverseFields.Wrong();
            }
        }

        return string.Join('\n', parts);
    }

    public void ReadMessages(JsonElement body)
    {
        JsonElement list = ConverseFields.List(body, "messages") ?? throw ConverseFields.Missing("messages");
        foreach (JsonElement message in list.EnumerateArray())
        {
            ReadMessage(message, $"messages.{_messages.Count}");
        }

        if (_messages.Count == 0 || _messages[0].Role != "user")
        {
            throw BedrockErrors.Invalid("A conversation must start with a user message. Try again with a conversation that starts with a user message.");
        }

        for (int i = 1; i < _messages.Count; i++)
        {
            if (_messages[i].Role == _messages[i - 1].Role)
            {
                throw BedrockErrors.Invalid(
                    "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.");
            }
        }

        CheckPairs();
    }

    /// <summary>A point up to which everything is to be cached.</summary>
    public void Mark(JsonElement point)
    {
        if (ConverseFields.RequiredText(point, "type", "cachePoint") != "default")
        {
            throw ConverseFields.NotOneOf(point.GetProperty("type").ToString(), "cachePoint.type", "default");
        }

        if (!model.CachesPrompts)
        {
            throw AwsErrors.Forbidden(BedrockErrors.AccessDenied, "You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information.");
        }

        int seconds = ConverseFields.Text(point, "ttl") switch
        {
            null or "5m" => FiveMinutes,
            "1h" => OneHour,
            { } other => throw ConverseFields.NotOneOf(other, "cachePoint.ttl", "5m", "1h"),
        };
        if (_blocks.Count > 0)
        {
            _blocks[^1] = _blocks[^1] with { CacheSeconds = seconds };
        }
    }

    private void ReadMessage(JsonElement message, string path)
    {
        string role = ConverseFields.RequiredText(message, "role", path);
        if (role is not ("user" or "assistant"))
        {
            throw ConverseFields.NotOneOf(role, $"messages.{_messages.Count + 1}.member.role", "user", "assistant");
        }

        JsonElement content = ConverseFields.List(message, "content") ?? throw ConverseFields.Missing(path + ".content");
        if (content.GetArrayLength() == 0)
        {
            throw BedrockErrors.Invalid($"The content field in the Message object at {path} is empty. Add a ContentBlock object to the content field and try again.");
        }

        MessageBlocks read = new(role, _messages.Count);
        int index = 0;
        foreach (JsonElement block in content.EnumerateArray())
        {
            ReadBlock(block, $"{path}.content.{index++}", read);
        }

        if (read.Types.Contains("document") && !read.Types.Contains("text"))
        {
            throw BedrockErrors.Invalid("You must include a text block when you include a document in a message. Add a text block and try again.");
        }

        _messages.Add(read);
    }

    private void ReadBlock(JsonElement block, string path, MessageBlocks into)
    {
        JsonProperty member = ConverseFields.OnlyMember(block, path);
        JsonElement value = member.Value;
        switch (member.Name)
        {
            case "text":
                into.Types.Add("text");
                into.Texts.Add(NotBlank(value, "ContentBlock", path));
                Count(into.Texts[^1], BlockTokens);
                break;
            case "image":
                into.Types.Add("image");
                into.Images.Add(ReadImage(value, path + ".image"));
                Count("", BlockTokens + Math.Clamp(into.Images[^1].Width * into.Images[^1].Height / 750, 1, 1600));
                break;
            case "document":
                into.Types.Add("document");
                into.Images.Add(PromptImage.Document(ReadDocument(value, path + ".document")));
                Count(value.GetRawText().Length.ToString(System.Globalization.CultureInfo.InvariantCulture), DocumentTokens);
                break;
            case "toolUse":
                into.Types.Add("tool_use");
                into.Calls.Add(ReadCall(value, path + ".toolUse"));
                Count(into.Calls[^1].Name + into.Calls[^1].Arguments, BlockTokens);
                break;
            case "toolResult":
                into.Types.Add("tool_result");
                into.Results.Add(ReadResult(value, path + ".toolResult"));
                Count(into.Results[^1].Text, BlockTokens);
                break;
            case "reasoningContent":
                into.Types.Add(ReadReasoning(value, path));
                break;
            case "cachePoint":
                Mark(value);
                break;
            case "citationsContent" or "guardContent" or "searchResult":
                into.Types.Add(member.Name);
                Count(value.GetRawText(), BlockTokens);
                break;
            case "video" or "audio":
                throw BedrockErrors.Invalid($"This model doesn't support the {member.Name} content block that you provided. Update the content block and try again.");
            default:
                throw ConverseFields.Wrong();
        }
    }

    private static string NotBlank(JsonElement value, string kind, string path)
    {
        string text = value.ValueKind == JsonValueKind.String ? ConverseFields.TextOf(value) : throw ConverseFields.Wrong();
        return string.IsNullOrWhiteSpace(text)
            ? throw BedrockErrors.Invalid($"The text field in the {kind} object at {path} is blank. Add text to the text field, and try again.")
            : text;
    }

    private PromptImage ReadImage(JsonElement image, string path)
    {
        if (!model.Images)
        {
            throw BedrockErrors.Invalid("This model doesn't support the image content block that you provided. Update the content block and try again.");
        }

        string format = ConverseFields.RequiredText(image, "format", path);
        byte[] bytes = Bytes(ConverseFields.RequiredObject(image, "source", path), path + ".source");
        return !s_images.Contains(format) ? throw ConverseFields.NotOneOf(format, path + ".format", s_images)
            : PromptImage.Recognise(bytes) is { } known && known.Format == format ? known
            : throw BedrockErrors.ByModel("Could not process image");
    }

    /// <summary>Gives its name.</summary>
    private string ReadDocument(JsonElement document, string path)
    {
        if (!model.Images)
        {
            throw BedrockErrors.Invalid("This model doesn't support documents. Try again without including documents.");
        }

        if (ConverseFields.Text(document, "format") is { } format && !s_documents.Contains(format))
        {
            throw ConverseFields.NotOneOf(format, path + ".format", s_documents);
        }

        string name = ConverseFields.RequiredText(document, "name", path);
        if (!DocumentName().IsMatch(name) || name.Contains("  ", StringComparison.Ordinal))
        {
            throw BedrockErrors.Invalid(
                "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets. "
                + "The name can't contain more than one consecutive whitespace character.");
        }

        JsonElement source = ConverseFields.RequiredObject(document, "source", path);
        if (ConverseFields.Find(source, "text") is null && ConverseFields.Find(source, "content") is null && Bytes(source, path + ".source").Length == 0)
        {
            throw BedrockErrors.Invalid("The document is empty. Add content and try again.");
        }

        return name;
    }

    private static byte[] Bytes(JsonElement source, string path)
    {
        if (ConverseFields.Find(source, "s3Location") is not null)
        {
            throw BedrockErrors.Invalid("This model doesn't support the s3Uri field. Remove s3Uri and try again.");
        }

        try
        {
            return Convert.FromBase64String(ConverseFields.RequiredText(source, "bytes", path));
        }
        catch (FormatException)
        {
            throw new Server.VendorErrorException(new Server.VendorError(400, "SerializationException", "Unable to decode base64"));
        }
    }

    private static ToolCall ReadCall(JsonElement call, string path)
    {
        string id = Id(call, path);
        string name = ConverseFields.RequiredText(call, "name", path);
        JsonElement input = ConverseFields.Find(call, "input") ?? throw ConverseFields.Missing(path + ".input");
        return input.ValueKind == JsonValueKind.Object
            ? new ToolCall(id, name, input.GetRawText())
            : throw BedrockErrors.Invalid($"The format of the value at {path}.input is invalid. Provide a json object for the field and try again.");
    }

    private ToolResult ReadResult(JsonElement result, string path)
    {
        JsonElement content = ConverseFields.List(result, "content") ?? throw ConverseFields.Missing(path + ".content");
        List<string> parts = [];
        foreach (JsonElement part in content.EnumerateArray())
        {
            JsonProperty member = ConverseFields.OnlyMember(part, path);
            parts.Add(member.Name switch
            {
                "text" => ConverseFields.Text(part, "text")!,
                "json" => member.Value.ValueKind == JsonValueKind.Object
                    ? member.Value.GetRawText()
                    : throw BedrockErrors.Invalid($"The format of the value at {path}.content.{parts.Count}.json is invalid. Provide a json object for the field and try again."),
                "image" => ReadImage(member.Value, path).Description,
                "document" or "searchResult" => member.Name,
                _ => throw ConverseFields.Wrong(),
            });
        }

        return ConverseFields.Text(result, "status") is null or "success" or "error"
            ? new ToolResult(Id(result, path), "", string.Join('\n', parts))
            : throw ConverseFields.NotOneOf(result.GetProperty("status").ToString(), path + ".status", "success", "error");
    }

    private static string Id(JsonElement owner, string path)
    {
        string id = ConverseFields.RequiredText(owner, "toolUseId", path);
        return ToolId().IsMatch(id)
            ? id
            : throw BedrockErrors.Invalid(
                $"1 validation error detected: Value '{id}' at '{path}.toolUseId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+");
    }

    private string ReadReasoning(JsonElement reasoning, string path)
    {
        if (!model.Thinks)
        {
            throw BedrockErrors.Invalid("This model doesn't support the reasoningContent.reasoningText field. Remove reasoningContent.reasoningText and try again.");
        }

        JsonProperty member = ConverseFields.OnlyMember(reasoning, path);
        if (member.Name == "redactedContent")
        {
            byte[] data = member.Value.TryGetBytesFromBase64(out byte[]? blob) ? blob : throw ConverseFields.Wrong();
            return signature.Verify("", System.Text.Encoding.UTF8.GetString(data))
                ? "redacted_thinking"
                : throw BedrockErrors.ByModel($"{path}: Invalid `data` in `redacted_thinking` block");
        }

        string text = ConverseFields.RequiredText(member.Value, "text", path);
        Count(text, BlockTokens);
        return signature.Verify(text, ConverseFields.Text(member.Value, "signature") ?? "")
            ? "thinking"
            : throw BedrockErrors.ByModel($"{path}: Invalid `signature` in `thinking` block");
    }

    /// <summary>Every call is answered in the next turn, and nothing else is; results learn their tool's name.</summary>
    private void CheckPairs()
    {
        for (int i = 0; i < _messages.Count; i++)
        {
            List<ToolCall> open = i > 0 ? _messages[i - 1].Calls : [];
            List<ToolResult> results = _messages[i].Results;
            string[] missing = [.. open.Select(static call => call.Id).Except(results.Select(static result => result.CallId))];
            if (missing.Length > 0)
            {
                throw BedrockErrors.Invalid($"Expected toolResult blocks at messages.{i}.content for the following Ids: {string.Join(", ", missing)}");
            }

            if (results.Count > open.Count)
            {
                throw BedrockErrors.Invalid(
                    $"The number of toolResult blocks at messages.{i}.content exceeds the number of toolUse blocks of previous turn.");
            }

            for (int j = 0; j < results.Count; j++)
            {
                results[j] = results[j] with { ToolName = open.First(call => call.Id == results[j].CallId).Name };
            }
        }

        if (_messages[^1] is { Role: "assistant", Calls.Count: > 0 })
        {
            throw BedrockErrors.Invalid($"Expected toolResult blocks at messages.{_messages.Count}.content for the following Ids: {string.Join(", ", _messages[^1].Calls.Select(static call => call.Id))}");
        }
    }

    [GeneratedRegex(@"^[a-zA-Z0-9\s\-()\[\]]{1,200}$")]
    private static partial Regex DocumentName();

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,64}$")]
    private static partial Regex ToolId();
}
