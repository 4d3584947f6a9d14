using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>Turns of another protocol: what Chat Completions cannot say in the same place is said in another, or named as a loss.</summary>
internal static partial class OpenAIChatRequest
{
    private static void WriteForeignTurn(Output output, Message message)
    {
        foreach (Extra extra in message.Extras)
        {
            output.LoseExtra(extra);
        }

        switch (message.Role)
        {
            case Role.Assistant:
                WriteForeignAnswer(output, message);
                break;
            case Role.System or Role.Developer:
                WriteForeignSystem(output, message);
                break;
            default:
                List<Part> rest = WriteToolResults(output, message);
                if (rest.Count == 0 && message.Parts.Count > 0 && !message.Parts.OfType<ToolResultPart>().Any())
                {
                    // Every part was lost, and said to be: an empty list is refused.
                    rest.Add(new TextPart("(omitted)", message.Pointer));
                }

                if (rest.Count > 0 || !message.Parts.OfType<ToolResultPart>().Any())
                {
                    WriteForeignContent(output, "user"u8, message, rest);
                }

                break;
        }
    }

    /// <summary>Writes each tool result as a message; gives what must follow them in a user message: their pictures, then the rest of the turn.</summary>
    private static List<Part> WriteToolResults(Output output, Message message)
    {
        List<Part> rest = [];
        foreach (ToolResultPart result in message.Parts.OfType<ToolResultPart>())
        {
            Utf8JsonWriter json = output.Json;
            List<Part> media = [];
            List<TextPart> texts = [];
            foreach (Part part in result.Content)
            {
                Part? written = ForContent(output, part);
                if (written is TextPart text)
                {
                    texts.Add(text);
                }
                else if (written is not null)
                {
                    media.Add(written);
                    texts.Add(new TextPart("[Attached to the next user message.]", part.Pointer));
                }
            }

            json.WriteStartObject();
            json.WriteString("role"u8, "tool"u8);
            json.WriteString("tool_call_id"u8, IdOf(output, result.CallId));
            WriteToolText(output, result, texts);
            json.WriteEndObject();
            LoseExtras(output, result);
            if (media.Count > 0)
            {
                rest.Add(new TextPart($"Attached to the result of tool call {IdOf(output, result.CallId)}:", result.Pointer));
                rest.AddRange(media);
            }
        }

        rest.AddRange(message.Parts.Where(part => part is not ToolResultPart).Select(part => ForContent(output, part)).OfType<Part>());
        return rest;
    }

    private static void WriteToolText(Output output, ToolResultPart result, List<TextPart> texts)
    {
        Utf8JsonWriter json = output.Json;
        string prefix = result.IsError ? "Error: " : "";
        if (result.CacheControl is not null || texts.Any(text => text.CacheControl is not null))
        {
            if (output.Target.Has(TargetFeatures.CacheControl))
            {
                json.WriteStartArray("content"u8);
                for (int i = 0; i < texts.Count; i++)
                {
                    bool isLast = i == texts.Count - 1;
                    WritePart(output, texts[i] with
                    {
                        Text = (i == 0 ? prefix : "") + texts[i].Text,
                        CacheControl = texts[i].CacheControl ?? (isLast ? result.CacheControl : null),
                    });
                }

                json.WriteEndArray();
                return;
            }

            LoseCacheControl(output, result);
        }

        foreach (TextPart text in texts)
        {
            LoseCacheControl(output, text);
            LoseExtras(output, text);
        }

        json.WriteString("content"u8, prefix + string.Join('\n', texts.Select(text => text.Text)));
    }

    private static void WriteForeignSystem(Output output, Message message)
    {
        List<Part> parts = [.. message.Parts.Select(part => ForContent(output, part)).OfType<Part>()];
        if (parts.Count == 0)
        {
            return;
        }

        if (parts.All(part => part is TextPart) && !(output.Target.Has(TargetFeatures.CacheControl) && parts.Any(part => part.CacheControl is not null)))
        {
            // One string: some servers take nothing else here.
            foreach (Part part in parts)
            {
                LoseCacheControl(output, part);
                LoseExtras(output, part);
            }

            string text = string.Join("\n\n", parts.OfType<TextPart>().Select(part => part.Text));
            parts = [new TextPart(text, parts[0].Pointer)];
        }

        WriteForeignContent(output, WordOf(message.Role, output.Target), message, parts);
    }

    private static void WriteForeignContent(Output output, ReadOnlySpan<byte> role, Message message, List<Part> parts)
    {
        Utf8JsonWriter json = output.Json;
        json.WriteStartObject();
        json.WriteString("role"u8, role);
        if (message.Name is { } name)
        {
            json.WriteString("name"u8, name.Value);
        }

        bool isPlain = parts is [TextPart single] && (single.CacheControl is null || !output.Target.Has(TargetFeatures.CacheControl));
        if (isPlain)
        {
            LoseCacheControl(output, parts[0]);
            LoseExtras(output, parts[0]);
            json.WriteString("content"u8, ((TextPart)parts[0]).Text);
        }
        else
        {
            json.WriteStartArray("content"u8);
            foreach (Part part in parts)
            {
                WritePart(output, part);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteForeignAnswer(Output output, Message message)
    {
        Utf8JsonWriter json = output.Json;
        json.WriteStartObject();
        json.WriteString("role"u8, "assistant"u8);
        StringBuilder text = new();
        foreach (Part part in message.Parts)
        {
            switch (part)
            {
                case TextPart textPart:
                    text.Append(textPart.Text);
                    LoseCacheControl(output, part);
                    LoseExtras(output, part);
                    break;
                case RefusalPart refusal:
                    json.WriteString("refusal"u8, refusal.Text);
                    LoseCacheControl(output, part);
                    LoseExtras(output, part);
                    break;
                case ToolCallPart or ThinkingPart or RedactedThinkingPart:
                    break;
                default:
                    output.Losses.Add(part.Pointer, "This part has no place in an assistant message of Chat Completions.");
                    break;
            }
        }

        bool hasCalls = message.Parts.OfType<ToolCallPart>().Any();
        if (text.Length > 0 || !hasCalls)
        {
            json.WriteString("content"u8, text.ToString());
        }
        else
        {
            json.WriteNull("content"u8);
        }

        WriteReasoning(output, message);
        WriteToolCalls(output, message);
        json.WriteEndObject();
    }

    /// <summary>The part as it can stand in a message's content; a placeholder or null, and a loss, where it cannot.</summary>
    private static Part? ForContent(Output output, Part part)
    {
        switch (part)
        {
            case TextPart or AudioPart:
                return part;
            case ImagePart image when !output.Target.Has(TargetFeatures.Images):
                return Placeholder(output, image, "The endpoint takes no images.", "[An image was left out: this model takes no images.]");
            case ImagePart { Source.FileId: not null } image:
                return Placeholder(output, image, "A file stored at one vendor cannot go to another.", "[An image was left out: it is stored elsewhere.]");
            case ImagePart:
                return part;
            case DocumentPart document:
                return ForContent(output, document);
            case OpaquePart { Text: { } text }:
                return Placeholder(output, part, "Only its text has a place in Chat Completions.", text);
            default:
                output.Losses.Add(part.Pointer, "This part has no place in Chat Completions.");
                return null;
        }
    }

    private static Part ForContent(Output output, DocumentPart document)
    {
        string title = document.Name is null ? "" : $"{document.Name}\n\n";
        MediaSource source = document.Source;
        if (document.Text is not null)
        {
            return new TextPart(title + document.Text, document.Pointer) { CacheControl = document.CacheControl, Extras = document.Extras };
        }

        if (source.Base64 is not null && source.MediaType?.StartsWith("text/", StringComparison.Ordinal) == true && TryDecode(source.Base64, out string text))
        {
            return new TextPart(title + text, document.Pointer) { CacheControl = document.CacheControl, Extras = document.Extras };
        }

        if (source.FileId is not null)
        {
            return Placeholder(output, document, "A file stored at one vendor cannot go to another.", "[A document was left out: it is stored elsewhere.]");
        }

        if (source.Base64 is null)
        {
            return Placeholder(output, document, "Chat Completions takes no document by URL.", "[A document was left out: only its address was given.]");
        }

        return output.Target.Has(TargetFeatures.Files)
            ? document
            : Placeholder(output, document, "The endpoint takes no files.", "[A document was left out: this model takes no files.]");
    }

    private static TextPart Placeholder(Output output, Part part, string reason, string text)
    {
        output.Losses.Add(part.Pointer, reason);
        return new TextPart(text, part.Pointer) { CacheControl = part.CacheControl, Extras = part.Extras };
    }

    private static bool TryDecode(string base64, out string text)
    {
        byte[] bytes = new byte[(base64.Length * 3 / 4) + 3];
        bool isDecoded = Convert.TryFromBase64String(base64, bytes, out int length);
        text = isDecoded ? Encoding.UTF8.GetString(bytes, 0, length) : "";
        return isDecoded;
    }

    private static void LoseExtras(Output output, Part part)
    {
        foreach (Extra extra in part.Extras)
        {
            output.LoseExtra(extra);
        }
    }
}
