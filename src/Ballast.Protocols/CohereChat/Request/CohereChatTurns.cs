using System.Globalization;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.CohereChat;

/// <summary>
/// Writes messages and documents. Tool results that stand in a user's turn elsewhere are messages of their own here; documents of text that stand there go beside the
/// conversation, where they can be cited.
/// </summary>
internal sealed class CohereChatTurns(ChatRequest request, RequestTarget target, LossReport losses, Utf8JsonWriter json, PlainParts plain)
{
    private const string Title = CohereChatRequestWriter.Title;

    private const string StructuredOutputInstruction =
        $"When you give your final answer, give it by calling the tool {StructuredOutput.ToolName}, not as text.";

    private readonly bool _isOwn = request.SourceProtocol == CohereChatProtocol.ProtocolName;
    private readonly List<DocumentPart> _documents = [];

    public void Write(bool isEmulated)
    {
        json.WriteStartArray("messages"u8);
        foreach (Message message in request.Messages)
        {
            WriteMessage(message);
        }

        if (isEmulated && request.Tools.Any(tool => tool.Native.IsEmpty))
        {
            json.WriteStartObject();
            json.WriteString("role"u8, "system"u8);
            json.WriteString("content"u8, StructuredOutputInstruction);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (!_isOwn && request.Messages is [.., { Role: Role.Assistant } prefill])
        {
            losses.Add(prefill.Pointer, $"{Title} does not continue an answer that was begun for it.");
        }

        WriteDocuments();
    }

    private void WriteDocuments()
    {
        if (_documents.Count == 0)
        {
            return;
        }

        json.WriteStartArray("documents"u8);
        for (int i = 0; i < _documents.Count; i++)
        {
            CohereChatDocuments.Write(json, _documents[i], _isOwn ? null : string.Create(CultureInfo.InvariantCulture, $"doc:{i}"), _isOwn);
        }

        json.WriteEndArray();
    }

    private void WriteMessage(Message message)
    {
        if (_isOwn && message.Pointer == "/documents")
        {
            _documents.AddRange(message.Parts.OfType<DocumentPart>());
            return;
        }

        if (!_isOwn)
        {
            plain.LoseExtras(message.Extras);
        }

        if (message.Name is { } name)
        {
            losses.Add(name.Pointer, $"{Title} has no speakers' names.");
        }

        List<Part> rest = [];
        bool hasResults = false;
        foreach (ToolResultPart result in message.Parts.OfType<ToolResultPart>())
        {
            hasResults = true;
            rest.AddRange(WriteResult(message, result));
        }

        rest.AddRange(message.Parts.Where(part => part is not ToolResultPart));
        if (rest.Count > 0 || !hasResults)
        {
            WriteTurn(message, rest);
        }
    }

    /// <summary>Writes a tool's result; gives the pictures in it, which must follow in the user's turn.</summary>
    private List<Part> WriteResult(Message message, ToolResultPart result)
    {
        if (!_isOwn)
        {
            plain.LoseDetails(result);
        }

        List<Part> media = [];
        List<string> texts = [];
        json.WriteStartObject();
        json.WriteString("role"u8, "tool"u8);
        json.WriteString("tool_call_id"u8, result.CallId);
        if (_isOwn)
        {
            WriteContent(result.Content, $"{message.Pointer}/content");
            WriteOwnExtras(message.Extras, message.Pointer);
            json.WriteEndObject();
            return media;
        }

        foreach (Part part in result.Content)
        {
            switch (plain.Of(part))
            {
                case TextPart text:
                    texts.Add(text.Text);
                    break;
                case DocumentPart document:
                    texts.Add(document.Name is null ? document.Text! : $"{document.Name}\n\n{document.Text}");
                    break;
                case { } other:
                    media.Add(other);
                    texts.Add("[Attached to the next user message.]");
                    break;
            }
        }

        json.WriteString("content"u8, (result.IsError ? "Error: " : "") + string.Join('\n', texts));
        json.WriteEndObject();
        return media.Count == 0 ? media : [new TextPart($"Attached to the result of tool call {result.CallId}:", result.Pointer), .. media];
    }

    private void WriteTurn(Message message, List<Part> parts)
    {
        json.WriteStartObject();
        json.WriteString("role"u8, message.Role switch
        {
            Role.Assistant => "assistant"u8,
            Role.System or Role.Developer => "system"u8,
            _ => "user"u8,
        });
        List<ToolCallPart> calls = [.. parts.OfType<ToolCallPart>()];
        List<Part> content = [];
        string? plan = null;
        foreach (Part part in parts)
        {
            switch (part)
            {
                case ToolCallPart:
                    break;
                case ThinkingPart or RedactedThinkingPart:
                    if (MayReturn(part))
                    {
                        content.Add(part);
                    }

                    break;
                case TextPart text when _isOwn && text.Pointer == $"{message.Pointer}/tool_plan":
                    plan = text.Text;
                    break;
                case TextPart text when !_isOwn && calls.Count > 0:
                    // What is said before a call is its plan.
                    plain.LoseDetails(text);
                    plan = plan is null ? text.Text : plan + text.Text;
                    break;
                default:
                    Add(part, content);
                    break;
            }
        }

        if (plan is not null)
        {
            json.WriteString("tool_plan"u8, plan);
        }

        if (content.Count > 0 || (calls.Count == 0 && plan is null))
        {
            WriteContent(content, $"{message.Pointer}/content");
        }

        WriteCalls(calls);
        WriteOwnExtras(message.Extras, message.Pointer);
        json.WriteEndObject();
    }

    private void Add(Part part, List<Part> content)
    {
        if (_isOwn)
        {
            if (part is DocumentPart own && own.Pointer.StartsWith("/documents/", StringComparison.Ordinal))
            {
                _documents.Add(own);
            }
            else
            {
                content.Add(part);
            }
        }
        else if (plain.Of(part) is { } written)
        {
            if (written is DocumentPart document)
            {
                _documents.Add(document with { Extras = [] });
            }
            else
            {
                content.Add(written);
            }
        }
    }

    private bool MayReturn(Part part)
    {
        string? issuer = part is ThinkingPart thinking ? thinking.Issuer : ((RedactedThinkingPart)part).Issuer;
        if (issuer == target.Vendor || (issuer is null && _isOwn))
        {
            return true;
        }

        losses.Add(part.Pointer, issuer is null ? "It is not known whose reasoning this is." : $"Reasoning of {issuer} goes back to {issuer} only.");
        return false;
    }

    private void WriteContent(IReadOnlyList<Part> content, string at)
    {
        if (content is [TextPart { Extras.Count: 0 } single] && (!_isOwn || single.Pointer == at))
        {
            json.WriteString("content"u8, single.Text);
            return;
        }

        json.WriteStartArray("content"u8);
        foreach (Part part in content)
        {
            WritePart(part);
        }

        json.WriteEndArray();
    }

    private void WritePart(Part part)
    {
        if (part is OpaquePart opaque)
        {
            opaque.Value.WriteTo(json);
            return;
        }

        json.WriteStartObject();
        switch (part)
        {
            case TextPart text:
                json.WriteString("type"u8, "text"u8);
                json.WriteString("text"u8, text.Text);
                break;
            case ThinkingPart thinking:
                json.WriteString("type"u8, "thinking"u8);
                json.WriteString("thinking"u8, thinking.Text);
                if (thinking.Signature is not null)
                {
                    json.WriteString("signature"u8, thinking.Issuer is null ? thinking.Signature : ForeignThinking.Wrap(thinking.Issuer, thinking.Signature));
                }

                break;
            case RedactedThinkingPart redacted:
                json.WriteString("type"u8, "thinking"u8);
                json.WriteString("thinking"u8, ""u8);
                json.WriteString("data"u8, redacted.Issuer is null ? redacted.Data : ForeignThinking.Wrap(redacted.Issuer, redacted.Data));
                break;
            case ImagePart image:
                WriteImage(image);
                break;
            case DocumentPart document:
                json.WriteString("type"u8, "document"u8);
                json.WritePropertyName("document"u8);
                CohereChatDocuments.Write(json, document, null, _isOwn);
                WriteOwnExtras(part.Extras, part.Pointer[..^"/document".Length]);
                break;
        }

        if (part is not DocumentPart)
        {
            WriteOwnExtras(part.Extras, part.Pointer);
        }

        json.WriteEndObject();
    }

    private void WriteImage(ImagePart image)
    {
        json.WriteString("type"u8, "image_url"u8);
        json.WriteStartObject("image_url"u8);
        json.WriteString("url"u8, image.Source.Url ?? $"data:{image.Source.MediaType ?? "image/png"};base64,{image.Source.Base64}");
        if (image.Detail is not null)
        {
            json.WriteString("detail"u8, image.Detail);
        }

        WriteOwnExtras(image.Extras, $"{image.Pointer}/image_url");
        json.WriteEndObject();
    }

    private void WriteCalls(List<ToolCallPart> calls)
    {
        if (calls.Count == 0)
        {
            return;
        }

        json.WriteStartArray("tool_calls"u8);
        foreach (ToolCallPart call in calls)
        {
            json.WriteStartObject();
            json.WriteString("id"u8, call.Id);
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.WriteString("name"u8, _isOwn ? call.Name : LegalName.Of(call.Name, CohereChatRequestWriter.ToolNameLengthMax));
            json.WriteString("arguments"u8, Arguments(call));
            WriteOwnExtras(call.Extras, $"{call.Pointer}/function");
            json.WriteEndObject();
            WriteOwnExtras(call.Extras, call.Pointer);
            json.WriteEndObject();
            if (!_isOwn)
            {
                plain.LoseDetails(call);
            }
        }

        json.WriteEndArray();
    }

    /// <summary>Text here, but Cohere parses it.</summary>
    private string Arguments(ToolCallPart call)
    {
        if (_isOwn || (call.Arguments.Length > 0 && JsonObjectText.IsObject(call.Arguments)))
        {
            return call.Arguments;
        }

        if (string.IsNullOrWhiteSpace(call.Arguments))
        {
            return "{}";
        }

        losses.Add(plain.Inside(call.Pointer, "/function/arguments"), "Arguments that are no JSON object were wrapped into one.");
        return $"{{\"{JsonObjectText.WrapName}\":\"{JsonEncodedText.Encode(call.Arguments)}\"}}";
    }

    private void WriteOwnExtras(IReadOnlyList<Extra> extras, string at)
    {
        foreach (Extra extra in extras)
        {
            if (_isOwn && extra.Pointer == JsonCursor.Below(at, extra.Name))
            {
                json.WritePropertyName(extra.Name);
                extra.Value.WriteTo(json);
            }
        }
    }
}
