using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;

namespace Ballast.Protocols.OpenAIChat;

/// <summary>Tool calls of a message or delta.</summary>
internal abstract partial class OpenAIChatReader
{
    /// <summary>Index under which the legacy single function call is kept.</summary>
    private const int FunctionCallIndex = int.MaxValue;

    private FrameSignals ReadToolCalls(ReadOnlySpan<byte> json, bool isWhole)
    {
        FrameSignals signals = FrameSignals.None;
        if (json.IsEmpty)
        {
            return signals;
        }

        Utf8JsonReader reader = new(json, s_readerOptions);
        reader.Read();
        for (int position = 0; reader.Read() && reader.TokenType == JsonTokenType.StartObject; position++)
        {
            signals |= ReadToolCall(TakeHere(ref reader, json), position, isWhole);
        }

        return signals;
    }

    private FrameSignals ReadToolCall(ReadOnlySpan<byte> json, int position, bool isWhole)
    {
        Utf8JsonReader reader = new(json, s_readerOptions);
        reader.Read();
        int index = -1;
        string id = "";
        ReadOnlySpan<byte> function = default;
        ReadOnlySpan<byte> custom = default;
        ReadOnlySpan<byte> type = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("index"u8))
            {
                reader.Read();
                index = reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int number) ? number : -1;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("id"u8))
            {
                id = Word(ref reader) ?? "";
            }
            else if (reader.ValueTextEquals("function"u8))
            {
                function = Take(ref reader, json, JsonTokenType.StartObject);
            }
            else if (reader.ValueTextEquals("custom"u8))
            {
                custom = Take(ref reader, json, JsonTokenType.StartObject);
            }
            else if (reader.ValueTextEquals("type"u8))
            {
                type = Take(ref reader, json, JsonTokenType.String);
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        int place = isWhole || index < 0 ? position : index;
        bool isCustom = IsCustom(type, function, custom, index);
        ReadOnlySpan<byte> called = isCustom ? custom : function;
        NoteUnknownOfCall(json, place, isCustom ? "custom"u8 : "function"u8);
        return called.IsEmpty ? FrameSignals.None : ReadCalled(called, index, place, id, isWhole, isCustom);
    }

    /// <summary>A call of a tool of free text. There are servers that write both kinds of every call, one of them empty; pieces behind the first need not name the type.</summary>
    private bool IsCustom(ReadOnlySpan<byte> type, ReadOnlySpan<byte> function, ReadOnlySpan<byte> custom, int index) =>
        !custom.IsEmpty && (type.IsEmpty ? function.IsEmpty || _calls.Find(index, "", hasName: false) is { IsFreeText: true } : type.SequenceEqual("\"custom\""u8));

    /// <summary>The call's index may stand behind the fields that must be named with it.</summary>
    private void NoteUnknownOfCall(ReadOnlySpan<byte> json, int place, ReadOnlySpan<byte> known)
    {
        if (!IsEverything)
        {
            return;
        }

        Utf8JsonReader reader = new(json, s_readerOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("id"u8) || reader.ValueTextEquals(known))
            {
                reader.Read();
                reader.Skip();
            }
            else
            {
                NoteUnknown(ref reader, CallPointer(place));
            }
        }
    }

    /// <summary>Pointer of a call in the whole message.</summary>
    private static string CallPointer(int place) =>
        place == FunctionCallIndex ? $"{MessagePointer}/function_call" : JsonCursor.Below($"{MessagePointer}/tool_calls", place);

    private FrameSignals ReadFunctionCall(ReadOnlySpan<byte> json) =>
        json.IsEmpty ? FrameSignals.None : ReadCalled(json, FunctionCallIndex, FunctionCallIndex, "", isNew: false, isCustom: false);

    /// <summary>The function of a call and its arguments, or the tool of free text and its input.</summary>
    private FrameSignals ReadCalled(ReadOnlySpan<byte> json, int index, int place, string id, bool isNew, bool isCustom)
    {
        Utf8JsonReader reader = new(json, s_readerOptions);
        reader.Read();
        ReadOnlySpan<byte> name = default;
        ReadOnlySpan<byte> arguments = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("name"u8))
            {
                name = Take(ref reader, json, JsonTokenType.String);
            }
            else if (reader.ValueTextEquals(isCustom ? "input"u8 : "arguments"u8))
            {
                reader.Read();
                bool isNull = reader.TokenType == JsonTokenType.Null;
                ReadOnlySpan<byte> value = TakeHere(ref reader, json);
                arguments = isNull ? default : value;
            }
            else
            {
                NoteUnknown(ref reader, place == FunctionCallIndex ? CallPointer(place) : $"{CallPointer(place)}/{(isCustom ? "custom" : "function")}");
            }
        }

        bool hasName = name.Length > 2;
        OpenAIChatToolCall? call = (isNew ? null : _calls.Find(index, id, hasName)) ?? (hasName || id.Length > 0 || index >= 0 ? _calls.Add(index) : null);
        if (call is null)
        {
            return FrameSignals.None;
        }

        call.Id ??= id.Length > 0 ? id : null;
        call.IsFreeText |= isCustom;
        return BeginCall(call, name, place) | ContinueCall(call, arguments);
    }

    private FrameSignals BeginCall(OpenAIChatToolCall call, ReadOnlySpan<byte> name, int place)
    {
        if (call.Name is not null || name.Length <= 2)
        {
            return FrameSignals.None;
        }

        call.Name = StringOf(name);
        call.IsAnswer = Options.UnwrapStructuredOutput && call.Name == StructuredOutput.ToolName;
        string id = _calls.Begin(call, ResponseId);
        BeginPart(call.IsAnswer ? PartKind.Text : PartKind.ToolCall);
        call.Part = _part;
        _kind = PartKind.ToolCall;
        if (IsEverything && call.IsAnswer)
        {
            LoseText();
        }
        else if (IsEverything)
        {
            ReleaseText();
            string known = Options.ToolName(call.Name, OpenAIChatRequest.ToolNameLengthMax);
            Events.Add(new ToolCallStarted(call.Part, id, known) { IsFreeText = call.IsFreeText, Pointer = CallPointer(place) });
        }

        if (call.Held is { } held)
        {
            call.Held = null;
            AddArguments(call, held.ToString());
        }

        return FrameSignals.Content;
    }

    private FrameSignals ContinueCall(OpenAIChatToolCall call, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || value.SequenceEqual("\"\""u8))
        {
            return FrameSignals.None;
        }

        Utf8JsonReader reader = new(value, s_readerOptions);
        reader.Read();
        bool isText = reader.TokenType == JsonTokenType.String;
        ContentLength += isText ? reader.ValueSpan.Length : value.Length;
        if (!IsEverything)
        {
            // Whether the call is whole matters only to a server that gives neither index nor id, and then only to the events.
            return FrameSignals.Content;
        }

        // Some servers send the arguments as an object instead of its text.
        string arguments = isText ? JsonText.Read(ref reader) : System.Text.Encoding.UTF8.GetString(value);
        call.Follow(System.Text.Encoding.UTF8.GetBytes(arguments));
        if (call.Part < 0)
        {
            // A server that never names its call may send pieces without end: they are joined once.
            (call.Held ??= new StringBuilder()).Append(arguments);
        }
        else
        {
            AddArguments(call, arguments);
        }

        return FrameSignals.Content;
    }

    /// <summary>Text beside an emulated structured answer would break its JSON; whether it stands beside one is known when the answer's call comes, or never does.</summary>
    private void AddText(string text)
    {
        if (!Options.UnwrapStructuredOutput)
        {
            Events.Add(new TextDelta(_part, text));
            return;
        }

        HeldText.Add(new TextDelta(_part, text));
        if (_calls.HasAnswer)
        {
            LoseText();
        }
    }

    private void LoseText()
    {
        if (HeldText.Count > 0)
        {
            Options.Losses.AddInResponse("/choices/0/message/content", "Text beside a structured answer would break its JSON.");
            HeldText.Clear();
        }
    }

    private void ReleaseText()
    {
        Events.AddRange(HeldText);
        HeldText.Clear();
    }

    private void AddArguments(OpenAIChatToolCall call, string arguments) =>
        Events.Add(call.IsAnswer ? new TextDelta(call.Part, arguments) : new ToolCallDelta(call.Part, arguments));
}
