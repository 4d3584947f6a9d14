using System.Runtime.InteropServices;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>
/// Writes a request of this protocol again where its bytes cannot go on as they are: reasoning that bears a mark goes to its issuer without it and to nobody else,
/// and a schema that the endpoint does not have is emulated. Every other value is written as it came.
/// </summary>
internal static class OpenAIResponsesOwnRequest
{
    public static void Write(ChatRequest request, RequestTarget target, LossReport losses, Utf8JsonWriter json)
    {
        using JsonDocument document = JsonDocument.Parse(request.Source.Utf8, new JsonDocumentOptions { MaxDepth = OpenAIResponsesPeek.DepthMax + 1 });
        JsonElement root = document.RootElement;
        bool isEmulated = StructuredOutput.IsEmulated(request, target);
        bool asksReasoning = root.TryGetProperty("reasoning"u8, out JsonElement reasoning) && reasoning.ValueKind == JsonValueKind.Object;
        bool includes = OpenAIResponsesReasoning.IsEncrypted(target, asksReasoning);
        json.WriteStartObject();
        json.WriteString("model"u8, target.Model);
        foreach (JsonProperty property in root.EnumerateObject())
        {
            switch (property.Name)
            {
                case "model" or "store" or "previous_response_id" or "conversation":
                    break;
                case "include" when includes:
                    break;
                case "input":
                    json.WritePropertyName("input"u8);
                    WriteInput(property.Value, isEmulated && HasTools(request), target, losses, json);
                    break;
                case "text" when isEmulated:
                    WriteTextOptions(property.Value, json);
                    break;
                case "tools" or "tool_choice" when isEmulated:
                    break;
                default:
                    json.WritePropertyName(property.Name);
                    WriteRaw(property.Value, json);
                    break;
            }
        }

        json.WriteBoolean("store"u8, root.TryGetProperty("background"u8, out JsonElement background) && background.ValueKind == JsonValueKind.True);
        LoseState(root, losses);
        if (includes)
        {
            WriteInclude(root, json);
        }

        if (isEmulated)
        {
            WriteEmulation(root, request, json);
        }

        json.WriteEndObject();
    }

    private static bool HasTools(ChatRequest request) => request.Tools.Any(static tool => tool.Native.IsEmpty);

    private static void WriteRaw(JsonElement value, Utf8JsonWriter json) => json.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);

    /// <summary>State that is still named here was not found among what Ballast keeps, and no vendor has it.</summary>
    private static void LoseState(JsonElement root, LossReport losses)
    {
        foreach (string name in (ReadOnlySpan<string>)["previous_response_id", "conversation"])
        {
            if (root.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null)
            {
                losses.Add($"/{name}", "Nothing that a vendor keeps is referred to.");
            }
        }
    }

    private static void WriteInput(JsonElement input, bool withInstruction, RequestTarget target, LossReport losses, Utf8JsonWriter json)
    {
        if (input.ValueKind != JsonValueKind.Array)
        {
            if (!withInstruction)
            {
                WriteRaw(input, json);
                return;
            }

            json.WriteStartArray();
            json.WriteStartObject();
            json.WriteString("role"u8, "user"u8);
            json.WritePropertyName("content"u8);
            WriteRaw(input, json);
            json.WriteEndObject();
            OpenAIResponsesItemWriter.WriteAnswerInstruction(json);
            json.WriteEndArray();
            return;
        }

        json.WriteStartArray();
        int index = 0;
        foreach (JsonElement item in input.EnumerateArray())
        {
            WriteItem(item, OpenAIResponsesFault.Below("/input", index++), target, losses, json);
        }

        if (withInstruction)
        {
            OpenAIResponsesItemWriter.WriteAnswerInstruction(json);
        }

        json.WriteEndArray();
    }

    private static void WriteItem(JsonElement item, string at, RequestTarget target, LossReport losses, Utf8JsonWriter json)
    {
        if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("encrypted_content"u8, out JsonElement content) || content.ValueKind != JsonValueKind.String)
        {
            WriteRaw(item, json);
            return;
        }

        if (!ForeignThinking.TryUnwrap(content.GetString()!, out string issuer, out string? value))
        {
            // A compaction is the conversation itself: nothing stands in for it.
            if (!target.ReadsBareReasoning && item.TryGetProperty("type"u8, out JsonElement type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("reasoning"u8))
            {
                losses.Add(at, "This account cannot read what was encrypted for another.");
                return;
            }

            WriteRaw(item, json);
            return;
        }

        if (!OpenAIResponsesReasoning.MayGo(issuer, target) || (value is null && target.Vendor == OpenAIResponsesProtocol.Issuer))
        {
            losses.Add(at, $"Reasoning of {issuer} goes back to {issuer} only.");
            return;
        }

        json.WriteStartObject();
        foreach (JsonProperty field in item.EnumerateObject())
        {
            if (!field.NameEquals("encrypted_content"u8))
            {
                json.WritePropertyName(field.Name);
                WriteRaw(field.Value, json);
            }
            else if (value is not null)
            {
                json.WriteString("encrypted_content"u8, OpenAIResponsesReasoning.Unsealed(value));
            }
        }

        json.WriteEndObject();
    }

    private static void WriteTextOptions(JsonElement text, Utf8JsonWriter json)
    {
        json.WriteStartObject("text"u8);
        foreach (JsonProperty option in text.EnumerateObject())
        {
            if (!option.NameEquals("format"u8))
            {
                json.WritePropertyName(option.Name);
                WriteRaw(option.Value, json);
            }
        }

        json.WriteEndObject();
    }

    private static void WriteInclude(JsonElement root, Utf8JsonWriter json)
    {
        json.WriteStartArray("include"u8);
        json.WriteStringValue(OpenAIResponsesSplice.EncryptedReasoning);
        if (root.TryGetProperty("include"u8, out JsonElement include) && include.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement one in include.EnumerateArray())
            {
                if (one.ValueKind != JsonValueKind.String || !one.ValueEquals(OpenAIResponsesSplice.EncryptedReasoning))
                {
                    WriteRaw(one, json);
                }
            }
        }

        json.WriteEndArray();
    }

    private static void WriteEmulation(JsonElement root, ChatRequest request, Utf8JsonWriter json)
    {
        json.WriteStartArray("tools"u8);
        bool hasTools = false;
        if (root.TryGetProperty("tools"u8, out JsonElement tools) && tools.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement tool in tools.EnumerateArray())
            {
                hasTools = true;
                WriteRaw(tool, json);
            }
        }

        OpenAIResponsesRequestWriter.WriteAnswerTool(request.ResponseFormat!, json);
        json.WriteEndArray();
        bool hasChoice = root.TryGetProperty("tool_choice"u8, out JsonElement choice) && choice.ValueKind != JsonValueKind.Null;
        if (!hasTools || request.ToolChoice is { Mode: ToolChoiceMode.None })
        {
            OpenAIResponsesRequestWriter.WriteNamedChoice(StructuredOutput.ToolName, json);
        }
        else if (!hasChoice || request.ToolChoice is { Mode: ToolChoiceMode.Auto })
        {
            // The caller's own tools stay callable, and the answer is a call as well: one of them it must be.
            json.WriteString("tool_choice"u8, "required"u8);
        }
        else
        {
            json.WritePropertyName("tool_choice"u8);
            WriteRaw(choice, json);
        }
    }
}
