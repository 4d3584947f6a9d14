using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>A piece of an item being written: text or refusal of a message, a summary of reasoning.</summary>
internal sealed class OpenAIResponsesPiece(int part, int index, bool isRefusal)
{
    /// <summary>The neutral part it is.</summary>
    public int Part { get; } = part;
    public int Index { get; } = index;
    public bool IsRefusal { get; } = isRefusal;
    public StringBuilder Text { get; } = new();
    public List<Cited> Annotations { get; } = [];
    public bool IsDone { get; set; }

    public void Write(Utf8JsonWriter json, bool isSummary, bool isWhole)
    {
        string text = isWhole ? Text.ToString() : "";
        json.WriteStartObject();
        json.WriteString("type"u8, isSummary ? "summary_text"u8 : IsRefusal ? "refusal"u8 : "output_text"u8);
        if (IsRefusal || isSummary)
        {
            json.WriteString(IsRefusal ? "refusal"u8 : "text"u8, text);
        }
        else
        {
            json.WriteStartArray("annotations"u8);
            for (int i = 0; isWhole && i < Annotations.Count; i++)
            {
                WriteAnnotation(json, i);
            }

            json.WriteEndArray();
            json.WriteStartArray("logprobs"u8);
            json.WriteEndArray();
            json.WriteString("text"u8, text);
        }

        json.WriteEndObject();
    }

    public void WriteAnnotation(Utf8JsonWriter json, int index)
    {
        Cited cited = Annotations[index];
        json.WriteStartObject();
        json.WriteString("type"u8, "url_citation"u8);
        json.WriteNumber("start_index"u8, cited.Start ?? 0);
        json.WriteNumber("end_index"u8, cited.End ?? Text.Length);
        json.WriteString("title"u8, cited.Title ?? "");
        json.WriteString("url"u8, cited.Url);
        json.WriteEndObject();
    }
}

/// <summary>An output item being written.</summary>
internal sealed class OpenAIResponsesItem(ItemKind kind, int index, string id)
{
    private int _depth;
    private bool _isInString;
    private bool _isEscaped;
    private bool _hasOpened;

    public ItemKind Kind { get; } = kind;
    public int Index { get; } = index;
    public string Id { get; } = id;

    /// <summary>The neutral part that a call or reasoning is.</summary>
    public int Part { get; init; }
    public string CallId { get; init; } = "";
    public string Name { get; init; } = "";

    /// <summary>The group that the called tool was declared in; null where it stands alone.</summary>
    public string? Group { get; init; }

    /// <summary>It calls a tool of free text.</summary>
    public bool IsFreeText { get; init; }
    public List<OpenAIResponsesPiece> Pieces { get; } = [];

    /// <summary>A call's arguments so far.</summary>
    public string Arguments => Pieces.Count == 0 ? "" : Pieces[0].Text.ToString();

    public string? Encrypted { get; set; }
    public bool IsDone { get; set; }

    /// <summary>It was cut before its end.</summary>
    public bool IsIncomplete { get; set; }

    /// <summary>A call's arguments are one whole JSON object.</summary>
    public bool IsWhole => _hasOpened && _depth == 0 && !IsFreeText;

    /// <summary>Follows a call's arguments, to see when they are complete.</summary>
    public void Follow(string text)
    {
        foreach (char letter in text)
        {
            if (_isInString)
            {
                _isInString = _isEscaped || letter != '"';
                _isEscaped = !_isEscaped && letter == '\\';
                continue;
            }

            _isInString = letter == '"';
            _hasOpened |= letter is '{' or '[';
            _depth += letter is '{' or '[' ? 1 : letter is '}' or ']' ? -1 : 0;
        }
    }

    public void Write(Utf8JsonWriter json, bool isWhole)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, Id);
        switch (Kind)
        {
            case ItemKind.Reasoning:
                json.WriteString("type"u8, "reasoning"u8);
                WritePieces(json, "summary"u8, isSummary: true, isWhole);
                if (isWhole && Encrypted is not null)
                {
                    json.WriteString("encrypted_content"u8, Encrypted);
                }

                break;
            case ItemKind.Call:
                json.WriteString("type"u8, IsFreeText ? "custom_tool_call"u8 : "function_call"u8);
                WriteStatus(json, isWhole);
                json.WriteString(IsFreeText ? "input"u8 : "arguments"u8, isWhole ? Arguments : "");
                json.WriteString("call_id"u8, CallId);
                json.WriteString("name"u8, Name);
                if (Group is not null)
                {
                    json.WriteString(OpenAIResponsesToolNames.Group, Group);
                }

                break;
            default:
                json.WriteString("type"u8, "message"u8);
                WriteStatus(json, isWhole);
                WritePieces(json, "content"u8, isSummary: false, isWhole);
                json.WriteString("role"u8, "assistant"u8);
                break;
        }

        json.WriteEndObject();
    }

    private void WriteStatus(Utf8JsonWriter json, bool isWhole) =>
        json.WriteString("status"u8, !isWhole ? "in_progress"u8 : IsIncomplete ? "incomplete"u8 : "completed"u8);

    private void WritePieces(Utf8JsonWriter json, ReadOnlySpan<byte> name, bool isSummary, bool isWhole)
    {
        json.WriteStartArray(name);
        foreach (OpenAIResponsesPiece piece in Pieces)
        {
            if (isWhole)
            {
                piece.Write(json, isSummary, isWhole: true);
            }
        }

        json.WriteEndArray();
    }
}
