using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>The tools on offer and the choice among them, together with the tool that emulates structured output (<see cref="StructuredOutput"/>).</summary>
internal sealed class AnthropicMessagesTools
{
    private readonly ChatRequest _request;
    private readonly RequestTarget _target;
    private readonly LossReport _losses;
    private readonly AnthropicMessagesForeignParts _foreign;
    private readonly bool _isNative;
    private readonly List<Tool> _tools;
    private readonly ToolChoice? _choice;
    private readonly bool? _parallel;

    public AnthropicMessagesTools(ChatRequest request, RequestTarget target, LossReport losses, AnthropicMessagesTurns turns)
    {
        _request = request;
        _target = target;
        _losses = losses;
        _foreign = new AnthropicMessagesForeignParts(request, target, losses);
        _isNative = request.SourceProtocol == AnthropicMessagesProtocol.ProtocolName;
        EmulatesStructuredOutput = StructuredOutput.IsEmulated(request, target) && AnthropicMessagesSchema.IsObject(request.ResponseFormat!.Schema);
        if (_isNative)
        {
            _tools = [.. request.Tools];
            _choice = EmulatesStructuredOutput ? ChooseEmulating(request.ToolChoice) : request.ToolChoice;
            _parallel = request.ParallelToolCalls?.Value;
            return;
        }

        _tools = [.. request.Tools.Where(IsPortable)];
        _choice = ChooseForeign(turns);
        _parallel = ParallelForeign();
    }

    public bool EmulatesStructuredOutput { get; }

    /// <summary>The model must call a tool, which excludes thinking.</summary>
    public bool IsForced => _choice?.Mode is ToolChoiceMode.Required or ToolChoiceMode.Named;

    public void Write(Utf8JsonWriter json)
    {
        if (_tools.Count > 0 || EmulatesStructuredOutput || (_isNative && _request.Tools.Count > 0))
        {
            json.WriteStartArray("tools"u8);
            _tools.ForEach(tool => WriteTool(json, tool));
            if (EmulatesStructuredOutput)
            {
                WriteStructuredOutput(json, _request.ResponseFormat!);
            }

            json.WriteEndArray();
        }

        WriteChoice(json);
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

    private ToolChoice? ChooseForeign(AnthropicMessagesTurns turns)
    {
        ToolChoice? asked = _request.ToolChoice;
        if (EmulatesStructuredOutput && asked?.Mode != ToolChoiceMode.Named)
        {
            return ChooseEmulating(asked);
        }

        if (_tools.Count > 0)
        {
            return asked is { Mode: ToolChoiceMode.Named } && _tools.All(tool => tool.Name != asked.Name) ? Refuse(asked) : asked;
        }

        if (turns.Turns.SelectMany(turn => turn.Parts).OfType<ToolCallPart>().Select(call => call.Name).Distinct().ToList() is { Count: > 0 } called)
        {
            // A history with calls needs tools on offer: those that were called, and none may be called again.
            _tools.AddRange(called.Select(name => new Tool(name, "/tools")));
            return new ToolChoice(ToolChoiceMode.None, null, "/tools");
        }

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

    private bool? ParallelForeign()
    {
        if (_request.ParallelToolCalls is not Setting<bool> parallel)
        {
            return null;
        }

        if (_tools.Count == 0)
        {
            _losses.Add(parallel.Pointer, "There are no tools to which this could apply.");
            return null;
        }

        return parallel.Value ? null : false;
    }

    private void WriteTool(Utf8JsonWriter json, Tool tool)
    {
        if (!tool.Native.IsEmpty)
        {
            tool.Native.WriteTo(json);
            return;
        }

        json.WriteStartObject();
        json.WriteString("name"u8, _isNative ? tool.Name : NameOf(tool));
        if (tool.Description is not null)
        {
            json.WriteString("description"u8, tool.Description);
        }

        if (_isNative)
        {
            WriteNativeForm(json, tool);
        }
        else
        {
            WriteForeignForm(json, tool);
        }

        json.WriteEndObject();
    }

    private static void WriteNativeForm(Utf8JsonWriter json, Tool tool)
    {
        if (!tool.Parameters.IsEmpty)
        {
            json.WritePropertyName("input_schema"u8);
            tool.Parameters.WriteTo(json);
        }

        if (tool.Strict is bool strict)
        {
            json.WriteBoolean("strict"u8, strict);
        }

        AnthropicMessagesPartWriter.WriteCacheControl(json, tool.CacheControl);
        AnthropicMessagesPartWriter.WriteExtras(json, tool.Extras, tool.Pointer);
    }

    private void WriteForeignForm(Utf8JsonWriter json, Tool tool)
    {
        bool isStrict = tool.Strict == true && _target.Has(TargetFeatures.JsonSchema) && !tool.Parameters.IsEmpty;
        json.WritePropertyName("input_schema"u8);
        if (isStrict)
        {
            AnthropicMessagesSchema.WriteClosed(json, tool.Parameters, _foreign.Inside(tool.Pointer, "/function/parameters"), _losses);
            json.WriteBoolean("strict"u8, true);
        }
        else
        {
            AnthropicMessagesSchema.WriteOpen(json, tool.Parameters);
            if (tool.Strict == true)
            {
                _losses.Add(_foreign.Inside(tool.Pointer, "/function/strict"), "The endpoint does not enforce the arguments' schema.");
            }
        }

        AnthropicMessagesPartWriter.WriteCacheControl(json, _foreign.Cache(tool.CacheControl));
        _foreign.ReportExtras(tool.Extras);
    }

    private string NameOf(Tool tool)
    {
        string legal = LegalName.Of(tool.Name, AnthropicMessagesTurns.NameLengthMax);
        if (legal != tool.Name)
        {
            _losses.Add(_foreign.Inside(tool.Pointer, "/function/name"), $"The tool is known to the model as {legal}.");
        }

        return legal;
    }

    private static void WriteStructuredOutput(Utf8JsonWriter json, ResponseFormat format)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, StructuredOutput.ToolName);
        json.WriteString("description"u8, format.Description is null
            ? "Gives the final answer. Call this exactly once, with the whole answer as its arguments."
            : $"Gives the final answer. Call this exactly once, with the whole answer as its arguments. The answer is: {format.Description}");
        json.WritePropertyName("input_schema"u8);
        AnthropicMessagesSchema.WriteOpen(json, format.Schema);
        json.WriteEndObject();
    }

    private void WriteChoice(Utf8JsonWriter json)
    {
        bool hasExtras = _isNative
            && _request.Extras.Any(extra => extra.Pointer == JsonFields.Join(AnthropicMessagesRequest.ToolChoicePointer, extra.Name));
        bool saysParallel = _parallel is not null && (_isNative || _choice?.Mode != ToolChoiceMode.None);
        if (_choice is null && !saysParallel && !hasExtras)
        {
            return;
        }

        json.WriteStartObject("tool_choice"u8);
        json.WriteString("type"u8, _choice?.Mode switch
        {
            ToolChoiceMode.Required => "any"u8,
            ToolChoiceMode.Named => "tool"u8,
            ToolChoiceMode.None => "none"u8,
            _ => "auto"u8,
        });
        if (_choice?.Mode == ToolChoiceMode.Named)
        {
            json.WriteString("name"u8, _isNative ? _choice.Name! : LegalName.Of(_choice.Name!, AnthropicMessagesTurns.NameLengthMax));
        }

        if (saysParallel)
        {
            json.WriteBoolean("disable_parallel_tool_use"u8, !_parallel!.Value);
        }

        if (_isNative)
        {
            AnthropicMessagesPartWriter.WriteExtras(json, _request.Extras, AnthropicMessagesRequest.ToolChoicePointer);
        }

        json.WriteEndObject();
    }
}
