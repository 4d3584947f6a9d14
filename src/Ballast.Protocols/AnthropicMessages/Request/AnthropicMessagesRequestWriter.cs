using System.Buffers;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>
/// Writes a request for the Messages API. One that came in this protocol is written as it was, but for reasoning that may not go on; one from another protocol is
/// brought into this one's rules, and everything that cannot come along is named.
/// </summary>
internal sealed class AnthropicMessagesRequestWriter
{
    /// <summary>Longest <c>metadata.user_id</c>, in UTF-16 code units.</summary>
    public const int UserIdLengthMax = 256;

    /// <summary>With thinking on, <c>top_p</c> may not be lower.</summary>
    public const double TopPWithThinkingMin = 0.95;

    /// <summary>Where a request asks for a message thread.</summary>
    private const string ThreadPointer = "/thread";

    private readonly ChatRequest _request;
    private readonly RequestTarget _target;
    private readonly LossReport _losses;
    private readonly bool _isNative;
    private readonly AnthropicMessagesForeignParts _foreign;
    private readonly AnthropicMessagesTurns _turns;
    private readonly AnthropicMessagesTools _tools;
    private readonly AnthropicMessagesThinking _thinking;

    public AnthropicMessagesRequestWriter(ChatRequest request, RequestTarget target, LossReport losses)
    {
        _request = request;
        _target = target;
        _losses = losses;
        _isNative = request.SourceProtocol == AnthropicMessagesProtocol.ProtocolName;
        _foreign = new AnthropicMessagesForeignParts(request, target, losses);
        _turns = new AnthropicMessagesTurns(request, target, losses);
        _tools = new AnthropicMessagesTools(request, target, losses, _turns);
        _thinking = AnthropicMessagesThinking.Plan(request, target, losses, _turns.LacksThinking, _isNative ? _tools.EmulatesStructuredOutput : _tools.IsForced);
    }

    public void Write(IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, JsonFields.WriterOptions);
        json.WriteStartObject();
        if (_target.VersionInBody is { } version)
        {
            json.WriteString("anthropic_version"u8, version);
        }
        else
        {
            json.WriteString("model"u8, _target.Model);
        }

        BetaField.Write(json, _target.Betas);
        json.WriteNumber("max_tokens"u8, _thinking.MaxTokens);
        WriteSystem(json);
        WriteMessages(json);
        _tools.Write(json);
        _thinking.Write(json);
        WriteOutput(json);
        WriteSampling(json);
        WriteMetadata(json);
        if (_request.Stream)
        {
            json.WriteBoolean("stream"u8, true);
        }

        if (_isNative)
        {
            AnthropicMessagesPartWriter.WriteExtras(json, WithoutThread(), "");
        }
        else
        {
            _foreign.ReportExtras(_request.Extras);
            ReportUnknownSettings();
        }

        json.WriteEndObject();
    }

    /// <summary>Extras but the wish for a message thread (<see cref="RequestEnvelope.AsksThread"/>).</summary>
    private IReadOnlyList<Extra> WithoutThread()
    {
        if (!_request.Extras.Any(static extra => extra.Pointer == ThreadPointer))
        {
            return _request.Extras;
        }

        _losses.Add(ThreadPointer, "Conversations are not left at their vendor.");
        return [.. _request.Extras.Where(static extra => extra.Pointer != ThreadPointer)];
    }

    private void WriteSystem(Utf8JsonWriter json)
    {
        List<Part> system = [.. _turns.System];
        if (Instruction() is string instruction)
        {
            system.Add(new TextPart(instruction, _request.ResponseFormat!.Pointer));
        }

        if (system.Count > 0 || (_isNative && _request.Messages is [{ Pointer: AnthropicMessagesRequest.SystemPointer }, ..]))
        {
            json.WritePropertyName("system"u8);
            AnthropicMessagesPartWriter.WriteContent(json, system, _isNative ? AnthropicMessagesRequest.SystemPointer : null);
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
            json.WriteString("role"u8, turn.Role switch { Role.Assistant => "assistant"u8, Role.System => "system"u8, _ => "user"u8 });
            json.WritePropertyName("content"u8);
            AnthropicMessagesPartWriter.WriteContent(json, turn.Parts, _isNative ? $"{turn.Pointer}/content" : null);
            AnthropicMessagesPartWriter.WriteExtras(json, turn.Extras, turn.Pointer);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteOutput(Utf8JsonWriter json)
    {
        ResponseFormat? format = _request.ResponseFormat is { Kind: ResponseFormatKind.JsonSchema } asked
            && _target.Has(TargetFeatures.JsonSchema) ? asked : null;
        bool isLegacy = format?.Pointer == "/output_format";
        string? effort = _thinking.Effort;
        List<Extra> extras = _isNative
            ? [.. _request.Extras.Where(extra => extra.Pointer == JsonFields.Join(AnthropicMessagesRequest.OutputConfigPointer, extra.Name))]
            : [];
        if (isLegacy)
        {
            WriteFormat(json, "output_format", format!);
            format = null;
        }

        if (format is null && effort is null && extras.Count == 0)
        {
            return;
        }

        json.WriteStartObject("output_config"u8);
        if (effort is not null)
        {
            json.WriteString("effort"u8, effort);
        }

        if (format is not null)
        {
            WriteFormat(json, "format", format);
        }

        AnthropicMessagesPartWriter.WriteExtras(json, extras, AnthropicMessagesRequest.OutputConfigPointer);
        json.WriteEndObject();
    }

    private void WriteFormat(Utf8JsonWriter json, string name, ResponseFormat format)
    {
        json.WriteStartObject(name);
        json.WriteString("type"u8, "json_schema"u8);
        json.WritePropertyName("schema"u8);
        if (_isNative)
        {
            format.Schema.WriteTo(json);
            AnthropicMessagesPartWriter.WriteExtras(json, _request.Extras, format.Pointer);
        }
        else
        {
            string pointer = _foreign.Inside(format.Pointer, "/json_schema/schema");
            AnthropicMessagesSchema.WriteClosed(json, format.Schema, pointer, _losses, format.Name, format.Description);
        }

        json.WriteEndObject();
    }

    private void WriteSampling(Utf8JsonWriter json)
    {
        if (Temperature() is double temperature)
        {
            json.WriteNumber("temperature"u8, temperature);
        }

        if (TopP() is double topP)
        {
            json.WriteNumber("top_p"u8, topP);
        }

        if (_request.TopK is Setting<long> topK)
        {
            if (!_isNative && _thinking.IsOn)
            {
                _losses.Add(topK.Pointer, "Does not go together with thinking.");
            }
            else
            {
                json.WriteNumber("top_k"u8, topK.Value);
            }
        }

        WriteStops(json);
    }

    private double? Temperature()
    {
        if (_request.Temperature is not Setting<double> temperature || _isNative)
        {
            return _request.Temperature?.Value;
        }

        if (_thinking.IsOn)
        {
            if (temperature.Value != 1)
            {
                _losses.Add(temperature.Pointer, "With thinking the temperature is always 1.");
            }

            return null;
        }

        if (temperature.Value is >= 0 and <= 1)
        {
            return temperature.Value;
        }

        _losses.Add(temperature.Pointer, "The temperature lies between 0 and 1.");
        return Math.Clamp(temperature.Value, 0, 1);
    }

    private double? TopP()
    {
        // 1 is no restriction at all and need not be said.
        if (_request.TopP is not Setting<double> topP || _isNative || topP.Value == 1)
        {
            return _isNative ? _request.TopP?.Value : null;
        }

        if (_thinking.IsOn && topP.Value < TopPWithThinkingMin)
        {
            _losses.Add(topP.Pointer, "Does not go together with thinking.");
            return null;
        }

        if (_request.Temperature is not null)
        {
            _losses.Add(topP.Pointer, "Newer models take either temperature or top_p; the temperature was kept.");
            return null;
        }

        return topP.Value;
    }

    private void WriteStops(Utf8JsonWriter json)
    {
        if (_request.StopSequences is not Setting<IReadOnlyList<string>> stops)
        {
            return;
        }

        List<string> written = [];
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

        if (written.Count > 0 || _isNative)
        {
            json.WriteStartArray("stop_sequences"u8);
            written.ForEach(json.WriteStringValue);
            json.WriteEndArray();
        }
    }

    private void WriteMetadata(Utf8JsonWriter json)
    {
        Setting<string>? user = _request.EndUser;
        if (!_isNative && user?.Value.Length > UserIdLengthMax)
        {
            _losses.Add(user.Pointer, $"The end user's id may have at most {UserIdLengthMax} characters.");
            user = null;
        }

        bool hasExtras = _isNative
            && _request.Extras.Any(extra => extra.Pointer == JsonFields.Join(AnthropicMessagesRequest.MetadataPointer, extra.Name));
        if (user is null && !hasExtras)
        {
            return;
        }

        json.WriteStartObject("metadata"u8);
        if (user is not null)
        {
            json.WriteString("user_id"u8, user.Value);
        }

        if (_isNative)
        {
            AnthropicMessagesPartWriter.WriteExtras(json, _request.Extras, AnthropicMessagesRequest.MetadataPointer);
        }

        json.WriteEndObject();
    }

    private void ReportUnknownSettings()
    {
        Report(_request.Seed?.Pointer, "A seed has no counterpart.");
        Report(_request.PresencePenalty is { Value: not 0 } presence ? presence.Pointer : null, "A penalty has no counterpart.");
        Report(_request.FrequencyPenalty is { Value: not 0 } frequency ? frequency.Pointer : null, "A penalty has no counterpart.");
        Report(_request.ChoiceCount is { Value: not 1 } count ? count.Pointer : null, "There is one answer only.");
    }

    private void Report(string? pointer, string reason)
    {
        if (pointer is not null)
        {
            _losses.Add(pointer, reason);
        }
    }
}
