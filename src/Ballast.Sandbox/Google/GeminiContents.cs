using System.Text.Json;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Google;

/// <summary>Reads and checks <c>contents</c> and <c>systemInstruction</c>.</summary>
/// <param name="signature">Checks what the model signed.</param>
/// <param name="demandsSignatures">The model refuses calls of the current turn that come back without their signature.</param>
internal sealed class GeminiContents(ThoughtSignature signature, bool demandsSignatures)
{
    private readonly List<GeminiContent> _contents = [];
    private readonly List<string> _counted = [];

    private bool IsLenient => signature.AcceptsRecorded;

    /// <summary>All text that costs tokens.</summary>
    public string InputText => string.Join('\n', _counted);

    /// <summary>What images and documents cost.</summary>
    public long MediaTokens { get; private set; }

    public string ReadSystem(GeminiObject request)
    {
        if (request.Find("systemInstruction") is not { } found)
        {
            return "";
        }

        GeminiContent content = ReadContent(found, "system_instruction");
        return string.Join('\n', content.Texts);
    }

    public void Read(GeminiObject request)
    {
        foreach ((JsonElement item, string path) in request.List("contents"))
        {
            _contents.Add(ReadContent(item, path));
        }

        if (_contents.Count == 0)
        {
            throw GoogleErrors.Invalid("* GenerateContentRequest.contents: contents is not specified\n");
        }

        GeminiPairing.Check(_contents, IsLenient);
        CheckSigned();
    }

    public IReadOnlyList<Turn> Turns()
    {
        List<Turn> turns = [];
        foreach (GeminiContent content in _contents)
        {
            if (content.Results.Count > 0)
            {
                turns.Add(new Turn(TurnRole.Tool, "") { Results = content.Results });
            }

            if (content.Results.Count == 0 || content.Texts.Count > 0 || content.Images.Count > 0)
            {
                TurnRole role = content.Role == "model" ? TurnRole.Assistant : content.Results.Count > 0 ? TurnRole.Tool : TurnRole.User;
                turns.Add(new Turn(role, string.Join('\n', content.Texts)) { Images = content.Images, Calls = content.Calls });
            }
        }

        return turns;
    }

    /// <summary>The contents of one embedding request or of the caller's prompt to count.</summary>
    public GeminiContent ReadContent(JsonElement element, string path)
    {
        GeminiObject content = GeminiObject.Open(element, path, IsLenient, "role", "parts");
        string role = content.Text("role") ?? "user";
        if (role is not ("user" or "model" or "function" or "system" or ""))
        {
            throw GoogleErrors.Invalid("Please use a valid role: user, model.");
        }

        GeminiContent read = new(role == "model" ? "model" : "user");
        int count = 0;
        foreach ((JsonElement item, string at) in content.List("parts"))
        {
            ReadPart(item, at, read);
            count++;
        }

        return count > 0 ? read : throw GoogleErrors.Invalid($"* GenerateContentRequest.{content.At("parts")}: contents.parts must not be empty.\n");
    }

    private void ReadPart(JsonElement element, string path, GeminiContent into)
    {
        GeminiObject part = GeminiObject.Open(
            element, path, IsLenient, "text", "thought", "thoughtSignature", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode",
            "codeExecutionResult", "videoMetadata", "mediaResolution", "partMetadata");
        string[] kinds = [.. s_data.Where(part.Has)];
        if (kinds.Length != 1)
        {
            throw GoogleErrors.Invalid($"* GenerateContentRequest.{path}.data: required oneof field 'data' must have one initialized field\n");
        }

        string kind = kinds[0];
        switch (kind)
        {
            case "text":
                Count(part.Text("text")!);
                if (part.Flag("thought") != true)
                {
                    into.Texts.Add(part.Text("text")!);
                }

                break;
            case "inlineData":
                GeminiMedia media = GeminiMedia.Read(part.Find(kind)!.Value, part.At(kind), IsLenient);
                MediaTokens += media.Tokens;
                into.Images.AddRange(media.Image is { } image ? [image] : []);
                break;
            case "fileData":
                GeminiObject file = GeminiObject.Open(part.Find(kind)!.Value, part.At(kind), IsLenient, "mimeType", "fileUri", "displayName");
                _ = file.Text("fileUri") ?? throw GoogleErrors.Invalid($"* GenerateContentRequest.{file.At("fileUri")}: file_uri must not be empty.\n");
                into.Images.AddRange(file.Text("mimeType")?.StartsWith("image/", StringComparison.Ordinal) == true ? [PromptImage.ByAddress] : []);
                MediaTokens += GeminiMedia.TokensEach;
                break;
            case "functionCall":
                into.Calls.Add(ReadCall(part.Find(kind)!.Value, part.At(kind)));
                into.FirstCallIsSigned ??= part.Has("thoughtSignature");
                break;
            case "functionResponse":
                into.Results.Add(ReadResult(part.Find(kind)!.Value, part.At(kind)));
                break;
            default:
                Count(part.Find(kind)!.Value.GetRawText());
                break;
        }

        into.Count++;
        CheckSignature(part, kind == "functionCall" ? "call " + into.Calls[^1].Name : kind);
    }

    private static readonly string[] s_data =
        ["text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult"];

    private void CheckSignature(GeminiObject part, string kind)
    {
        if (part.Bytes("thoughtSignature") is { Length: > 0 } given && !signature.Verify(given, kind))
        {
            throw GoogleErrors.Invalid("Corrupted thought signature.");
        }
    }

    /// <summary>Of every step since the user's last word the first call must have its signature.</summary>
    private void CheckSigned()
    {
        int start = _contents.FindLastIndex(static content => content.Role == "user" && content.Results.Count == 0);
        for (int i = start + 1; demandsSignatures && !IsLenient && i < _contents.Count; i++)
        {
            if (_contents[i].FirstCallIsSigned == false)
            {
                throw GoogleErrors.Invalid(
                    "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may "
                    + $"lead to degraded model performance. Additional data, function call `default_api:{_contents[i].Calls[0].Name}` , position {i + 1}. "
                    + "Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.");
            }
        }
    }

    private ToolCall ReadCall(JsonElement element, string path)
    {
        GeminiObject call = GeminiObject.Open(element, path, IsLenient, "id", "name", "args", "partialArgs", "willContinue");
        string name = call.Text("name") is { Length: > 0 } given
            ? given
            : throw GoogleErrors.Invalid($"* GenerateContentRequest.{call.At("name")}: Name cannot be empty.\n");
        string arguments = call.Struct("args")?.GetRawText() ?? "{}";
        Count(name + arguments);
        return new ToolCall(call.Text("id") ?? "", name, arguments);
    }

    private ToolResult ReadResult(JsonElement element, string path)
    {
        GeminiObject result = GeminiObject.Open(element, path, IsLenient, "id", "name", "response", "willContinue", "scheduling", "parts");
        string name = result.Text("name") is { Length: > 0 } given
            ? given
            : throw GoogleErrors.Invalid($"* GenerateContentRequest.{result.At("name")}: Name cannot be empty.\n");
        JsonElement? response = result.Struct("response");
        string text = response is { } held ? TextOf(held) : "";
        Count(text);
        foreach ((JsonElement item, string at) in result.List("parts"))
        {
            GeminiObject part = GeminiObject.Open(item, at, IsLenient, "inlineData", "fileData");
            if (part.Find("inlineData") is { } data && GeminiMedia.Read(data, part.At("inlineData"), IsLenient) is var media)
            {
                MediaTokens += media.Tokens;
                text += media.Image is { } image ? " " + image.Description : "";
            }
        }

        return new ToolResult(result.Text("id") ?? "", name, text);
    }

    /// <summary>A result of one text is that text.</summary>
    private static string TextOf(JsonElement response)
    {
        JsonProperty[] fields = [.. response.EnumerateObject()];
        return fields is [{ Value.ValueKind: JsonValueKind.String } only] ? only.Value.GetString()! : response.GetRawText();
    }

    private void Count(string text) => _counted.Add(text);
}

/// <summary>One of the contents as read.</summary>
internal sealed class GeminiContent(string role)
{
    public string Role => role;

    public List<string> Texts { get; } = [];

    public List<PromptImage> Images { get; } = [];

    public List<ToolCall> Calls { get; } = [];

    public List<ToolResult> Results { get; } = [];

    /// <summary>Null where it calls nothing.</summary>
    public bool? FirstCallIsSigned { get; set; }


    /// <summary>How many parts it has.</summary>
    public int Count { get; set; }
}
