using Ballast.Catalog;
using Ballast.Exchanges;
using Ballast.Guards.Leases;
using Ballast.Guards.Redaction;
using Ballast.Protocols.Conversation;
using Ballast.Tenancy;
using Ballast.Transport;

namespace Ballast.Guards;

/// <summary>
/// Decides whether a request may go on. <see cref="Admit"/> comes before any work, <see cref="Check"/> once the body is known, <see cref="Reserve"/> before each attempt,
/// <see cref="Settle"/> after it all, whatever happened, and may be repeated. No memory is made and no store is seen for a request that is admitted.
/// </summary>
public sealed class Guard
{
    private readonly FailureThrottle _failures = new(Environment.TickCount);
    private readonly Pepper? _pepper;
    private int _running;
    private volatile IReadOnlySet<string>? _admitOnly;
    private volatile KeyDirectory? _directory;
    private volatile bool _isManaged;
    private volatile bool _isStale;

    public Guard(TimeProvider? time = null, Pepper? pepper = null)
    {
        Meters = new MeterBook(time ?? TimeProvider.System);
        _pepper = pepper;
    }

    /// <summary>Limits and budgets of the process.</summary>
    public MeterBook Meters { get; }

    /// <summary>Where several gateways share limits and budgets; null where this one has them alone.</summary>
    public LeaseKeeper? Leases { get; set; }

    /// <summary>Only these apps' requests are taken, others are told that the gateway does not serve yet; null takes all.</summary>
    public IReadOnlySet<string>? AdmitOnly
    {
        get => _admitOnly;
        set => _admitOnly = value;
    }

    /// <summary>Requests admitted and not yet settled.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>The store of keys has been out of sight for too long: of the keys that it holds only those are taken whose app wants it so.</summary>
    public bool IsStale
    {
        get => _isStale;
        set => _isStale = value;
    }

    /// <summary>Takes a new view of who there is; from then on nothing else is known.</summary>
    public void Install(TenantView view)
    {
        _isManaged = true;
        _directory = KeyDirectory.Of(view, Meters, _pepper);
    }

    /// <summary>Seconds of a clock that only goes forward.</summary>
    public static long SecondOf(TimeProvider time) => time.GetTimestamp() / time.TimestampFrequency;

    /// <summary>Checks the key, its scope, its limits and the room for one more request.</summary>
    /// <param name="exchange">Is given the key.</param>
    /// <param name="key">As the caller sent it.</param>
    /// <param name="caller">Whose address wrong keys are counted for.</param>
    /// <exception cref="GatewayException">The request may not go on.</exception>
    public void Admit(Exchange exchange, ReadOnlyMemory<char> key, HttpCall? caller = null)
    {
        AdmittedKey found = Find(exchange, key, caller);
        exchange.Key = found.Key;
        exchange.Standing = found;
        if (ScopeOf(exchange.Operation) is var scope && (found.Key.Scopes & scope) != scope)
        {
            throw new GatewayException(GatewayError.ScopeMissing);
        }

        if (Interlocked.Increment(ref _running) > exchange.Catalog.Limits.ConcurrentRequestsMax)
        {
            Interlocked.Decrement(ref _running);
            throw new GatewayException(GatewayError.Overloaded);
        }

        Begin(exchange, found);
    }

    /// <summary>Checks the model against what the key may use, and the tokens against what is left of its minute.</summary>
    /// <param name="exchange">An admitted request.</param>
    /// <param name="model">What it asks for.</param>
    /// <param name="inputTokens">What it is taken for until its usage is known.</param>
    /// <param name="outputTokens">The most that it may be answered with.</param>
    /// <exception cref="GatewayException">The request may not go on.</exception>
    public static void Check(Exchange exchange, Model model, long inputTokens = 0, long outputTokens = 0)
    {
        if (exchange.Key.Models is { } models && !models.Contains(model.Name))
        {
            throw new GatewayException(GatewayError.ModelNotAllowed, param: "model");
        }

        AdmittedKey key = (AdmittedKey)exchange.Standing!;
        RateMeter? own = key.Directory.MeterOf(model);
        if (own is not null && !exchange.Reservation.HasModel)
        {
            if (!own.TryBegin(exchange.Reservation.Second, out int wait))
            {
                throw Limited(GatewayError.RateLimited, wait);
            }

            exchange.Reservation.HasModel = true;
        }

        if (own is null && key.Meters.Count == 0)
        {
            return;
        }

        for (int i = 0; i <= key.Meters.Count; i++)
        {
            RateMeter? meter = i < key.Meters.Count ? key.Meters[i] : own;
            if (meter is not null && !meter.TryTake(exchange.Reservation.Second, inputTokens, outputTokens, out int wait))
            {
                for (int taken = 0; taken < i; taken++)
                {
                    key.Meters[taken].Correct(exchange.Reservation.Second, exchange.Reservation.Second, -inputTokens, -outputTokens);
                }

                throw Limited(GatewayError.TokensLimited, wait);
            }
        }

        exchange.Reservation.InputTokens = inputTokens;
        exchange.Reservation.OutputTokens = outputTokens;
    }

    /// <summary>
    /// Does again what failed for want of a larger part of a shared limit or budget, once that was asked for, for as long as <c>limits.lease_wait</c>. Never where a gateway is alone.
    /// </summary>
    /// <param name="exchange">The request.</param>
    /// <param name="empty">How it failed.</param>
    /// <param name="take">What failed.</param>
    /// <param name="cancellation">The caller has left.</param>
    /// <exception cref="GatewayException">The request may not go on.</exception>
    public async ValueTask TakeAgainAsync(Exchange exchange, LeaseShortException empty, Action take, CancellationToken cancellation)
    {
        long start = exchange.Time.GetTimestamp();
        LeaseShortException last = empty;
        for (int tried = 0; ; tried++)
        {
            TimeSpan left = exchange.Catalog.Limits.LeaseWait - exchange.Time.GetElapsedTime(start);
            if (Leases is not { } leases || !await leases.RefillAsync(tried, left, cancellation).ConfigureAwait(false))
            {
                throw tried == 0 ? last.Unanswered : last;
            }

            try
            {
                take();
                return;
            }
            catch (LeaseShortException again)
            {
                last = again;
            }
        }
    }

    /// <summary>Admits a request that the gateway makes of itself on behalf of another, with that one's key and within its limits.</summary>
    /// <exception cref="GatewayException">The limits do not allow it.</exception>
    public void Follow(Exchange exchange, Exchange leader)
    {
        AdmittedKey key = (AdmittedKey)leader.Standing!;
        exchange.Key = key.Key;
        exchange.Standing = key;
        Interlocked.Increment(ref _running);
        Begin(exchange, key);
    }

    /// <summary>Takes out of a request what its app does not let leave.</summary>
    /// <exception cref="GatewayException">It cannot be searched.</exception>
    public static void Redact(Exchange exchange)
    {
        if (((AdmittedKey)exchange.Standing!).Redaction is { } policy)
        {
            RedactedExchange.Begin(exchange, policy);
        }
    }

    /// <summary>Refuses a file, or a batch of one, that an app's redaction cannot search.</summary>
    /// <exception cref="GatewayException">The app wants it so.</exception>
    public static void CheckFile(Exchange exchange)
    {
        if (((AdmittedKey)exchange.Standing!).Redaction is { } policy && (exchange.Operation == Operation.FileUpload || OperationName.BeginsBatch(exchange.Operation)))
        {
            RedactedExchange.Refuse(policy, "a file");
        }
    }

    /// <summary>Reserves the most that one more attempt may cost, in every budget that it counts for.</summary>
    /// <param name="exchange">An admitted request.</param>
    /// <param name="usd">US dollars.</param>
    /// <param name="tokens">Tokens of all classes.</param>
    /// <exception cref="GatewayException">A budget has not so much left.</exception>
    public static void Reserve(Exchange exchange, decimal usd, long tokens)
    {
        IReadOnlyList<BudgetMeter> budgets = ((AdmittedKey)exchange.Standing!).Budgets;
        for (int i = 0; i < budgets.Count; i++)
        {
            BudgetVerdict verdict = budgets[i].Reserve(budgets[i].IsMoney ? usd : tokens, exchange.Reservation.AtTicks);
            if (verdict != BudgetVerdict.Taken)
            {
                for (int taken = 0; taken < i; taken++)
                {
                    budgets[taken].Settle(budgets[taken].IsMoney ? usd : tokens, 0, exchange.Reservation.AtTicks);
                }

                string until = budgets[i].Standing.Period.To.ToString("yyyy-MM-dd'T'HH:mm'Z'", System.Globalization.CultureInfo.InvariantCulture);
                string detail = $"Budget '{budgets[i].Options.Id}' of {budgets[i].Options.SubjectKind} '{budgets[i].Options.Subject}' begins anew at {until}.";
                throw verdict switch
                {
                    BudgetVerdict.Short when !budgets[i].IsWholeKnown => new LeaseShortException(GatewayError.BudgetUnavailable.ToChatError(), GatewayError.BudgetUnavailable.Code),
                    BudgetVerdict.Short => new LeaseShortException(GatewayError.BudgetExceeded.ToChatError(detail), GatewayError.BudgetExceeded.Code, Limited(GatewayError.BudgetUnavailable, 1)),
                    BudgetVerdict.Unavailable => Limited(GatewayError.BudgetUnavailable, 1),
                    _ => new GatewayException(GatewayError.BudgetExceeded, detail),
                };
            }
        }

        exchange.Reservation.Usd += usd;
        exchange.Reservation.Tokens += tokens;
    }

    /// <summary>Takes a request out of those that run; what was reserved for it stays so until it is settled.</summary>
    public void Park(Exchange exchange)
    {
        if (Interlocked.CompareExchange(ref exchange.Reservation.Stage, ReservationStage.Parked, ReservationStage.Running) == ReservationStage.Running)
        {
            End(exchange);
            Interlocked.Decrement(ref _running);
        }
    }

    /// <summary>
    /// Gives back what was taken and books what was used, before the answer's last byte: whoever has the whole answer may ask again at once, within the same limits.
    /// The request still runs until <see cref="Settle"/>.
    /// </summary>
    public static void GiveBack(Exchange exchange, in Spending spent)
    {
        if (Interlocked.CompareExchange(ref exchange.Reservation.Stage, ReservationStage.GivenBack, ReservationStage.Running) == ReservationStage.Running)
        {
            End(exchange);
            Book(exchange, spent);
        }
    }

    /// <summary>Gives back what was taken and books what was used, where <see cref="GiveBack"/> has not done it; the request runs no more.</summary>
    public void Settle(Exchange exchange, in Spending spent = default)
    {
        ReservationStage stage = Interlocked.Exchange(ref exchange.Reservation.Stage, ReservationStage.Settled);
        if (stage == ReservationStage.Running)
        {
            End(exchange);
        }

        if (stage is ReservationStage.Running or ReservationStage.Parked)
        {
            Book(exchange, spent);
        }

        if (stage is ReservationStage.Running or ReservationStage.GivenBack)
        {
            Interlocked.Decrement(ref _running);
        }
    }

    /// <summary>What was used takes the place of what it was taken for.</summary>
    private static void Book(Exchange exchange, in Spending spent)
    {
        AdmittedKey key = (AdmittedKey)exchange.Standing!;
        ref Reservation reserved = ref exchange.Reservation;
        RateMeter? own = reserved.HasModel ? key.Directory.MeterOf(exchange.Model) : null;
        long now = key.Meters.Count > 0 || own is not null ? SecondOf(exchange.Time) : 0;
        for (int i = 0; i <= key.Meters.Count; i++)
        {
            if ((i < key.Meters.Count ? key.Meters[i] : own) is { } meter)
            {
                meter.Correct(reserved.Second, now, spent.InputTokens - reserved.InputTokens, spent.OutputTokens - reserved.OutputTokens);
            }
        }

        for (int i = 0; i < key.Budgets.Count; i++)
        {
            BudgetMeter budget = key.Budgets[i];
            budget.Settle(budget.IsMoney ? reserved.Usd : reserved.Tokens, budget.IsMoney ? spent.Usd : spent.Tokens, reserved.AtTicks);
        }
    }

    /// <summary>Its limits count it among those that run no more.</summary>
    private static void End(Exchange exchange)
    {
        AdmittedKey key = (AdmittedKey)exchange.Standing!;
        RateMeter? own = exchange.Reservation.HasModel ? key.Directory.MeterOf(exchange.Model) : null;
        for (int i = 0; i <= key.Meters.Count; i++)
        {
            (i < key.Meters.Count ? key.Meters[i] : own)?.End();
        }
    }

    /// <summary>From here on the request runs, where its key's limits have room for one more.</summary>
    private void Begin(Exchange exchange, AdmittedKey key)
    {
        exchange.Reservation.Stage = ReservationStage.Running;
        exchange.Reservation.AtTicks = exchange.Time.GetUtcNow().UtcTicks;
        exchange.Reservation.Second = SecondOf(exchange.Time);
        for (int i = 0; i < key.Meters.Count; i++)
        {
            if (!key.Meters[i].TryBegin(exchange.Reservation.Second, out int wait))
            {
                for (int taken = 0; taken < i; taken++)
                {
                    key.Meters[taken].Undo(exchange.Reservation.Second, exchange.Reservation.Second);
                }

                exchange.Reservation.Stage = ReservationStage.Settled;
                Interlocked.Decrement(ref _running);
                throw Limited(GatewayError.RateLimited, wait);
            }
        }
    }

    private AdmittedKey Find(Exchange exchange, ReadOnlyMemory<char> key, HttpCall? caller)
    {
        KeyDirectory directory = DirectoryFor(exchange.Catalog);
        AdmittedKey? found = null;
        GatewayError? refusal = key.IsEmpty ? GatewayError.MissingKey : null;
        int max = exchange.Catalog.Limits.FailedKeysPerMinute;
        int wait = 0;
        if (refusal is null)
        {
            // Behind an address that tries keys only those are looked at that nobody could guess: others of that address go on.
            wait = caller is null || _failures.IsQuiet || KeyDirectory.IsUnguessable(key.Span) ? 0 : _failures.WaitFor(caller.RemoteAddress, SecondOf(exchange.Time), max);
            found = wait > 0 ? null : directory.Find(key, exchange.Time.GetUtcNow().UtcTicks);
        }

        if (_admitOnly is { } apps)
        {
            // Whoever asks too early, with whatever key, is told so: the key is judged once the gateway serves.
            return found is not null && apps.Contains(found.Key.App) ? found : throw new GatewayException(GatewayError.NotServing);
        }

        if (found is null)
        {
            if (refusal is null && caller is not null && (wait > 0 || !_failures.Count(caller.RemoteAddress, SecondOf(exchange.Time), max)))
            {
                throw Limited(GatewayError.KeysThrottled, Math.Max(wait, 1));
            }

            throw new GatewayException(refusal ?? GatewayError.InvalidKey);
        }

        return _isStale && found.RefusesWhenStale ? throw new GatewayException(GatewayError.KeysUnavailable) : found;
    }

    /// <summary>Where nobody keeps a view up to date, the catalog's own keys are all there are.</summary>
    private KeyDirectory DirectoryFor(CatalogSnapshot catalog)
    {
        KeyDirectory? directory = _directory;
        if (directory is not null && (_isManaged || ReferenceEquals(directory.Catalog, catalog)))
        {
            return directory;
        }

        return _directory = KeyDirectory.Of(TenantView.Of(catalog, StoredState.Empty), Meters, _pepper);
    }

    private static GatewayException Limited(GatewayError error, int waitSeconds)
    {
        ChatError told = error.ToChatError() with { RetryAfter = TimeSpan.FromSeconds(Math.Max(1, waitSeconds)) };
        return waitSeconds == RateMeter.ShortOfLease ? new LeaseShortException(told, error.Code) : new GatewayException(told, error.Code);
    }

    private static KeyScopes ScopeOf(Operation operation) => operation switch
    {
        Operation.Chat or Operation.Compact => KeyScopes.Chat,
        Operation.State => KeyScopes.State,
        Operation.Embeddings => KeyScopes.Embeddings,
        Operation.ImageGenerations or Operation.ImageEdits or Operation.ImageVariations => KeyScopes.Images,
        Operation.Speech or Operation.Transcriptions or Operation.Translations => KeyScopes.Audio,
        Operation.Moderations => KeyScopes.Moderations,
        Operation.Completions => KeyScopes.Completions,
        Operation.Rerank => KeyScopes.Rerank,
        Operation.FileUpload or Operation.FileList or Operation.FileRetrieve or Operation.FileDelete or Operation.FileContent => KeyScopes.Files,
        Operation.BatchCreate or Operation.BatchList or Operation.BatchRetrieve or Operation.BatchCancel => KeyScopes.Batches,
        _ when OperationName.IsOfMessageBatch(operation) => KeyScopes.Batches,
        Operation.Models or Operation.Version or Operation.CountTokens => KeyScopes.None,
        _ => KeyScopes.All,
    };
}

/// <summary>What a request has used and cost, all attempts together.</summary>
/// <param name="Usd">US dollars.</param>
/// <param name="Tokens">Tokens of all classes.</param>
/// <param name="InputTokens">Those of the input, cached ones included.</param>
/// <param name="OutputTokens">Those of the output.</param>
public readonly record struct Spending(decimal Usd, long Tokens, long InputTokens, long OutputTokens);
