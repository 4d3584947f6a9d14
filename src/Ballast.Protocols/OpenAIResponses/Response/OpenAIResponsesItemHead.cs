using System.Text.Json;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>The kinds of output item that other protocols know too.</summary>
internal enum ItemKind
{
    Other,
    Message,
    Reasoning,
    Call,
}

/// <summary>What an output item is, read without its content.</summary>
internal struct OpenAIResponsesItemHead
{
    public ItemKind Kind;
    public string? Type;
    public string? CallId;
    public string? Name;

    /// <summary>The group that a called tool was declared in (<c>namespace</c>); null where it stands alone.</summary>
    public string? Group;

    /// <summary>A call of a tool of free text.</summary>
    public bool IsFreeText;

    /// <summary>A search of the web that the platform made, which has a price; looking at a page that was found has none.</summary>
    public bool IsSearch;

    public static OpenAIResponsesItemHead Read(ReadOnlySpan<byte> item, bool withStrings)
    {
        OpenAIResponsesItemHead head = default;
        if (item.IsEmpty || item[0] != (byte)'{')
        {
            return head;
        }

        Utf8JsonReader json = new(item, OpenAIResponsesFrame.ReaderOptions);
        json.Read();
        bool isLook = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isAction = json.ValueTextEquals("action"u8);
            int field = json.ValueTextEquals("type"u8) ? 1 : json.ValueTextEquals("call_id"u8) ? 2 : json.ValueTextEquals("name"u8) ? 3 : json.ValueTextEquals("namespace"u8) ? 4 : 0;
            json.Read();
            isLook |= isAction && json.TokenType == JsonTokenType.StartObject && IsLook(ref json);
            if (json.TokenType != JsonTokenType.String || field == 0)
            {
                json.Skip();
                continue;
            }

            if (field == 1)
            {
                head.IsSearch = json.ValueTextEquals("web_search_call"u8);
                head.IsFreeText = json.ValueTextEquals("custom_tool_call"u8);
                head.Kind = json.ValueTextEquals("message"u8) ? ItemKind.Message
                    : json.ValueTextEquals("reasoning"u8) ? ItemKind.Reasoning
                    : json.ValueTextEquals("function_call"u8) || head.IsFreeText ? ItemKind.Call
                    : ItemKind.Other;
            }

            if (withStrings)
            {
                string word = JsonText.Read(ref json);
                head.Type = field == 1 ? word : head.Type;
                head.CallId = field == 2 ? word : head.CallId;
                head.Name = field == 3 ? word : head.Name;
                head.Group = field == 4 && word.Length > 0 ? word : head.Group;
            }
        }

        head.IsSearch &= !isLook;
        return head;
    }

    /// <summary>What a tool did, at whose object the reader stands, was to open a page or to look for words in one; the reader is left at the object's end.</summary>
    private static bool IsLook(ref Utf8JsonReader json)
    {
        bool isLook = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isType = json.ValueTextEquals("type"u8);
            json.Read();
            isLook |= isType && json.TokenType == JsonTokenType.String && (json.ValueTextEquals("open_page"u8) || json.ValueTextEquals("find_in_page"u8) || json.ValueTextEquals("find"u8));
            json.Skip();
        }

        return isLook;
    }
}
