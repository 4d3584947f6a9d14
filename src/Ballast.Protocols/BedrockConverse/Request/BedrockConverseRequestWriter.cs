using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.BedrockConverse;

/// <summary>
/// Writes a request for the Converse API. One that came in this protocol is written as it was, but for reasoning that may not go on; one from another protocol is
/// brought into this one's rules, and everything that cannot come along is named.
/// </summary>
internal sealed class BedrockConverseRequestWriter
{
    private readonly ChatRequest _request;
    private readonly RequestTarget _target;
    private readonly LossReport _losses;
    private readonly bool _isNative;
    private readonly BedrockConverseForeignParts _foreign;
    private readonly BedrockConversePartWriter _parts;
    private readonly BedrockConverseTurns _turns;
    private readonly BedrockConverseTools _tools;
    private readonly BedrockConverseModelFields _model;

    public BedrockConverseRequestWriter(ChatRequest request, RequestTarget target, LossReport losses)
    {
        _request = request;
        _target = target;
        _losses = losses;
        _isNative = request.SourceProtocol == BedrockConverseProtocol.ProtocolName;
        _foreign = new BedrockConverseForeignParts(request, target, losses);
        _parts = new BedrockConversePartWriter(_isNative);
        _turns = new BedrockConverseTurns(request, target, losses);
        _tools = new BedrockConverseTools(request, target, losses, _turns);
        _model = new BedrockConverseModelFields(request, target, losses, _turns.LacksThinking, _isNative ? _tools.EmulatesStructuredOutput : _tools.IsForced);
    }

    public void Write(IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, JsonFields.WriterOptions);
        json.WriteStartObject();
        WriteSystem(json);
        WriteMessages(json);
        WriteInference(json);
        _tools.Write(json);
        _model.Write(json);
        WriteOutput(json);
        if (_isNative)
        {
            BedrockConversePartWriter.WriteExtras(json, _request.Extras, "");
        }
        else
        {
            if (_model.TellsStopSequence)
            {
                json.WriteStartArray("additionalModelResponseFieldPaths"u8);
                json.WriteStringValue("/stop_sequence"u8);
                json.WriteEndArray();
            }

            _foreign.ReportExtras(_request.Extras);
            ReportUnknownSettings();
        }

        json.WriteEndObject();
    }

    private void WriteSystem(Utf8JsonWriter json)
    {
        List<Part> system = [.. _turns.System];
        if (Instruction() is string instruction)
        {
            system.Add(new TextPart(instruction, _request.ResponseFormat!.Pointer));
        }

        if (system.Count > 0 || (_isNative && _request.Messages is [{ Pointer: BedrockConverseRequest.SystemPointer }, ..]))
        {
            json.WritePropertyName("system"u8);
            _parts.WriteContent(json, system);
        }
    }

    /// <summary>Words for a form of output that the API cannot enforce.</summary>
    private string? Instruction()
    {
        if (_request.ResponseFormat is not ResponseFormat format)
        {
            return null;
        }

        if (format.Kind == ResponseFormatKind.JsonObject)
        {
            _losses.Add(format.Pointer, "A JSON object is asked for in words, not enforced.");
            return "Answer with one JSON object and nothing else: no explanation, no code fence.";
        }

        if (format.Kind != ResponseFormatKind.JsonSchema || _target.Has(TargetFeatures.JsonSchema) || _tools.EmulatesStructuredOutput)
        {
            return null;
        }

        _losses.Add(format.Pointer, "The schema is no object: it is asked for in words, not enforced.");
        return $"Answer with JSON that fits this JSON Schema and with nothing else: no explanation, no code fence.\n{format.Schema}";
    }

    private void WriteMessages(Utf8JsonWriter json)
    {
        json.WriteStartArray("messages"u8);
        foreach (WrittenTurn turn in _turns.Turns)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, turn.Role == Role.Assistant ? "assistant"u8 : "user"u8);
            json.WritePropertyName("content"u8);
            _parts.WriteContent(json, turn.Parts);
            BedrockConversePartWriter.WriteExtras(json, turn.Extras, turn.Pointer);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteInference(Utf8JsonWriter json)
    {
        double? temperature = Temperature();
        double? topP = TopP();
        List<string>? stops = Stops();
        List<Extra> extras = _isNative
            ? [.. _request.Extras.Where(extra => extra.Pointer == JsonFields.Join(BedrockConverseRequest.InferencePointer, extra.Name))]
            : [];
        if (_request.MaxOutputTokens is null && temperature is null && topP is null && stops is null && extras.Count == 0)
        {
            return;
        }

        json.WriteStartObject("inferenceConfig"u8);
        if (_request.MaxOutputTokens is { } limit)
        {
            json.WriteNumber("maxTokens"u8, limit.Value);
        }

        if (temperature is double warmth)
        {
            json.WriteNumber("temperature"u8, warmth);
        }

        if (topP is double share)
        {
            json.WriteNumber("topP"u8, share);
        }

        if (stops is not null)
        {
            json.WriteStartArray("stopSequences"u8);
            stops.ForEach(json.WriteStringValue);
            json.WriteEndArray();
        }

        BedrockConversePartWriter.WriteExtras(json, extras, BedrockConverseRequest.InferencePointer);
        json.WriteEndObject();
    }

    private double? Temperature()
    {
        if (_request.Temperature is not Setting<double> temperature || _isNative)
        {
            return _request.Temperature?.Value;
        }

        if (_model.RestrictsSampling)
        {
            if (temperature.Value != 1)
            {
                _losses.Add(temperature.Pointer, "With thinking the temperature is always 1.");
            }

            return null;
        }

        if (temperature.Value is < 0 or > 1)
        {
            _losses.Add(temperature.Pointer, "The temperature lies between 0 and 1.");
        }

        return Math.Clamp(temperature.Value, 0, 1);
    }

    private double? TopP()
    {
        // 1 is no restriction at all and need not be said.
        if (_request.TopP is not Setting<double> topP || _isNative || topP.Value == 1)
        {
            return _isNative ? _request.TopP?.Value : null;
        }

        if (_model.RestrictsSampling && topP.Value < BedrockConverseModelFields.TopPWithThinkingMin)
        {
            _losses.Add(topP.Pointer, "Does not go together with thinking.");
            return null;
        }

        if (_request.Temperature is not null && _target.Vendor == BedrockConverseParts.NativeIssuer)
        {
            _losses.Add(topP.Pointer, "Newer models take either a temperature or this; the temperature was kept.");
            return null;
        }

        return topP.Value;
    }

    private List<string>? Stops()
    {
        List<string> written = [];
        if (_request.StopSequences is not Setting<IReadOnlyList<string>> stops)
        {
            return null;
        }

        for (int i = 0; i < stops.Value.Count; i++)
        {
            if (_isNative || !string.IsNullOrWhiteSpace(stops.Value[i]))
            {
                written.Add(stops.Value[i]);
            }
            else
            {
                _losses.Add(stops.Value.Count == 1 ? stops.Pointer : $"{stops.Pointer}/{i}", "A stop sequence must hold more than white space.");
            }
        }

        return written.Count > 0 || _isNative ? written : null;
    }

    private void WriteOutput(Utf8JsonWriter json)
    {
        ResponseFormat? format = _request.ResponseFormat is { Kind: ResponseFormatKind.JsonSchema } asked && _target.Has(TargetFeatures.JsonSchema) ? asked : null;
        List<Extra> extras = _isNative
            ? [.. _request.Extras.Where(extra => extra.Pointer == JsonFields.Join(BedrockConverseRequest.OutputPointer, extra.Name))]
            : [];
        if (format is null && extras.Count == 0)
        {
            return;
        }

        json.WriteStartObject("outputConfig"u8);
        if (format is not null)
        {
            json.WriteStartObject("textFormat"u8);
            json.WriteString("type"u8, "json_schema"u8);
            json.WriteStartObject("structure"u8);
            json.WriteStartObject("jsonSchema"u8);
            json.WriteString("schema"u8, (format.Schema.IsEmpty ? RawJson.EmptyObject : format.Schema).Utf8.Span);
            if (format.Name is not null)
            {
                json.WriteString("name"u8, format.Name);
            }

            if (format.Description is not null)
            {
                json.WriteString("description"u8, format.Description);
            }

            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        BedrockConversePartWriter.WriteExtras(json, extras, BedrockConverseRequest.OutputPointer);
        json.WriteEndObject();
    }

    private void ReportUnknownSettings()
    {
        Report(_request.Seed?.Pointer, "A seed has no counterpart.");
        Report(_request.PresencePenalty is { Value: not 0 } presence ? presence.Pointer : null, "A penalty has no counterpart.");
        Report(_request.FrequencyPenalty is { Value: not 0 } frequency ? frequency.Pointer : null, "A penalty has no counterpart.");
        Report(_request.ChoiceCount is { Value: not 1 } count ? count.Pointer : null, "There is one answer only.");
        Report(_request.EndUser?.Pointer, "The end user's id has no counterpart.");
    }

    private void Report(string? pointer, string reason)
    {
        if (pointer is not null)
        {
            _losses.Add(pointer, reason);
        }
    }
}
