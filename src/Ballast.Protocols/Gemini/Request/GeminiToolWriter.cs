using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>The tools on offer and the choice among them, together with the tool that emulates structured output (<see cref="StructuredOutput"/>).</summary>
internal sealed class GeminiToolWriter
{
    private readonly ChatRequest _request;
    private readonly LossReport _losses;
    private readonly GeminiForeignParts _foreign;
    private readonly bool _isNative;
    private readonly List<Tool> _tools;

    public GeminiToolWriter(ChatRequest request, RequestTarget target, LossReport losses, GeminiForeignParts foreign)
    {
        _request = request;
        _losses = losses;
        _foreign = foreign;
        _isNative = request.SourceProtocol == GeminiProtocol.ProtocolName;
        EmulatesStructuredOutput = StructuredOutput.IsEmulated(request, target) && GeminiSchema.IsObject(request.ResponseFormat!.Schema);
        _tools = [.. request.Tools.Where(IsPortable)];
        HasFunctions = _tools.Exists(tool => tool.Native.IsEmpty);
    }

    public bool EmulatesStructuredOutput { get; }

    public bool HasFunctions { get; }

    public void Write(Utf8JsonWriter json)
    {
        if (_tools.Count > 0 || EmulatesStructuredOutput)
        {
            json.WriteStartArray("tools"u8);
            if (_isNative)
            {
                WriteOwn(json);
            }
            else if (_tools.Count > 0)
            {
                json.WriteStartObject();
                WriteFunctions(json, _tools);
                json.WriteEndObject();
            }

            if (EmulatesStructuredOutput)
            {
                WriteStructuredOutput(json, _request.ResponseFormat!);
            }

            json.WriteEndArray();
        }

        WriteConfig(json);
        if (!_isNative && _request.ParallelToolCalls is { Value: false } parallel && HasFunctions)
        {
            _losses.Add(parallel.Pointer, "The model cannot be told to call one function at a time.");
        }
    }

    private bool IsPortable(Tool tool)
    {
        if (_isNative || tool.Native.IsEmpty)
        {
            return true;
        }

        _losses.Add(tool.Pointer, "A tool that the vendor runs cannot go to another.");
        return false;
    }

    // An entry may hold functions and Google's own tools together: each goes back to the entry from which it came.
    private void WriteOwn(Utf8JsonWriter json)
    {
        foreach (IGrouping<string, Tool> entry in _tools.GroupBy(EntryOf))
        {
            json.WriteStartObject();
            List<Tool> functions = [.. entry.Where(tool => tool.Native.IsEmpty)];
            if (functions.Count > 0)
            {
                WriteFunctions(json, functions);
            }

            foreach (Tool tool in entry.Where(tool => !tool.Native.IsEmpty))
            {
                json.WritePropertyName(tool.Name);
                tool.Native.WriteTo(json);
            }

            json.WriteEndObject();
        }
    }

    /// <summary>Pointer of the entry in which a tool stood: one step up, two where it was in a list of functions.</summary>
    private static string EntryOf(Tool tool)
    {
        string above = tool.Pointer[..tool.Pointer.LastIndexOf('/')];
        return tool.Native.IsEmpty ? above[..above.LastIndexOf('/')] : above;
    }

    private void WriteFunctions(Utf8JsonWriter json, List<Tool> tools)
    {
        json.WriteStartArray("functionDeclarations"u8);
        foreach (Tool tool in tools)
        {
            WriteFunction(json, tool);
        }

        json.WriteEndArray();
    }

    private void WriteFunction(Utf8JsonWriter json, Tool tool)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, _isNative ? tool.Name : GeminiForeignParts.NameOf(tool.Name));
        if (tool.Description is not null)
        {
            json.WriteString("description"u8, tool.Description);
        }

        if (_isNative && !tool.OwnParameters.IsEmpty)
        {
            json.WritePropertyName("parameters"u8);
            tool.OwnParameters.WriteTo(json);
        }
        else if (!tool.Parameters.IsEmpty)
        {
            json.WritePropertyName("parametersJsonSchema"u8);
            tool.Parameters.WriteTo(json);
        }

        if (_isNative)
        {
            GeminiPartWriter.WriteExtras(json, tool.Extras, tool.Pointer);
        }
        else
        {
            _foreign.ReportExtras(tool.Extras);
            if (tool.CacheControl is { } cache)
            {
                _losses.Add(cache.Pointer, "A cache breakpoint has no counterpart; prompts are cached by the platform itself.");
            }

            if (tool.Strict == true)
            {
                _losses.Add(_foreign.Inside(tool.Pointer, "/function/strict"), "Arguments are not held to the schema strictly.");
            }
        }

        json.WriteEndObject();
    }

    private static void WriteStructuredOutput(Utf8JsonWriter json, ResponseFormat format)
    {
        json.WriteStartObject();
        json.WriteStartArray("functionDeclarations"u8);
        json.WriteStartObject();
        json.WriteString("name"u8, StructuredOutput.ToolName);
        json.WriteString("description"u8, format.Description ?? "Gives the final answer.");
        json.WritePropertyName("parametersJsonSchema"u8);
        format.Schema.WriteTo(json);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteConfig(Utf8JsonWriter json)
    {
        ToolChoice? choice = _request.ToolChoice;
        string? mode = choice?.Mode switch
        {
            ToolChoiceMode.Auto => "AUTO",
            ToolChoiceMode.None => "NONE",
            ToolChoiceMode.Required or ToolChoiceMode.Named => "ANY",
            _ => null,
        };
        string? name = choice?.Mode == ToolChoiceMode.Named ? (_isNative ? choice.Name : GeminiForeignParts.NameOf(choice.Name!)) : null;
        if (EmulatesStructuredOutput && choice?.Mode is not (ToolChoiceMode.Required or ToolChoiceMode.Named))
        {
            mode = "ANY";
            name = HasFunctions && choice?.Mode != ToolChoiceMode.None ? null : StructuredOutput.ToolName;
        }

        if (!_isNative && !HasFunctions && !EmulatesStructuredOutput)
        {
            if (choice is not null)
            {
                _losses.Add(choice.Pointer, "There are no tools to choose from.");
            }

            return;
        }

        List<Extra> outer = [.. Below("/toolConfig", "/tool_config")];
        List<Extra> inner = [.. Below("/functionCallingConfig", "/function_calling_config")];
        if (mode is null && outer.Count == 0 && inner.Count == 0)
        {
            return;
        }

        json.WriteStartObject("toolConfig"u8);
        if (mode is not null || inner.Count > 0)
        {
            json.WriteStartObject("functionCallingConfig"u8);
            if (mode is not null)
            {
                json.WriteString("mode"u8, mode);
            }

            if (name is not null)
            {
                json.WriteStartArray("allowedFunctionNames"u8);
                json.WriteStringValue(name);
                json.WriteEndArray();
            }

            Write(json, inner);
            json.WriteEndObject();
        }

        Write(json, outer);
        json.WriteEndObject();
    }

    private IEnumerable<Extra> Below(string name, string alias) => !_isNative ? [] : _request.Extras.Where(extra =>
    {
        string above = extra.Pointer[..extra.Pointer.LastIndexOf('/')];
        return above.EndsWith(name, StringComparison.Ordinal) || above.EndsWith(alias, StringComparison.Ordinal);
    });

    private static void Write(Utf8JsonWriter json, List<Extra> extras)
    {
        foreach (Extra extra in extras)
        {
            json.WritePropertyName(extra.Name);
            extra.Value.WriteTo(json);
        }
    }
}
