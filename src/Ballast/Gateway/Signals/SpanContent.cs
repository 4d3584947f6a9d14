using System.Text;
using System.Text.Json;
using Ballast.Exchanges;
using Ballast.Protocols.Conversation;

namespace Ballast.Gateway.Signals;

/// <summary>Prompts and answers as the conventions write them into spans: messages of parts, in JSON. Pictures, sound and files are named, not copied.</summary>
internal static class SpanContent
{
    /// <summary><c>gen_ai.system_instructions</c>; null where there are none.</summary>
    public static string? Instructions(ChatRequest request, int bytesMax)
    {
        Message[] told = [.. request.Messages.Where(static message => message.Role is Role.System or Role.Developer)];
        return told.Length == 0 ? null : Write(bytesMax, (json, budget) => WriteParts(json, told.SelectMany(static message => message.Parts), budget));
    }

    /// <summary><c>gen_ai.input.messages</c>.</summary>
    public static string Input(ChatRequest request, int bytesMax) => Write(bytesMax, (json, budget) =>
    {
        json.WriteStartArray();
        foreach (Message message in request.Messages.Where(static message => message.Role is not (Role.System or Role.Developer)))
        {
            json.WriteStartObject();
            json.WriteString("role", message.Role switch { Role.Assistant => "assistant", Role.Tool => "tool", _ => "user" });
            json.WritePropertyName("parts");
            WriteParts(json, message.Parts, budget);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    /// <summary><c>gen_ai.output.messages</c>.</summary>
    /// <param name="said">As the model wrote it.</param>
    /// <param name="finish">Why it ended; null where it did not.</param>
    /// <param name="screen">Where its app redacts: what is kept of an answer holds no value either.</param>
    public static string Output(AnswerText said, string? finish, AnswerScreen? screen) => Write(int.MaxValue, (json, _) =>
    {
        json.WriteStartArray();
        json.WriteStartObject();
        json.WriteString("role", "assistant");
        json.WriteStartArray("parts");
        foreach (AnswerText.Piece piece in said.Pieces)
        {
            json.WriteStartObject();
            json.WriteString("type", piece.Type);
            if (piece.Type == "tool_call")
            {
                json.WriteString("id", piece.Id);
                json.WriteString("name", piece.Name);
                json.WriteString("arguments", TextOf(piece));
            }
            else
            {
                json.WriteString("content", TextOf(piece));
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("finish_reason", finish ?? "error");
        json.WriteEndObject();
        json.WriteEndArray();

        string TextOf(AnswerText.Piece piece) => screen?.Hidden(piece.Text.ToString()) ?? piece.Text.ToString();
    });

    private static string Write(int bytesMax, Action<Utf8JsonWriter, Budget> write)
    {
        using MemoryStream text = new();
        using (Utf8JsonWriter json = new(text))
        {
            write(json, new Budget { Left = bytesMax });
        }

        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    private static void WriteParts(Utf8JsonWriter json, IEnumerable<Part> parts, Budget budget)
    {
        json.WriteStartArray();
        foreach (Part part in parts)
        {
            json.WriteStartObject();
            switch (part)
            {
                case TextPart text:
                    WriteText(json, "text", "content", text.Text, budget);
                    break;
                case RefusalPart refusal:
                    WriteText(json, "text", "content", refusal.Text, budget);
                    break;
                case ThinkingPart thinking:
                    WriteText(json, "reasoning", "content", thinking.Text, budget);
                    break;
                case ToolCallPart call:
                    json.WriteString("id", call.Id);
                    json.WriteString("name", call.Name);
                    WriteText(json, "tool_call", "arguments", call.Arguments, budget);
                    break;
                case ToolResultPart result:
                    json.WriteString("id", result.CallId);
                    WriteText(json, "tool_call_response", "response", string.Join('\n', result.Content.OfType<TextPart>().Select(static text => text.Text)), budget);
                    break;
                default:
                    json.WriteString("type", part switch { ImagePart => "image", AudioPart => "audio", DocumentPart => "file", _ => "other" });
                    break;
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteText(Utf8JsonWriter json, string type, string name, string text, Budget budget)
    {
        int bytes = Encoding.UTF8.GetByteCount(text);
        bool fits = bytes <= budget.Left;
        budget.Left = fits ? budget.Left - bytes : 0;
        json.WriteString("type", type);
        json.WriteString(name, fits ? text : "");
        if (!fits)
        {
            json.WriteBoolean("cut", true);
        }
    }

    private sealed class Budget
    {
        public int Left { get; set; }
    }
}
