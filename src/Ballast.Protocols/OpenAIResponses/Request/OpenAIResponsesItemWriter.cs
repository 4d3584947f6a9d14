using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>Writes a conversation of another protocol as input items: reasoning, text and calls of one turn are items of their own, in this order.</summary>
internal sealed class OpenAIResponsesItemWriter(ChatRequest request, RequestTarget target, LossReport losses, Utf8JsonWriter json)
{
    /// <summary>OpenAI refuses longer ids of calls.</summary>
    private const int CallIdLengthMax = 64;

    /// <summary>Said to the model where an answer's form is emulated but other tools must stay callable.</summary>
    internal const string AnswerInstruction = $"When you give your final answer, give it by calling the tool {StructuredOutput.ToolName}, not as text.";

    private readonly HashSet<string> _freeTextCalls =
        [.. request.Messages.SelectMany(static message => message.Parts).OfType<ToolCallPart>().Where(static call => call.IsFreeText).Select(static call => call.Id)];

    public void WriteInput(bool withAnswerInstruction)
    {
        json.WriteStartArray("input"u8);
        foreach (Message message in request.Messages)
        {
            WriteTurn(message);
        }

        if (withAnswerInstruction)
        {
            WriteAnswerInstruction(json);
        }

        json.WriteEndArray();
        if (request.Messages is [.., { Role: Role.Assistant } prefill])
        {
            losses.Add(prefill.Pointer, "The Responses API does not continue an answer that was begun for it.");
        }
    }

    public static void WriteAnswerInstruction(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("role"u8, "system"u8);
        json.WriteString("content"u8, AnswerInstruction);
        json.WriteEndObject();
    }

    public static void Lose(Extra extra, LossReport losses)
    {
        if (!extra.Value.Utf8.Span.SequenceEqual("null"u8))
        {
            losses.Add(extra.Pointer, $"The field {extra.Name} has no place in the Responses API.");
        }
    }

    public static void Lose(CacheControl? cache, LossReport losses)
    {
        if (cache is not null)
        {
            losses.Add(cache.Pointer, "The Responses API takes no cache breakpoints.");
        }
    }

    private void WriteTurn(Message message)
    {
        foreach (Extra extra in message.Extras)
        {
            Lose(extra, losses);
        }

        if (message.Name is { } name)
        {
            losses.Add(name.Pointer, "A speaker's name has no place in the Responses API.");
        }

        if (message.Role == Role.Assistant)
        {
            WriteAnswer(message);
            return;
        }

        bool hasResults = false;
        foreach (ToolResultPart result in message.Parts.OfType<ToolResultPart>())
        {
            hasResults = true;
            WriteResult(result);
        }

        List<Part> rest = [.. message.Parts.Where(static part => part is not ToolResultPart)];
        if (rest.Count > 0 || !hasResults)
        {
            WriteMessage(message, rest);
        }
    }

    private void WriteMessage(Message message, List<Part> parts)
    {
        List<Part> content = [.. parts.Select(ForContent).OfType<Part>()];
        if (content.Count == 0 && parts.Count > 0)
        {
            // Every part was lost, and said to be: an empty list is refused.
            content.Add(new TextPart("(omitted)", message.Pointer));
        }

        json.WriteStartObject();
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, message.Role switch
        {
            Role.System => "system"u8,
            Role.Developer => target.Has(TargetFeatures.DeveloperRole) ? "developer"u8 : "system"u8,
            _ => "user"u8,
        });
        json.WriteStartArray("content"u8);
        foreach (Part part in content)
        {
            WritePart(part);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteAnswer(Message message)
    {
        foreach (Part part in message.Parts.Where(static part => part is ThinkingPart or RedactedThinkingPart))
        {
            WriteReasoning(part);
        }

        List<Part> texts = [.. message.Parts.Where(static part => part is TextPart or RefusalPart)];
        if (texts.Count > 0)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "message"u8);
            json.WriteString("role"u8, "assistant"u8);
            json.WriteStartArray("content"u8);
            foreach (Part part in texts)
            {
                LoseRest(part);
                json.WriteStartObject();
                bool isRefusal = part is RefusalPart;
                json.WriteString("type"u8, isRefusal ? "refusal"u8 : "output_text"u8);
                json.WriteString(isRefusal ? "refusal"u8 : "text"u8, part is RefusalPart refusal ? refusal.Text : ((TextPart)part).Text);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        foreach (Part part in message.Parts)
        {
            if (part is ToolCallPart call)
            {
                WriteCall(call);
            }
            else if (part is not (TextPart or RefusalPart or ThinkingPart or RedactedThinkingPart))
            {
                losses.Add(part.Pointer, "This part has no place in an answer of the Responses API.");
            }
        }
    }

    private void WriteReasoning(Part part)
    {
        LoseRest(part);
        (string text, string? encrypted, string? issuer) = part is ThinkingPart thinking
            ? (thinking.Text, thinking.Signature, thinking.Issuer)
            : ("", ((RedactedThinkingPart)part).Data, ((RedactedThinkingPart)part).Issuer);
        bool isAllowed = issuer is null
            ? target.Has(TargetFeatures.ReasoningReplay) && target.Vendor != OpenAIResponsesProtocol.Issuer
            : OpenAIResponsesReasoning.MayGo(issuer, target) && (encrypted is not null || target.Vendor != OpenAIResponsesProtocol.Issuer);
        if (!isAllowed)
        {
            losses.Add(part.Pointer, issuer is null || issuer == target.Vendor
                ? "The endpoint takes no earlier reasoning that it has not encrypted."
                : $"Reasoning of {issuer} goes back to {issuer} only.");
            return;
        }

        json.WriteStartObject();
        json.WriteString("type"u8, "reasoning"u8);
        json.WriteStartArray("summary"u8);
        if (text.Length > 0)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "summary_text"u8);
            json.WriteString("text"u8, text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (encrypted is not null)
        {
            json.WriteString("encrypted_content"u8, encrypted);
        }

        json.WriteEndObject();
    }

    private void WriteCall(ToolCallPart call)
    {
        LoseRest(call);
        json.WriteStartObject();
        json.WriteString("type"u8, call.IsFreeText ? "custom_tool_call"u8 : "function_call"u8);
        json.WriteString("call_id"u8, IdOf(call.Id));
        json.WriteString("name"u8, LegalName.Of(call.Name, OpenAIResponsesRequestWriter.ToolNameLengthMax));
        json.WriteString(call.IsFreeText ? "input"u8 : "arguments"u8, call.Arguments.Length == 0 && !call.IsFreeText ? "{}" : call.Arguments);
        json.WriteEndObject();
    }

    private void WriteResult(ToolResultPart result)
    {
        LoseRest(result);
        List<Part> content = [.. result.Content.Select(ForContent).OfType<Part>()];
        string prefix = result.IsError ? "Error: " : "";
        json.WriteStartObject();
        json.WriteString("type"u8, _freeTextCalls.Contains(result.CallId) ? "custom_tool_call_output"u8 : "function_call_output"u8);
        json.WriteString("call_id"u8, IdOf(result.CallId));
        if (content.All(static part => part is TextPart))
        {
            foreach (Part part in content)
            {
                LoseRest(part);
            }

            json.WriteString("output"u8, prefix + string.Join('\n', content.OfType<TextPart>().Select(static text => text.Text)));
        }
        else
        {
            json.WriteStartArray("output"u8);
            if (result.IsError)
            {
                WritePart(new TextPart("Error:", result.Pointer));
            }

            foreach (Part part in content)
            {
                WritePart(part);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private void WritePart(Part part)
    {
        LoseRest(part);
        json.WriteStartObject();
        switch (part)
        {
            case TextPart text:
                json.WriteString("type"u8, "input_text"u8);
                json.WriteString("text"u8, text.Text);
                break;
            case RefusalPart refusal:
                json.WriteString("type"u8, "input_text"u8);
                json.WriteString("text"u8, refusal.Text);
                break;
            case ImagePart image:
                json.WriteString("type"u8, "input_image"u8);
                json.WriteString("image_url"u8, UrlOf(image.Source));
                json.WriteString("detail"u8, image.Detail ?? "auto");
                break;
            case AudioPart audio:
                json.WriteString("type"u8, "input_audio"u8);
                json.WriteStartObject("input_audio"u8);
                json.WriteString("data"u8, audio.Base64);
                json.WriteString("format"u8, audio.Format);
                json.WriteEndObject();
                break;
            case DocumentPart { Source.Url: { } url } document:
                json.WriteString("type"u8, "input_file"u8);
                json.WriteString("file_url"u8, url);
                if (document.Name is not null)
                {
                    losses.Add(document.Pointer, "A file by its address has no name of its own.");
                }

                if (document.Source is { MediaType: { } type, MediaTypePointer: { } typeAt } && type != MediaTypes.OfAddress(url))
                {
                    losses.Add(typeAt, "A file by its address has no type of its own.");
                }

                break;
            case DocumentPart document:
                json.WriteString("type"u8, "input_file"u8);
                json.WriteString("filename"u8, document.Name ?? "document.pdf");
                json.WriteString("file_data"u8, UrlOf(document.Source with { MediaType = document.Source.MediaType ?? "application/pdf" }));
                break;
        }

        json.WriteEndObject();
    }

    private static string UrlOf(MediaSource source) => source.Url ?? $"data:{source.MediaType ?? "image/png"};base64,{source.Base64}";

    /// <summary>The part as it can stand in a message's content; a placeholder or null, and a loss, where it cannot.</summary>
    private Part? ForContent(Part part)
    {
        switch (part)
        {
            case TextPart or AudioPart or RefusalPart:
                return part;
            case ImagePart image when !target.Has(TargetFeatures.Images):
                return Placeholder(image, "The endpoint takes no images.", "[An image was left out: this model takes no images.]");
            case ImagePart { Source.FileId: not null } image:
                return Placeholder(image, "A file stored at one vendor cannot go to another.", "[An image was left out: it is stored elsewhere.]");
            case ImagePart:
                return part;
            case DocumentPart document:
                return ForContent(document);
            case OpaquePart { Text: { } text }:
                return Placeholder(part, "Only its text has a place in the Responses API.", text);
            default:
                losses.Add(part.Pointer, "This part has no place in the Responses API.");
                return null;
        }
    }

    private Part ForContent(DocumentPart document)
    {
        string title = document.Name is null ? "" : $"{document.Name}\n\n";
        MediaSource source = document.Source;
        string? text = document.Text
            ?? (source.Base64 is not null && source.MediaType?.StartsWith("text/", StringComparison.Ordinal) == true ? Decode(source.Base64) : null);
        if (text is not null)
        {
            return new TextPart(title + text, document.Pointer) { CacheControl = document.CacheControl, Extras = document.Extras };
        }

        if (source.FileId is not null)
        {
            return Placeholder(document, "A file stored at one vendor cannot go to another.", "[A document was left out: it is stored elsewhere.]");
        }

        return target.Has(TargetFeatures.Files)
            ? document
            : Placeholder(document, "The endpoint takes no files.", "[A document was left out: this model takes no files.]");
    }

    private TextPart Placeholder(Part part, string reason, string text)
    {
        losses.Add(part.Pointer, reason);
        return new TextPart(text, part.Pointer) { CacheControl = part.CacheControl, Extras = part.Extras };
    }

    private static string? Decode(string base64)
    {
        byte[] bytes = new byte[(base64.Length * 3 / 4) + 3];
        return Convert.TryFromBase64String(base64, bytes, out int length) ? Encoding.UTF8.GetString(bytes, 0, length) : null;
    }

    private void LoseRest(Part part)
    {
        Lose(part.CacheControl, losses);
        foreach (Extra extra in part.Extras)
        {
            Lose(extra, losses);
        }
    }

    /// <summary>An id that is too long gives way to one made of it: the call and its result still agree.</summary>
    private static string IdOf(string id) =>
        id.Length is > 0 and <= CallIdLengthMax ? id : "call_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)).AsSpan(0, 16));
}
