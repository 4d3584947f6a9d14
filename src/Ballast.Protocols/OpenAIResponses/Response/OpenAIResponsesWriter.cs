using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OpenAIResponses;

/// <summary>
/// What both writers of this protocol do alike: make items of parts, one open at a time but for calls, whose pieces may interleave; give ids; and write the response
/// object, which repeats what was asked.
/// </summary>
internal abstract class OpenAIResponsesWriter(WriterOptions options) : ResponseWriter(options)
{
    /// <summary>Most characters kept: the last event holds the whole answer.</summary>
    public const int HeldLengthMax = 32 * 1024 * 1024;

    private readonly List<OpenAIResponsesItem> _items = [];
    private readonly OpenAIResponsesEcho _echo = new(options);
    private OpenAIResponsesItem? _open;
    private long _heldLength;
    private string? _id;
    private string? _model;
    private long? _created;
    private Usage? _usage;
    private Finished? _finished;
    private bool _isEnded;

    private string Id => _id ??= $"resp_{Suffix}";

    private string Suffix => Options.FallbackId.StartsWith("req_", StringComparison.Ordinal) ? Options.FallbackId[4..] : Options.FallbackId;

    public sealed override void Write(ChatEvent chatEvent, IBufferWriter<byte> output)
    {
        if (_isEnded)
        {
            return;
        }

        Taking(output);
        switch (chatEvent)
        {
            case ResponseStarted started:
                _id ??= started.Id?.StartsWith("resp_", StringComparison.Ordinal) == true ? started.Id : null;
                _model ??= started.Model;
                _created ??= started.CreatedUnixSeconds;
                Start();
                break;
            case Ping:
                Alive(output);
                break;
            case UsageReported reported:
                _usage = reported.Usage;
                break;
            case AnswerTold told:
                Hear(told);
                break;
            case Finished finished:
                _finished = finished;
                break;
            case ResponseEnded:
                _isEnded = true;
                End();
                break;
            default:
                Gather(chatEvent);
                break;
        }
    }

    private void Hear(AnswerTold told)
    {
        bool isTier = told.Fact == AnswerFact.ServiceTier;
        string? word = isTier ? ServiceTierWord.OfOpenAI(told.Word) : null;
        (_tier, _isTierTold) = isTier ? (word, true) : (_tier, _isTierTold);
        if (word is null)
        {
            Lose(told);
        }
    }

    protected virtual void Taking(IBufferWriter<byte> output)
    {
    }

    protected virtual void Alive(IBufferWriter<byte> output)
    {
    }

    protected virtual void Start()
    {
    }

    protected virtual void ItemAdded(OpenAIResponsesItem item)
    {
    }

    protected virtual void PieceAdded(OpenAIResponsesItem item, OpenAIResponsesPiece piece)
    {
    }

    protected virtual void Delta(OpenAIResponsesItem item, OpenAIResponsesPiece piece, string text)
    {
    }

    protected virtual void Annotated(OpenAIResponsesItem item, OpenAIResponsesPiece piece, int index)
    {
    }

    protected virtual void PieceDone(OpenAIResponsesItem item, OpenAIResponsesPiece piece)
    {
    }

    protected virtual void ItemDone(OpenAIResponsesItem item)
    {
    }

    protected abstract void Ended(string status);

    private void Gather(ChatEvent chatEvent)
    {
        switch (chatEvent)
        {
            case TextDelta { Text.Length: > 0 } text:
                Append(PieceOf(text.Part, isRefusal: false), text.Text);
                break;
            case RefusalDelta { Text.Length: > 0 } refusal:
                Append(PieceOf(refusal.Part, isRefusal: true), refusal.Text);
                break;
            case ThinkingDelta { Text.Length: > 0 } thinking:
                OpenAIResponsesItem reasoning = ReasoningOf(thinking.Part);
                if (reasoning.Pieces.Count == 0)
                {
                    AddPiece(reasoning, thinking.Part, isRefusal: false);
                }

                Append((reasoning, reasoning.Pieces[0]), thinking.Text);
                break;
            case ThinkingSigned signed:
                ReasoningOf(signed.Part).Encrypted = MarkOf(signed.Issuer, signed.Signature, isSealed: false);
                break;
            case ThinkingRedacted redacted:
                CloseOpen();
                OpenAIResponsesItem opaque = Begin(ItemKind.Reasoning, redacted.Part);
                opaque.Encrypted = MarkOf(redacted.Issuer, redacted.Data, isSealed: true);
                CloseOpen();
                break;
            case ToolCallStarted call:
                CloseOpen();
                BeginCall(call);
                break;
            case ToolCallDelta { Arguments.Length: > 0 } delta:
                if (FindCall(delta.Part) is { IsDone: false } open)
                {
                    open.Follow(delta.Arguments);
                    Append((open, open.Pieces[0]), delta.Arguments);
                }

                break;
            case Cited cited:
                Cite(cited);
                break;
            case PartEnded ended:
                EndPart(ended.Part);
                break;
        }
    }

    /// <summary>Bare where it is native: OpenAI's own; any other bears its issuer's mark.</summary>
    private static string MarkOf(string issuer, string value, bool isSealed) =>
        issuer == OpenAIResponsesProtocol.Issuer || issuer.StartsWith(OpenAIResponsesProtocol.Issuer + "@", StringComparison.Ordinal)
            ? value
            : OpenAIResponsesReasoning.Mark(issuer, value, isSealed);

    private (OpenAIResponsesItem, OpenAIResponsesPiece) PieceOf(int part, bool isRefusal)
    {
        if (_open is not { Kind: ItemKind.Message })
        {
            CloseOpen();
            Begin(ItemKind.Message, part);
        }

        OpenAIResponsesItem item = _open!;
        if (item.Pieces is [.., { IsDone: false } last] && last.Part == part && last.IsRefusal == isRefusal)
        {
            return (item, last);
        }

        ClosePieces(item);
        return (item, AddPiece(item, part, isRefusal));
    }

    private OpenAIResponsesItem ReasoningOf(int part)
    {
        if (_open is { Kind: ItemKind.Reasoning, Encrypted: null } open && open.Part == part)
        {
            return open;
        }

        CloseOpen();
        return Begin(ItemKind.Reasoning, part);
    }

    private OpenAIResponsesItem Begin(ItemKind kind, int part)
    {
        CloseWholeCalls();
        OpenAIResponsesItem item = new(kind, _items.Count, ItemId(kind == ItemKind.Message ? "msg" : "rs")) { Part = part };
        _items.Add(item);
        _open = item;
        ItemAdded(item);
        return item;
    }

    private void BeginCall(ToolCallStarted call)
    {
        CloseWholeCalls();
        ToolPlace? place = _echo.PlaceOf(call.Name);
        OpenAIResponsesItem item = new(ItemKind.Call, _items.Count, ItemId(call.IsFreeText ? "ctc" : "fc"))
        {
            Part = call.Part,
            CallId = call.Id.Length > 0 ? call.Id : $"call_{Suffix}_{_items.Count}",
            Name = place?.Name ?? call.Name,
            Group = place?.Group,
            IsFreeText = call.IsFreeText,
        };
        item.Pieces.Add(new OpenAIResponsesPiece(call.Part, 0, isRefusal: false));
        _items.Add(item);
        ItemAdded(item);
    }

    private string ItemId(string prefix) => string.Create(CultureInfo.InvariantCulture, $"{prefix}_{Suffix}_{_items.Count}");

    private OpenAIResponsesPiece AddPiece(OpenAIResponsesItem item, int part, bool isRefusal)
    {
        OpenAIResponsesPiece piece = new(part, item.Pieces.Count, isRefusal);
        item.Pieces.Add(piece);
        PieceAdded(item, piece);
        return piece;
    }

    private void Append((OpenAIResponsesItem Item, OpenAIResponsesPiece Piece) to, string text)
    {
        _heldLength += text.Length;
        if (_heldLength > HeldLengthMax)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, $"The upstream's answer exceeds {HeldLengthMax} characters."));
        }

        to.Piece.Text.Append(text);
        Delta(to.Item, to.Piece, text);
    }

    private void Cite(Cited cited)
    {
        if (cited.Url is null)
        {
            Options.Losses.AddInResponse(cited.Pointer, "The Responses API cites web pages and stored files only.");
            return;
        }

        if (cited.QuotedText is not null)
        {
            Options.Losses.AddInResponse(cited.Pointer, "A citation of the Responses API does not repeat what it quotes.");
        }

        foreach (string rest in cited.RestPointers.Where(static pointer => !pointer.EndsWith("_index", StringComparison.Ordinal)))
        {
            Options.Losses.AddInResponse(rest, "Has no place in a citation of the Responses API.");
        }

        (OpenAIResponsesItem item, OpenAIResponsesPiece piece) = PieceOf(cited.Part, isRefusal: false);
        piece.Annotations.Add(cited);
        Annotated(item, piece, piece.Annotations.Count - 1);
    }

    // From the end: a piece of arguments nearly always belongs to the call that came last.
    private OpenAIResponsesItem? FindCall(int part)
    {
        for (int i = _items.Count - 1; i >= 0; i--)
        {
            if (_items[i].Kind == ItemKind.Call && _items[i].Part == part)
            {
                return _items[i];
            }
        }

        return null;
    }

    private void EndPart(int part)
    {
        if (_open is { Kind: ItemKind.Reasoning } reasoning && reasoning.Part == part)
        {
            CloseOpen();
        }
        else if (_open is { Kind: ItemKind.Message, Pieces: [.., { } last] } message && last.Part == part)
        {
            ClosePieces(message);
        }
        else if (FindCall(part) is { } call)
        {
            Close(call);
        }
    }

    private void CloseOpen()
    {
        if (_open is { } open)
        {
            _open = null;
            Close(open);
        }
    }

    /// <summary>A call that can take no more ends before the next item begins; one whose pieces interleave with others' stays open.</summary>
    private void CloseWholeCalls()
    {
        foreach (OpenAIResponsesItem item in _items)
        {
            if (item is { Kind: ItemKind.Call, IsDone: false, IsWhole: true })
            {
                Close(item);
            }
        }
    }

    private void Close(OpenAIResponsesItem item)
    {
        if (item.IsDone)
        {
            return;
        }

        item.IsDone = true;
        if (item is { Kind: ItemKind.Call, IsFreeText: false, IsIncomplete: false } && item.Pieces[0].Text.Length == 0)
        {
            // A call without arguments is a call with none: clients parse this text as JSON.
            Append((item, item.Pieces[0]), "{}");
        }

        if (item.Kind == ItemKind.Reasoning && item.Encrypted is null && Options.Vendor.Length > 0)
        {
            item.Encrypted = OpenAIResponsesReasoning.Mark(Options.Vendor, null, isSealed: false);
        }

        ClosePieces(item);
        ItemDone(item);
    }

    private void ClosePieces(OpenAIResponsesItem item)
    {
        if (item.Pieces is [.., { IsDone: false } last])
        {
            last.IsDone = true;
            PieceDone(item, last);
        }
    }

    private void End()
    {
        Finished finished = _finished ?? new Finished(FinishReason.Stop, null);
        string? reason = IncompleteReason(finished);
        foreach (OpenAIResponsesItem item in _items)
        {
            item.IsIncomplete |= reason is not null && !item.IsDone;
        }

        _open = null;
        foreach (OpenAIResponsesItem item in _items)
        {
            Close(item);
        }

        if (finished.StopSequence is not null)
        {
            Options.Losses.AddInResponse("/stop_sequence", "The Responses API does not tell which stop sequence was met.");
        }

        _incompleteReason = reason;
        Ended(reason is null ? "completed" : "incomplete");
    }

    private string? _incompleteReason;
    private string? _tier;
    private bool _isTierTold;

    private string? IncompleteReason(Finished finished)
    {
        FinishReason reason = finished.Reason;
        bool hasRefusal = _items.Exists(static item => item.Pieces.Exists(static piece => piece.IsRefusal));
        bool isKnown = reason == FinishReason.Stop || reason == FinishReason.ToolCalls || reason == FinishReason.Length || reason == FinishReason.ContentFilter
            || reason == FinishReason.Refusal;
        if (!isKnown)
        {
            Options.Losses.AddInResponse(finished.Pointer, $"The Responses API has no word for the finish reason {reason.Value}.");
        }

        return reason == FinishReason.Length || reason == FinishReason.ContextWindow ? "max_output_tokens"
            : reason == FinishReason.ContentFilter || (reason == FinishReason.Refusal && !hasRefusal) ? "content_filter"
            : null;
    }

    /// <summary>The response object, at its beginning or whole.</summary>
    protected void WriteResponse(Utf8JsonWriter json, string status, bool isWhole)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, Id);
        json.WriteString("object"u8, "response"u8);
        json.WriteNumber("created_at"u8, _created ?? Options.CreatedUnixSeconds);
        json.WriteString("status"u8, status);
        json.WriteBoolean("background"u8, false);
        json.WriteNull("error"u8);
        if (_incompleteReason is null)
        {
            json.WriteNull("incomplete_details"u8);
        }
        else
        {
            json.WriteStartObject("incomplete_details"u8);
            json.WriteString("reason"u8, _incompleteReason);
            json.WriteEndObject();
        }

        json.WriteString("model"u8, _model ?? Options.Model);
        json.WriteStartArray("output"u8);
        foreach (OpenAIResponsesItem item in _items)
        {
            if (isWhole)
            {
                item.Write(json, isWhole: true);
            }
        }

        json.WriteEndArray();
        _echo.Write(json, _tier, _isTierTold);
        json.WritePropertyName("usage"u8);
        OpenAIResponsesUsage.Write(isWhole ? _usage ?? new Usage { InputTokens = Options.InputTokensEstimate, IsEstimated = true } : null, json);
        json.WriteEndObject();
    }

    /// <summary>Keeps the answer where Ballast keeps the state.</summary>
    protected void Keep()
    {
        if (Options.State is not { IsStored: true } state)
        {
            return;
        }

        ArrayBufferWriter<byte> answer = new();
        using (Utf8JsonWriter json = new(answer, OpenAIResponsesProtocol.WriterOptions))
        {
            WriteResponse(json, _incompleteReason is null ? "completed" : "incomplete", isWhole: true);
        }

        state.Answer = answer.WrittenSpan.ToArray();
    }
}
