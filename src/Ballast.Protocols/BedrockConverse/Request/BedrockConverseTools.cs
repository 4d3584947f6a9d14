using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>
/// <c>toolConfig</c>: the tools on offer and the choice among them, together with the tool that emulates structured output (<see cref="StructuredOutput"/>). A
/// conversation in which tools were used needs it; there is no way to forbid calls but to offer no tools.
/// </summary>
internal sealed class BedrockConverseTools
{
    private readonly ChatRequest _request;
    private readonly RequestTarget _target;
    private readonly LossReport _losses;
    private readonly BedrockConverseForeignParts _foreign;
    private readonly bool _isNative;
    private readonly List<Tool> _tools;
    private readonly ToolChoice? _choice;

    public BedrockConverseTools(ChatRequest request, RequestTarget target, LossReport losses, AlternatingTurns turns)
    {
        _request = request;
        _target = target;
        _losses = losses;
        _foreign = new BedrockConverseForeignParts(request, target, losses);
        _isNative = request.SourceProtocol == BedrockConverseProtocol.ProtocolName;
        EmulatesStructuredOutput = StructuredOutput.IsEmulated(request, target) && IsObject(request.ResponseFormat!.Schema);
        if (_isNative)
        {
            _tools = [.. request.Tools];
            _choice = EmulatesStructuredOutput ? ChooseEmulating(request.ToolChoice) : request.ToolChoice;
            return;
        }

        _tools = [.. request.Tools.Where(IsPortable)];
        _choice = ChooseForeign(turns);
        if (request.ParallelToolCalls is { Value: false } parallel)
        {
            losses.Add(parallel.Pointer, "Whether tools are called side by side is the model's affair here.");
        }
    }

    public bool EmulatesStructuredOutput { get; }

    /// <summary>The model must call a tool, which excludes thinking.</summary>
    public bool IsForced => _choice?.Mode is ToolChoiceMode.Required or ToolChoiceMode.Named;

    public void Write(Utf8JsonWriter json)
    {
        bool hasExtras = _isNative
            && _request.Extras.Any(extra => extra.Pointer == JsonFields.Join(BedrockConverseRequest.ToolConfigPointer, extra.Name));
        if (_tools.Count == 0 && !EmulatesStructuredOutput && _choice is null && !hasExtras)
        {
            return;
        }

        json.WriteStartObject("toolConfig"u8);
        json.WriteStartArray("tools"u8);
        _tools.ForEach(tool => WriteTool(json, tool));
        if (EmulatesStructuredOutput)
        {
            WriteStructuredOutput(json, _request.ResponseFormat!);
        }

        json.WriteEndArray();
        WriteChoice(json);
        if (_isNative)
        {
            BedrockConversePartWriter.WriteExtras(json, _request.Extras, BedrockConverseRequest.ToolConfigPointer);
        }

        json.WriteEndObject();
    }

    /// <summary>True where the schema's root is an object: the only form in which it can be a tool's input.</summary>
    private static bool IsObject(RawJson schema)
    {
        if (schema.IsEmpty)
        {
            return false;
        }

        using JsonDocument document = JsonDocument.Parse(schema.Utf8, new JsonDocumentOptions { MaxDepth = JsonFields.DepthMax });
        JsonElement root = document.RootElement;
        return root.ValueKind == JsonValueKind.Object
            && (root.TryGetProperty("type"u8, out JsonElement type)
                ? type.ValueKind == JsonValueKind.String && type.ValueEquals("object"u8)
                : root.TryGetProperty("properties"u8, out _));
    }

    private bool IsPortable(Tool tool)
    {
        if (tool.Native.IsEmpty)
        {
            return true;
        }

        _losses.Add(tool.Pointer, "A tool that the vendor runs cannot go to another.");
        return false;
    }

    private ToolChoice? ChooseForeign(AlternatingTurns turns)
    {
        ToolChoice? asked = _request.ToolChoice;
        List<string> called = [.. turns.Turns.SelectMany(turn => turn.Parts).OfType<ToolCallPart>().Select(call => call.Name).Distinct()];
        if (EmulatesStructuredOutput && asked?.Mode != ToolChoiceMode.Named)
        {
            return ChooseEmulating(asked);
        }

        if (asked?.Mode == ToolChoiceMode.None)
        {
            if (called.Count == 0)
            {
                _tools.Clear();
            }
            else
            {
                _losses.Add(asked.Pointer, "Calls cannot be forbidden where tools were used before.");
            }
        }

        if (_tools.Count > 0)
        {
            return asked is { Mode: ToolChoiceMode.Named } && _tools.All(tool => tool.Name != asked.Name) ? Refuse(asked)
                : asked?.Mode == ToolChoiceMode.None ? null : asked;
        }

        // A history with calls needs tools on offer: those that were called.
        _tools.AddRange(called.Select(name => new Tool(name, "/tools")));
        return asked is { Mode: ToolChoiceMode.Required or ToolChoiceMode.Named } ? Refuse(asked) : null;
    }

    private ToolChoice ChooseEmulating(ToolChoice? asked)
    {
        if (asked?.Mode == ToolChoiceMode.Named)
        {
            return asked;
        }

        // The caller's own tools stay callable: then any call will do, and the last one is the answer.
        string pointer = _request.ResponseFormat!.Pointer;
        return _tools.Count == 0 || asked?.Mode == ToolChoiceMode.None
            ? new ToolChoice(ToolChoiceMode.Named, StructuredOutput.ToolName, pointer)
            : new ToolChoice(ToolChoiceMode.Required, null, pointer);
    }

    private ToolChoice? Refuse(ToolChoice asked)
    {
        _losses.Add(asked.Pointer, "The tool that must be called is not on offer.");
        return null;
    }

    private void WriteTool(Utf8JsonWriter json, Tool tool)
    {
        if (!tool.Native.IsEmpty)
        {
            tool.Native.WriteTo(json);
        }
        else
        {
            json.WriteStartObject();
            json.WriteStartObject("toolSpec"u8);
            json.WriteString("name"u8, _isNative ? tool.Name : NameOf(tool));
            if (tool.Description is { Length: > 0 } || (_isNative && tool.Description is not null))
            {
                json.WriteString("description"u8, tool.Description);
            }

            WriteSchema(json, tool);
            WriteStrict(json, tool);
            BedrockConversePartWriter.WriteExtras(json, tool.Extras, $"{tool.Pointer}/toolSpec");
            json.WriteEndObject();
            json.WriteEndObject();
        }

        BedrockConversePartWriter.WriteCachePoint(json, _isNative ? tool.CacheControl : _foreign.Cache(tool.CacheControl));
        if (!_isNative)
        {
            _foreign.ReportExtras(tool.Extras);
        }
    }

    private void WriteSchema(Utf8JsonWriter json, Tool tool)
    {
        if (tool.Parameters.IsEmpty && _isNative)
        {
            return;
        }

        json.WriteStartObject("inputSchema"u8);
        json.WritePropertyName("json"u8);
        WriteOpen(json, tool.Parameters);
        json.WriteEndObject();
    }

    /// <summary>A schema as it is; the API only insists on the word that it describes an object.</summary>
    private static void WriteOpen(Utf8JsonWriter json, RawJson schema)
    {
        if (schema.IsEmpty)
        {
            json.WriteRawValue("""{"type":"object","properties":{}}"""u8, skipInputValidation: true);
            return;
        }

        using JsonDocument document = JsonDocument.Parse(schema.Utf8, new JsonDocumentOptions { MaxDepth = JsonFields.DepthMax });
        if (document.RootElement.ValueKind != JsonValueKind.Object || document.RootElement.TryGetProperty("type"u8, out _))
        {
            schema.WriteTo(json);
            return;
        }

        json.WriteStartObject();
        json.WriteString("type"u8, "object"u8);
        foreach (JsonProperty property in document.RootElement.EnumerateObject())
        {
            property.WriteTo(json);
        }

        json.WriteEndObject();
    }

    private void WriteStrict(Utf8JsonWriter json, Tool tool)
    {
        if (_isNative ? tool.Strict is not null : tool.Strict == true && _target.Has(TargetFeatures.JsonSchema))
        {
            json.WriteBoolean("strict"u8, tool.Strict!.Value);
        }
        else if (tool.Strict == true)
        {
            _losses.Add(_foreign.Inside(tool.Pointer, "/function/strict"), "The endpoint does not enforce the arguments' schema.");
        }
    }

    private string NameOf(Tool tool)
    {
        string legal = LegalName.Of(tool.Name, BedrockConverseTurns.NameLengthMax);
        if (legal != tool.Name)
        {
            _losses.Add(_foreign.Inside(tool.Pointer, "/function/name"), $"The tool is known to the model as {legal}.");
        }

        return legal;
    }

    private static void WriteStructuredOutput(Utf8JsonWriter json, ResponseFormat format)
    {
        json.WriteStartObject();
        json.WriteStartObject("toolSpec"u8);
        json.WriteString("name"u8, StructuredOutput.ToolName);
        json.WriteString("description"u8, format.Description is null
            ? "Gives the final answer. Call this exactly once, with the whole answer as its arguments."
            : $"Gives the final answer. Call this exactly once, with the whole answer as its arguments. The answer is: {format.Description}");
        json.WriteStartObject("inputSchema"u8);
        json.WritePropertyName("json"u8);
        WriteOpen(json, format.Schema);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteChoice(Utf8JsonWriter json)
    {
        string? word = _choice?.Mode switch
        {
            ToolChoiceMode.Named => "tool",
            ToolChoiceMode.Required => "any",
            ToolChoiceMode.Auto => "auto",
            _ => null,
        };
        if (word is null)
        {
            return;
        }

        json.WriteStartObject("toolChoice"u8);
        json.WriteStartObject(word);
        if (_choice!.Name is { } name)
        {
            json.WriteString("name"u8, _isNative ? name : LegalName.Of(name, BedrockConverseTurns.NameLengthMax));
        }

        if (_isNative)
        {
            BedrockConversePartWriter.WriteExtras(json, _request.Extras, $"{BedrockConverseRequest.ToolChoicePointer}/{word}");
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }
}
