using System.Text.Json;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>The kinds of stream event that mean something here; tools that the vendor runs have many more, which pass.</summary>
internal enum EventKind
{
    Other,
    TextDelta,
    RefusalDelta,
    ArgumentsDelta,
    SummaryDelta,
    ReasoningDelta,
    OtherDelta,
    Created,
    InProgress,
    ItemAdded,
    ItemDone,
    Annotation,
    Completed,
    Incomplete,
    Failed,
    Error,
}

/// <summary>One stream event taken apart as far as its top level. The whole of it is checked for valid JSON; nothing is copied.</summary>
internal ref struct OpenAIResponsesFrame
{
    /// <summary>Deepest nesting taken in an answer.</summary>
    private const int DepthMax = 128;

    public static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = DepthMax };

    public EventKind Kind;
    public int OutputIndex;
    public int ContentIndex;
    public int SummaryIndex;
    public JsonSpan Delta;
    public JsonSpan Item;
    public JsonSpan Response;
    public JsonSpan Annotation;

    /// <exception cref="JsonException">The data is not a JSON object.</exception>
    public static OpenAIResponsesFrame Read(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name)
    {
        OpenAIResponsesFrame frame = default;
        Utf8JsonReader json = new(data, ReaderOptions);
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException();
        }

        bool hasType = false;
        bool hasError = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("type"u8))
            {
                json.Read();
                hasType = json.TokenType == JsonTokenType.String && !json.ValueIsEscaped;
                frame.Kind = hasType ? KindOf(json.ValueSpan) : EventKind.Other;
                json.Skip();
                continue;
            }

            hasError |= json.ValueTextEquals("error"u8);
            frame.ReadField(ref json);
        }

        // Refuses anything behind the object.
        json.Read();
        if (!hasType)
        {
            frame.Kind = hasError ? EventKind.Error : KindOf(name);
        }

        return frame;
    }

    private void ReadField(ref Utf8JsonReader json)
    {
        int field = json.ValueTextEquals("delta"u8) ? 1
            : json.ValueTextEquals("output_index"u8) ? 2
            : json.ValueTextEquals("content_index"u8) ? 3
            : json.ValueTextEquals("item"u8) ? 4
            : json.ValueTextEquals("response"u8) ? 5
            : json.ValueTextEquals("summary_index"u8) ? 6
            : json.ValueTextEquals("annotation"u8) ? 7
            : 0;
        json.Read();
        switch (field)
        {
            case 1:
                Delta = TakeSpan(ref json);
                return;
            case 2:
                OutputIndex = Number(json);
                break;
            case 3:
                ContentIndex = Number(json);
                break;
            case 4:
                Item = TakeSpan(ref json);
                return;
            case 5:
                Response = TakeSpan(ref json);
                return;
            case 6:
                SummaryIndex = Number(json);
                break;
            case 7:
                Annotation = TakeSpan(ref json);
                return;
        }

        json.Skip();
    }

    private static int Number(in Utf8JsonReader json) => json.TokenType == JsonTokenType.Number && json.TryGetInt32(out int number) ? number : 0;

    private static JsonSpan TakeSpan(ref Utf8JsonReader json)
    {
        int start = (int)json.TokenStartIndex;
        json.Skip();
        return new JsonSpan(start, (int)json.BytesConsumed - start);
    }

    private static EventKind KindOf(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("response.output_text.delta"u8) ? EventKind.TextDelta
        : name.SequenceEqual("response.function_call_arguments.delta"u8) || name.SequenceEqual("response.custom_tool_call_input.delta"u8) ? EventKind.ArgumentsDelta
        : name.SequenceEqual("response.reasoning_summary_text.delta"u8) ? EventKind.SummaryDelta
        : name.SequenceEqual("response.reasoning_text.delta"u8) ? EventKind.ReasoningDelta
        : name.SequenceEqual("response.refusal.delta"u8) ? EventKind.RefusalDelta
        : name.SequenceEqual("response.output_item.added"u8) ? EventKind.ItemAdded
        : name.SequenceEqual("response.output_item.done"u8) ? EventKind.ItemDone
        : name.SequenceEqual("response.output_text.annotation.added"u8) ? EventKind.Annotation
        : name.SequenceEqual("response.created"u8) ? EventKind.Created
        : name.SequenceEqual("response.in_progress"u8) || name.SequenceEqual("response.queued"u8) ? EventKind.InProgress
        : name.SequenceEqual("response.completed"u8) ? EventKind.Completed
        : name.SequenceEqual("response.incomplete"u8) || name.SequenceEqual("response.cancelled"u8) ? EventKind.Incomplete
        : name.SequenceEqual("response.failed"u8) ? EventKind.Failed
        : name.SequenceEqual("error"u8) ? EventKind.Error
        : name.EndsWith(".delta"u8) ? EventKind.OtherDelta
        : EventKind.Other;
}
