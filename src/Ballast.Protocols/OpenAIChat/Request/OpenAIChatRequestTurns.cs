using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>
/// Messages as they are written. Another protocol's turn may become several messages: tool results stand in user turns there, and here each is a message of
/// its own before the rest of the turn.
/// </summary>
internal static partial class OpenAIChatRequest
{
    /// <summary>OpenAI refuses longer ids of tool calls.</summary>
    private const int ToolCallIdLengthMax = 40;

    private static void WriteMessages(Output output)
    {
        Utf8JsonWriter json = output.Json;
        ChatRequest request = output.Request;
        json.WriteStartArray("messages"u8);
        foreach (Message message in request.Messages)
        {
            if (output.IsOwn)
            {
                WriteOwnMessage(output, message);
            }
            else
            {
                WriteForeignTurn(output, message);
            }
        }

        if (StructuredOutput.IsEmulated(request, output.Target) && request.Tools.Any(tool => output.IsOwn || tool.Native.IsEmpty))
        {
            WriteText(json, "system"u8, StructuredOutputInstruction);
        }

        json.WriteEndArray();
        if (!output.IsOwn && request.Messages is [.., { Role: Role.Assistant } prefill])
        {
            output.Losses.Add(prefill.Pointer, "Chat Completions does not continue an answer that was begun for it.");
        }
    }

    private static void WriteText(Utf8JsonWriter json, ReadOnlySpan<byte> role, string text)
    {
        json.WriteStartObject();
        json.WriteString("role"u8, role);
        json.WriteString("content"u8, text);
        json.WriteEndObject();
    }

    private static ReadOnlySpan<byte> WordOf(Role role, RequestTarget target) => role switch
    {
        Role.System => "system"u8,
        Role.Developer => target.Has(TargetFeatures.DeveloperRole) ? "developer"u8 : "system"u8,
        Role.User => "user"u8,
        Role.Assistant => "assistant"u8,
        _ => "tool"u8,
    };

    /// <summary>The caller's own message, part for part; only reasoning of another vendor stays behind.</summary>
    private static void WriteOwnMessage(Output output, Message message)
    {
        Utf8JsonWriter json = output.Json;
        json.WriteStartObject();
        bool isFunction = message.Extras.Any(extra => extra.Name == "role");
        if (!isFunction)
        {
            json.WriteString("role"u8, WordOf(message.Role, output.Target));
        }

        if (message.Name is { } name)
        {
            json.WriteString("name"u8, name.Value);
        }

        IReadOnlyList<Part> content = message.Parts;
        if (message.Role == Role.Tool && message.Parts is [ToolResultPart result, ..])
        {
            content = result.Content;
            if (!isFunction)
            {
                json.WriteString("tool_call_id"u8, IdOf(output, result.CallId));
            }
        }

        WriteOwnContent(output, message, content);
        WriteReasoning(output, message);
        foreach (RefusalPart refusal in content.OfType<RefusalPart>().Where(part => part.Pointer == $"{message.Pointer}/refusal"))
        {
            json.WriteString("refusal"u8, refusal.Text);
        }

        WriteToolCalls(output, message);
        WriteExtras(output, message.Extras, message.Pointer);
        json.WriteEndObject();
    }

    private static void WriteOwnContent(Output output, Message message, IReadOnlyList<Part> parts)
    {
        Utf8JsonWriter json = output.Json;
        string at = $"{message.Pointer}/content";
        if (parts.OfType<TextPart>().FirstOrDefault(part => part.Pointer == at) is { } text)
        {
            json.WriteString("content"u8, text.Text);
            return;
        }

        List<Part> content = [.. parts.Where(part => part.Pointer.StartsWith(at, StringComparison.Ordinal))];
        bool hasNull = message.Extras.Any(extra => extra.Name == "content");
        if (content.Count > 0 || (!hasNull && message.Role != Role.Assistant))
        {
            json.WriteStartArray("content"u8);
            foreach (Part part in content)
            {
                WritePart(output, part);
            }

            json.WriteEndArray();
        }
    }

    private static void WriteReasoning(Output output, Message message)
    {
        Utf8JsonWriter json = output.Json;
        List<Part> details = [];
        StringBuilder replayed = new();
        foreach (Part part in message.Parts)
        {
            switch (part)
            {
                case ThinkingPart thinking when output.IsOwn && thinking.Issuer is null:
                    json.WriteString(thinking.Pointer.EndsWith("/reasoning", StringComparison.Ordinal) ? "reasoning"u8 : "reasoning_content"u8, thinking.Text);
                    break;
                case ThinkingPart thinking:
                    if (MayReturn(output, part, thinking.Issuer))
                    {
                        LoseForeignExtras(output, part);
                        replayed.Append(thinking.Text);
                        if (thinking.Signature is not null)
                        {
                            details.Add(thinking);
                        }
                    }

                    break;
                case RedactedThinkingPart redacted:
                    if (MayReturn(output, part, redacted.Issuer))
                    {
                        LoseForeignExtras(output, part);
                        details.Add(redacted);
                    }

                    break;
                case OpaquePart { Type: "reasoning_details" } when output.IsOwn:
                    details.Add(part);
                    break;
            }
        }

        if (replayed.Length > 0)
        {
            json.WriteString("reasoning_content"u8, replayed.ToString());
        }

        WriteReasoningDetails(output, details);
    }

    private static void LoseForeignExtras(Output output, Part part)
    {
        if (!output.IsOwn)
        {
            LoseExtras(output, part);
        }
    }

    private static bool MayReturn(Output output, Part part, string? issuer)
    {
        if (issuer is not null && issuer == output.Target.Vendor && output.Target.Has(TargetFeatures.ReasoningReplay))
        {
            return true;
        }

        output.Losses.Add(part.Pointer, issuer is null || issuer == output.Target.Vendor
            ? "The endpoint takes no earlier reasoning."
            : $"Reasoning of {issuer} goes back to {issuer} only.");
        return false;
    }

    private static void WriteReasoningDetails(Output output, List<Part> details)
    {
        Utf8JsonWriter json = output.Json;
        if (details.Count == 0)
        {
            return;
        }

        json.WriteStartArray("reasoning_details"u8);
        for (int i = 0; i < details.Count; i++)
        {
            if (details[i] is OpaquePart opaque)
            {
                opaque.Value.WriteTo(json);
                continue;
            }

            json.WriteStartObject();
            if (details[i] is ThinkingPart thinking)
            {
                json.WriteString("type"u8, "reasoning.text"u8);
                json.WriteString("text"u8, thinking.Text);
                json.WriteString("signature"u8, thinking.Signature);
            }
            else
            {
                json.WriteString("type"u8, "reasoning.encrypted"u8);
                json.WriteString("data"u8, ((RedactedThinkingPart)details[i]).Data);
            }

            if (!output.IsOwn || !details[i].Extras.Any(extra => extra.Name == "index"))
            {
                json.WriteNumber("index"u8, i);
            }

            if (output.IsOwn)
            {
                WriteExtras(output, details[i].Extras, details[i].Pointer);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteToolCalls(Output output, Message message)
    {
        Utf8JsonWriter json = output.Json;
        string legacyAt = $"{message.Pointer}/function_call";
        bool isOpen = false;
        foreach (Part part in message.Parts)
        {
            if (part is ToolCallPart legacy && output.IsOwn && part.Pointer == legacyAt)
            {
                json.WriteStartObject("function_call"u8);
                json.WriteString("name"u8, legacy.Name);
                json.WriteString("arguments"u8, legacy.Arguments);
                WriteExtras(output, legacy.Extras, legacyAt);
                json.WriteEndObject();
                continue;
            }

            bool isOpaqueCall = part is OpaquePart && part.Pointer.StartsWith($"{message.Pointer}/tool_calls/", StringComparison.Ordinal);
            if (part is not ToolCallPart && !(isOpaqueCall && output.IsOwn))
            {
                continue;
            }

            if (!isOpen)
            {
                json.WriteStartArray("tool_calls"u8);
                isOpen = true;
            }

            if (part is ToolCallPart call)
            {
                WriteToolCall(output, call);
            }
            else
            {
                ((OpaquePart)part).Value.WriteTo(json);
            }
        }

        if (isOpen)
        {
            json.WriteEndArray();
        }
    }

    private static void WriteToolCall(Output output, ToolCallPart call)
    {
        Utf8JsonWriter json = output.Json;
        json.WriteStartObject();
        json.WriteString("id"u8, IdOf(output, call.Id));
        json.WriteString("type"u8, call.IsFreeText ? "custom"u8 : "function"u8);
        json.WriteStartObject(call.IsFreeText ? "custom"u8 : "function"u8);
        json.WriteString("name"u8, NameOf(output, call.Name));
        json.WriteString(call.IsFreeText ? "input"u8 : "arguments"u8, call.Arguments.Length == 0 && !output.IsOwn && !call.IsFreeText ? "{}" : call.Arguments);
        WriteExtras(output, call.Extras, $"{call.Pointer}/{(call.IsFreeText ? "custom" : "function")}");
        json.WriteEndObject();
        LoseCacheControl(output, call);
        if (output.IsOwn)
        {
            WriteExtras(output, call.Extras, call.Pointer);
        }

        json.WriteEndObject();
    }

    /// <summary>A foreign id that is too long gives way to one made of it: the call and its result still agree.</summary>
    private static string IdOf(Output output, string id) =>
        output.Target.Has(TargetFeatures.ShortToolIds) ? LegalName.Short(id)
            : output.IsOwn || id.Length <= ToolCallIdLengthMax
            ? id
            : "call_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)).AsSpan(0, 16));

    private static void LoseCacheControl(Output output, Part part)
    {
        if (part.CacheControl is { } cache && !output.IsOwn)
        {
            output.Losses.Add(cache.Pointer, "A cache breakpoint has no place here in Chat Completions.");
        }
    }
}
