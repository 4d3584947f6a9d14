using System.Buffers;
using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.AnthropicMessages;

/// <summary>A block of an answer being written.</summary>
internal sealed class WrittenBlock(int part, BlockKind kind)
{
    public int Part { get; } = part;

    public BlockKind Kind { get; } = kind;

    public string Id { get; init; } = "";

    public string Name { get; init; } = "";

    /// <summary>Where the call stood in the vendor's answer.</summary>
    public string Pointer { get; init; } = "";

    /// <summary>Text, reasoning, arguments or encrypted reasoning not written yet.</summary>
    public StringBuilder Text { get; } = new();

    public string? Signature { get; set; }

    public List<Cited> Citations { get; } = [];

    public bool HasEnded { get; set; }

    /// <summary>Something of the text went out already.</summary>
    public bool HasWrittenText { get; set; }

    /// <summary>Follows a tool call's arguments, to see when they are complete.</summary>
    public JsonProgress Arguments;

    /// <summary>The block can take no more: a tool call whose arguments are a whole JSON value, or any other kind once another block began.</summary>
    public bool MayEnd => HasEnded || Kind != BlockKind.ToolCall || Arguments.IsComplete;
}

/// <summary>Follows JSON text that arrives in pieces of any size, closely enough to know when its outermost object or array is closed.</summary>
internal struct JsonProgress
{
    private int _depth;
    private bool _inString;
    private bool _afterBackslash;

    public bool IsComplete { get; private set; }

    public void Add(ReadOnlySpan<char> text)
    {
        foreach (char letter in text)
        {
            if (_inString)
            {
                _inString = _afterBackslash || letter != '"';
                _afterBackslash = !_afterBackslash && letter == '\\';
                continue;
            }

            _inString = letter == '"';
            _depth += letter is '{' or '[' ? 1 : letter is '}' or ']' ? -1 : 0;
            IsComplete |= _depth == 0 && letter is '}' or ']';
        }
    }
}

/// <summary>What both writers of this protocol do alike: keep blocks in order of appearance, ids, signatures, the end of the message.</summary>
internal abstract class AnthropicMessagesWriter(WriterOptions options) : ResponseWriter(options)
{
    /// <summary>Most characters kept back: a whole answer, or tool calls that interleave.</summary>
    public const int HeldLengthMax = 32 * 1024 * 1024;

    /// <summary>Name under which arguments that are no JSON object are passed on.</summary>
    public const string RawArgumentsName = "raw_arguments";

    private long _heldLength;
    private string? _id;
    private string? _model;

    protected List<WrittenBlock> Blocks { get; } = [];

    protected Usage? Usage { get; private set; }

    protected bool IsEnded { get; private set; }

    /// <summary>The upstream has begun to answer.</summary>
    protected bool HasBegun { get; private set; }

    private bool HasToolCalls { get; set; }

    private FinishReason? Finish { get; set; }

    private string FinishPointer { get; set; } = "";

    private string? StopSequence { get; set; }

    private bool HasRefusal { get; set; }

    public sealed override void Write(ChatEvent chatEvent, IBufferWriter<byte> output)
    {
        if (IsEnded)
        {
            return;
        }

        switch (chatEvent)
        {
            case ResponseStarted started:
                HasBegun = true;
                _id = started.Id ?? _id;
                _model = started.Model ?? _model;
                break;
            case UsageReported reported:
                Usage = reported.Usage;
                break;
            case Finished finished:
                Finish = finished.Reason;
                FinishPointer = finished.Pointer;
                StopSequence = finished.StopSequence;
                break;
            case Ping:
                Alive(output);
                break;
            case ResponseEnded:
                IsEnded = true;
                foreach (WrittenBlock block in Blocks)
                {
                    block.HasEnded = true;
                }

                End(output);
                break;
            default:
                Gather(chatEvent);
                Advance(output);
                break;
        }
    }

    /// <summary>Content came: whatever can be written now is.</summary>
    protected abstract void Advance(IBufferWriter<byte> output);

    protected abstract void Alive(IBufferWriter<byte> output);

    protected abstract void End(IBufferWriter<byte> output);

    protected void WriteHead(Utf8JsonWriter json)
    {
        string fallback = Options.FallbackId.StartsWith("msg_", StringComparison.Ordinal) ? Options.FallbackId : $"msg_{Options.FallbackId}";
        json.WriteString("id"u8, _id is not null && _id.StartsWith("msg_", StringComparison.Ordinal) ? _id : fallback);
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("model"u8, _model ?? Options.Model);
    }

    protected void WriteStop(Utf8JsonWriter json)
    {
        string reason = AnthropicMessagesUsage.StopReasonOf(Finish, StopSequence, HasToolCalls, HasRefusal);
        if (Finish is FinishReason foreign && !AnthropicMessagesUsage.HasWord(foreign))
        {
            Options.Losses.AddInResponse(FinishPointer, $"The Messages API has no word for the finish reason {foreign.Value}.");
        }

        json.WriteString("stop_reason"u8, reason);
        json.WriteString("stop_sequence"u8, reason == "stop_sequence" ? StopSequence : null);
    }

    /// <summary>A signature is bare only where its issuer is this protocol's own vendor; any other bears its issuer's mark.</summary>
    protected string SignatureOf(WrittenBlock block) => block.Signature ?? ForeignThinking.Wrap(Options.Vendor, null);

    protected static void WriteCitation(Utf8JsonWriter json, Cited cited)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, cited.Url is null ? "char_location"u8 : "web_search_result_location"u8);
        json.WriteString("cited_text"u8, cited.QuotedText ?? "");
        if (cited.Url is null)
        {
            // Where in the source the quotation stands is not known here.
            json.WriteNumber("document_index"u8, 0);
            json.WriteString("document_title"u8, cited.Title);
            json.WriteNumber("start_char_index"u8, 0);
            json.WriteNumber("end_char_index"u8, cited.QuotedText?.Length ?? 0);
        }
        else
        {
            json.WriteString("url"u8, cited.Url);
            json.WriteString("title"u8, cited.Title);
            json.WriteString("encrypted_index"u8, ""u8);
        }

        json.WriteEndObject();
    }

    protected void LoseArguments(WrittenBlock block) => Options.Losses.AddInResponse(block.Pointer, "The arguments are no JSON object.");

    private void Gather(ChatEvent chatEvent)
    {
        switch (chatEvent)
        {
            case TextDelta text:
                Append(BlockOf(text.Part, BlockKind.Text), text.Text);
                break;
            case RefusalDelta refusal:
                HasRefusal = true;
                Append(BlockOf(refusal.Part, BlockKind.Text), refusal.Text);
                break;
            case ThinkingDelta thinking:
                Append(BlockOf(thinking.Part, BlockKind.Thinking), thinking.Text);
                break;
            case ThinkingSigned signed:
                BlockOf(signed.Part, BlockKind.Thinking).Signature = Marked(signed.Signature, signed.Issuer);
                break;
            case ThinkingRedacted redacted:
                WrittenBlock opaque = Begin(new WrittenBlock(redacted.Part, BlockKind.RedactedThinking) { HasEnded = true });
                Append(opaque, Marked(redacted.Data, redacted.Issuer));
                break;
            case ToolCallStarted call:
                HasToolCalls = true;
                string id = call.Id.Length == 0 ? $"{Options.FallbackId}_{call.Part}" : call.Id;
                Begin(new WrittenBlock(call.Part, BlockKind.ToolCall) { Id = LegalName.Of(id), Name = call.Name, Pointer = call.Pointer });
                break;
            case ToolCallDelta arguments:
                AppendArguments(arguments);
                break;
            case Cited cited:
                Cite(cited);
                break;
            case PartEnded ended when Find(ended.Part) is WrittenBlock block:
                block.HasEnded = true;
                break;
        }
    }

    private static string Marked(string value, string issuer) =>
        issuer == AnthropicMessagesParts.NativeIssuer ? value : ForeignThinking.Wrap(issuer, value);

    /// <summary>The open block of a part; a part that comes back after it ended, or changes its kind, begins a new block.</summary>
    private WrittenBlock BlockOf(int part, BlockKind kind) =>
        Find(part) is { HasEnded: false } block && block.Kind == kind ? block : Begin(new WrittenBlock(part, kind));

    private WrittenBlock? Find(int part)
    {
        for (int i = Blocks.Count - 1; i >= 0; i--)
        {
            if (Blocks[i].Part == part)
            {
                return Blocks[i];
            }
        }

        return null;
    }

    private WrittenBlock Begin(WrittenBlock block)
    {
        Blocks.Add(block);
        return block;
    }

    private void AppendArguments(ToolCallDelta arguments)
    {
        if (Find(arguments.Part) is { Kind: BlockKind.ToolCall, HasEnded: false } call)
        {
            call.Arguments.Add(arguments.Arguments);
            Append(call, arguments.Arguments);
        }
    }

    private void Cite(Cited cited)
    {
        // In a stream the references may come before their text.
        if (Find(cited.Part) is null or { Kind: BlockKind.Text, HasEnded: false })
        {
            BlockOf(cited.Part, BlockKind.Text).Citations.Add(cited);
            foreach (string pointer in cited.RestPointers)
            {
                Options.Losses.AddInResponse(pointer, "A citation belongs to a block as a whole.");
            }
        }
        else
        {
            Options.Losses.AddInResponse(cited.Pointer, "A reference came for text that was already complete.");
        }
    }

    private void Append(WrittenBlock block, string text)
    {
        _heldLength += text.Length;
        if (_heldLength > HeldLengthMax)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, $"The upstream's answer exceeds {HeldLengthMax} characters."));
        }

        block.Text.Append(text);
    }

    /// <summary>Takes out what a block holds.</summary>
    protected string Take(WrittenBlock block)
    {
        string text = block.Text.ToString();
        block.Text.Clear();
        _heldLength -= text.Length;
        block.HasWrittenText |= text.Length > 0;
        return text;
    }
}

/// <summary>Writes a whole message when the answer has ended.</summary>
internal sealed class AnthropicMessagesResponseWriter(WriterOptions options) : AnthropicMessagesWriter(options)
{
    protected override void Advance(IBufferWriter<byte> output)
    {
    }

    protected override void Alive(IBufferWriter<byte> output)
    {
    }

    protected override void End(IBufferWriter<byte> output)
    {
        using Utf8JsonWriter json = new(output, AnthropicMessagesJson.WriterOptions);
        json.WriteStartObject();
        WriteHead(json);
        json.WriteStartArray("content"u8);
        foreach (WrittenBlock block in Blocks)
        {
            WriteBlock(json, block);
        }

        json.WriteEndArray();
        WriteStop(json);
        AnthropicMessagesUsage.Write(json, Usage ?? new Usage { InputTokens = Options.InputTokensEstimate }, withSplit: true);
        json.WriteEndObject();
    }

    private void WriteBlock(Utf8JsonWriter json, WrittenBlock block)
    {
        string text = Take(block);
        json.WriteStartObject();
        switch (block.Kind)
        {
            case BlockKind.Text:
                json.WriteString("type"u8, "text"u8);
                json.WriteString("text"u8, text);
                WriteCitations(json, block);
                break;
            case BlockKind.Thinking:
                json.WriteString("type"u8, "thinking"u8);
                json.WriteString("thinking"u8, text);
                json.WriteString("signature"u8, SignatureOf(block));
                break;
            case BlockKind.RedactedThinking:
                json.WriteString("type"u8, "redacted_thinking"u8);
                json.WriteString("data"u8, text);
                break;
            default:
                json.WriteString("type"u8, "tool_use"u8);
                json.WriteString("id"u8, block.Id);
                json.WriteString("name"u8, block.Name);
                json.WritePropertyName("input"u8);
                if (!AnthropicMessagesIds.WriteArguments(json, text, RawArgumentsName))
                {
                    LoseArguments(block);
                }

                break;
        }

        json.WriteEndObject();
    }

    private static void WriteCitations(Utf8JsonWriter json, WrittenBlock block)
    {
        if (block.Citations.Count == 0)
        {
            return;
        }

        json.WriteStartArray("citations"u8);
        foreach (Cited cited in block.Citations)
        {
            WriteCitation(json, cited);
        }

        json.WriteEndArray();
    }
}
