using Ballast.Catalog;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Operations;

namespace Ballast.Exchanges;

/// <summary>
/// All that is known of one client request: plain data, no HTTP types. Taken apart by the ledger when it ends.
/// The catalog snapshot is taken once, so that a reload cannot tear a request.
/// </summary>
public sealed class Exchange(Protocol protocol, Operation operation, CatalogSnapshot catalog, TimeProvider time)
{
    /// <summary>What begins a note that a deployment was passed over because of its quota.</summary>
    public const string QuotaNote = "quota:";

    private static readonly string[] s_numbers = ["-1", "-2", "-3", "-4", "-5", "-6", "-7", "-8", "-9"];

    private ChatRequest? _request;
    private RequestEnvelope? _bounded;
    private long _inputBound;

    /// <summary>What the client quotes and the log finds: <c>req_</c> and 32 hex digits, ordered by time.</summary>
    public string Id { get; } = ExchangeId.Make(time.GetUtcNow());
    public Protocol Protocol { get; private set; } = protocol;

    /// <summary>In which its caller reads errors: another one where a body is only passed on and the path is a vendor's own.</summary>
    public Protocol Spoken { get; init; } = protocol;
    public Operation Operation { get; } = operation;
    public CatalogSnapshot Catalog { get; } = catalog;
    public TimeProvider Time { get; } = time;
    public long StartedTimestamp { get; } = time.GetTimestamp();

    /// <summary>What path and query say of the request.</summary>
    public RequestAddress Address { get; set; }
    public RequestEnvelope Envelope { get; set; } = null!;
    public ApiKey Key { get; set; } = null!;

    /// <summary>The key as the guard knows it; null before it has admitted the request.</summary>
    public KeyStanding? Standing { get; set; }

#pragma warning disable CA1051 // changed in place: a property would hand out copies
    /// <summary>What was taken for this request.</summary>
    public Reservation Reservation;
#pragma warning restore CA1051
    public Model Model { get; set; } = null!;

    /// <summary>The stricter of what the key and the route say.</summary>
    public LossPolicy LossPolicy => Model.LossPolicy is { } route && route < Key.LossPolicy ? route : Key.LossPolicy;

    /// <summary>The model as the client asked for it: from the path where the surface has it there (Azure), else from the body.</summary>
    public string RequestedModel { get; set; } = "";

    /// <summary>Headers of the caller that its protocol defines and that may go on to the same protocol (<c>anthropic-version</c>, <c>anthropic-beta</c>).</summary>
    public List<KeyValuePair<string, string>> ProtocolHeaders { get; } = [];

    /// <summary>State that Ballast keeps for this answer; null where the protocol knows none.</summary>
    public AnswerState? State { get; set; }

    /// <summary>The body as the caller sent it; <see cref="Envelope"/> may hold it with what was said before.</summary>
    public ReadOnlyMemory<byte> ClientBody { get; set; }

    /// <summary>What its answer goes through before the client has it; null, as nearly always, lets it go straight on.</summary>
    public AnswerScreen? Screen { get; set; }

    /// <summary>Judges its answer; null, as nearly always, lets it go on.</summary>
    public AnswerJudge? Judge { get; set; }

    /// <summary>The principle for which the request itself was refused; null where it was not.</summary>
    public string? RefusedBy { get; set; }

    /// <summary>What a batch of Messages that is begun asks of each model; null for anything else.</summary>
    public IReadOnlyList<BatchShare>? BatchShares { get; set; }

    /// <summary>Handle of the batch of Messages that was begun, or whose answers were counted; null where neither was.</summary>
    public string? Batch { get; set; }

    /// <summary>The body before values were taken out of it: what a protocol repeats to its caller. Empty where nothing was.</summary>
    public ReadOnlyMemory<byte> UnscreenedBody { get; set; }

    /// <summary>Its place in a trace; null where nothing is traced.</summary>
    public ExchangeTrace? Trace { get; set; }
    public List<Attempt> Attempts { get; } = new(1);

    /// <summary>Content or the terminal mark was written to the client, or the hold's grace has passed: no other deployment may be tried.</summary>
    public bool OutputCommitted { get; set; }

    /// <summary>One account of several could not read reasoning that bears no mark, since it was encrypted for another one: it goes on without.</summary>
    public bool LeavesReasoningOut { get; set; }

    /// <summary>The request was repeated by the client's own retry logic (<c>x-stainless-retry-count</c>).</summary>
    public bool IsClientRetry { get; set; }

    /// <summary>The neutral form: parsed on first use, once for all attempts.</summary>
    public ChatRequest Request => _request ??= Protocol.ReadRequest(Envelope.Body, Envelope.Address);

    /// <summary>An answer that breaks off after its first bytes has no place for an error: its connection is cut. What is kept is no answer of a model's, whoever's protocol it is.</summary>
    public bool CutsBrokenAnswers => Protocol.CutsBrokenStreams || OperationName.IsOfKept(Operation);

    /// <summary>What a deployment must have of the caller's own protocol, beyond speaking it; mostly nothing.</summary>
    public TargetFeatures Demands { get; set; }

    /// <summary>What its caller is told where no deployment has it.</summary>
    public GatewayError NotOffered => Demands switch
    {
        TargetFeatures.Background => GatewayError.BackgroundNotOffered,
        TargetFeatures.Compaction => GatewayError.CompactionNotOffered,
        _ => GatewayError.OperationNotOffered,
    };

    /// <summary>The field that asks for it.</summary>
    public string DemandingField => Demands == TargetFeatures.Background ? "background" : "model";

    /// <summary>The deployment can be asked for this at all.</summary>
    public bool IsOfferedBy(Deployment deployment) =>
        deployment.ProtocolFor(Protocol) is { } protocol && (Demands == TargetFeatures.None || (protocol == Protocol && deployment.Target.Has(Demands)));

    /// <summary>What it takes is counted in tokens.</summary>
    public bool IsByTokens => Protocol.Family is ProtocolFamily.Chat or ProtocolFamily.Embeddings || Operation == Operation.Completions;

    /// <summary>Tokens of all answers that are asked for: the caller's own limit, else what the deployment is taken to write at most.</summary>
    public long OutputBound(Deployment? deployment)
    {
        if (Protocol.Family == ProtocolFamily.Embeddings || Operation is Operation.CountTokens or Operation.Moderations or Operation.Rerank)
        {
            return 0;
        }

        long each = Envelope.MaxOutputTokens ?? deployment?.DefaultMaxOutputTokens ?? 0;
        return Math.Max(0, each) * Math.Clamp(Envelope.ChoiceCount, 1, 128);
    }

    /// <summary>The most tokens that an attempt there is taken for, before its usage is known; 0 for what is not counted so.</summary>
    public long TokensAt(Deployment deployment)
    {
        if (!IsByTokens || Operation == Operation.CountTokens)
        {
            return 0;
        }

        if (_bounded != Envelope)
        {
            _bounded = Envelope;
            _inputBound = InputBound.Of(Envelope.Body.Span);
        }

        return _inputBound + OutputBound(deployment);
    }

    /// <summary>Candidates that were passed over because they were at their quotas, as the ledger notes them; null, as nearly always, for none.</summary>
    public List<string>? PassedOver { get; private set; }

    /// <summary>Notes one; false where it was noted before.</summary>
    public bool PassOver(Deployment deployment)
    {
        string note = QuotaNote + deployment.Name;
        PassedOver ??= [];
        if (PassedOver.Contains(note))
        {
            return false;
        }

        PassedOver.Add(note);
        return true;
    }

    /// <summary>The request is written in another protocol of its platform than its path tells. Only before its body is looked at.</summary>
    public void TakeProtocol(Protocol written) => Protocol = written;

    /// <summary>Puts another request in the place of the one that came.</summary>
    public void Revise(ReadOnlyMemory<byte> body)
    {
        Envelope = Protocol.Peek(body, Envelope.Address);
        _request = null;
    }

    public Attempt BeginAttempt(Deployment deployment)
    {
        int number = Attempts.Count + 1;
        string id = string.Concat(Id, number <= s_numbers.Length ? s_numbers[number - 1] : $"-{number}");
        Attempt attempt = new(id, number, deployment, deployment.ProtocolFor(Protocol) ?? throw new InvalidOperationException($"{deployment.Name} was planned for what it does not offer."),
            Time.GetUtcNow(), Time.GetTimestamp());
        attempt.Trace = Trace?.Begin(attempt.StartedAt, deployment.SentModel);
        Attempts.Add(attempt);
        return attempt;
    }
}
