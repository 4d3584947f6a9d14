using System.Buffers;
using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols;

/// <summary>What a content block of an answer holds.</summary>
internal enum BlockKind
{
    /// <summary>Server tools, their results, whatever comes: nothing the neutral form knows.</summary>
    Opaque,
    Text,
    Thinking,
    RedactedThinking,
    ToolCall,
}

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

/// <summary>What writers of protocols with content blocks do alike: keep blocks in order of appearance, ids, signatures, what is known of the end.</summary>
internal abstract class BlockWriter(WriterOptions options) : ResponseWriter(options)
{
    /// <summary>Most characters kept back: a whole answer, or tool calls that interleave.</summary>
    public const int HeldLengthMax = 32 * 1024 * 1024;

    private long _heldLength;

    /// <summary>The vendor whose signatures are bare in this protocol; those of others bear their issuer's mark.</summary>
    protected abstract string NativeIssuer { get; }

    /// <summary>Longest id of a tool call, in characters.</summary>
    protected virtual int IdLengthMax => int.MaxValue;

    protected string? ResponseId { get; private set; }

    protected string? ServedModel { get; private set; }

    protected List<WrittenBlock> Blocks { get; } = [];

    protected Usage? Usage { get; private set; }

    protected bool IsEnded { get; private set; }

    /// <summary>The upstream has begun to answer.</summary>
    protected bool HasBegun { get; private set; }

    protected bool HasToolCalls { get; private set; }

    protected FinishReason? Finish { get; private set; }

    protected string FinishPointer { get; private set; } = "";

    protected string? StopSequence { get; private set; }

    protected bool HasRefusal { get; private set; }

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
                ResponseId = started.Id ?? ResponseId;
                ServedModel = started.Model ?? ServedModel;
                break;
            case UsageReported reported:
                Usage = reported.Usage;
                break;
            case AnswerTold told:
                Hear(told);
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

    /// <summary>Something is said of the answer as a whole.</summary>
    protected abstract void Hear(AnswerTold told);

    /// <summary>Content came: whatever can be written now is.</summary>
    protected abstract void Advance(IBufferWriter<byte> output);

    protected abstract void Alive(IBufferWriter<byte> output);

    protected abstract void End(IBufferWriter<byte> output);

    /// <summary>A signature is bare only where its issuer is this protocol's own vendor; any other bears its issuer's mark.</summary>
    protected string SignatureOf(WrittenBlock block) => block.Signature ?? ForeignThinking.Wrap(Options.Vendor, null);

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
                Begin(new WrittenBlock(call.Part, BlockKind.ToolCall) { Id = LegalName.Of(id, IdLengthMax), Name = call.Name, Pointer = call.Pointer });
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

    private string Marked(string value, string issuer) =>
        issuer == NativeIssuer ? value : ForeignThinking.Wrap(issuer, value);

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
