using System.Globalization;
using Ballast.Configuration;
using Ballast.Guards.Leases;
using Ballast.Tenancy.Leases;

namespace Ballast.Guards;

/// <summary>A share of a budget was reached, or a request was refused for it: told once for each share and period.</summary>
/// <param name="Budget">Its name.</param>
/// <param name="SubjectKind">Whose it is: <c>app</c> …</param>
/// <param name="Subject">Their name.</param>
/// <param name="SharePercent">The share that was reached; null where a request was refused.</param>
/// <param name="Spent">US dollars or tokens.</param>
/// <param name="Limit">US dollars or tokens.</param>
/// <param name="Unit"><c>usd</c> or <c>tokens</c>.</param>
/// <param name="From">Begin of the period.</param>
/// <param name="To">Its end.</param>
public sealed record BudgetAlert(
    string Budget, string SubjectKind, string Subject, int? SharePercent, decimal Spent, decimal Limit, string Unit, DateTimeOffset From, DateTimeOffset To);

/// <summary>
/// What one budget has left in its calendar period. A request reserves the most that it may cost before it is sent, and settles what it did cost; at every moment spent and
/// reserved together stay within the limit. A request belongs to the period in which it was admitted, as in the ledger. The period before stays in sight, so that a clock
/// that goes back over its end resets nothing and opens nothing.
/// </summary>
public sealed class BudgetMeter
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Action<BudgetAlert> _alert;
    private BudgetOptions _options;
    private Sheet _current;
    private Sheet? _before;
    private readonly LeaseShare? _share;
    private bool _isSeeded;

    /// <param name="options">What was written.</param>
    /// <param name="time">By which periods begin and end.</param>
    /// <param name="alert">Told of shares and refusals.</param>
    /// <param name="share">Where several gateways share it; null where this one has it alone.</param>
    public BudgetMeter(BudgetOptions options, TimeProvider time, Action<BudgetAlert> alert, LeaseShare? share = null)
    {
        _options = options;
        _time = time;
        _alert = alert;
        _share = share;
        CountsFrom = time.GetUtcNow();
        _current = NewSheet(BudgetPeriod.At(options, CountsFrom));
    }

    public BudgetOptions Options => Volatile.Read(ref _options);

    public bool IsMoney => Options.Usd is not null;

    /// <summary>From when on it counts by itself: what was spent before is for the ledger to tell.</summary>
    public DateTimeOffset CountsFrom { get; private set; }

    /// <summary>What was spent before the process began is in it, or the gateways that share it see to that.</summary>
    public bool IsSeeded => _share is not null || Volatile.Read(ref _isSeeded);

    /// <summary>It is known what all gateways that share it have spent of its current period.</summary>
    public bool IsWholeKnown
    {
        get
        {
            lock (_gate)
            {
                return _current.Part?.IsSeeded ?? IsSeeded;
            }
        }
    }

    /// <summary>Several gateways use it.</summary>
    public bool IsShared => _share is not null;

    /// <summary>US dollars or tokens.</summary>
    public decimal Limit => Options.Usd ?? Options.Tokens ?? 0;

    /// <summary>Where it stands now.</summary>
    public (decimal Spent, decimal Reserved, BudgetPeriod Period) Standing
    {
        get
        {
            lock (_gate)
            {
                Sheet sheet = Turn(_time.GetUtcNow().UtcTicks);
                return (sheet.Total, sheet.Reserved + (sheet.Part?.OthersReserved ?? 0), sheet.Period);
            }
        }
    }

    /// <summary>Reserves an amount; false where it is not left and the budget is hard.</summary>
    public bool TryReserve(decimal amount, long atTicks) => Reserve(amount, atTicks) == BudgetVerdict.Taken;

    /// <inheritdoc cref="TryReserve"/>
    public BudgetVerdict Reserve(decimal amount, long atTicks)
    {
        BudgetAlert? alert = null;
        try
        {
            lock (_gate)
            {
                Sheet sheet = Turn(atTicks);
                BudgetVerdict verdict = !Options.IsHard ? BudgetVerdict.Taken : sheet.Part is { } part ? part.Judge(amount, sheet.Spent, sheet.Reserved, Limit)
                    : sheet.Spent + sheet.Reserved + amount > Limit || (amount == 0 && sheet.Spent >= Limit) ? BudgetVerdict.Refused : BudgetVerdict.Taken;
                if (verdict == BudgetVerdict.Taken)
                {
                    sheet.Reserved += amount;
                    sheet.Part?.Note(sheet.Spent, sheet.Reserved);
                }
                else if (verdict == BudgetVerdict.Refused)
                {
                    alert = sheet.HasRefused ? null : AlertOf(sheet, null);
                    sheet.HasRefused = true;
                }

                return verdict;
            }
        }
        finally
        {
            Tell(alert);
        }
    }

    /// <summary>Reserves what was reserved at a moment before, whatever is left. Of a period that is out of sight nothing is.</summary>
    internal void Hold(decimal amount, long atTicks)
    {
        lock (_gate)
        {
            _ = Turn(_time.GetUtcNow().UtcTicks);
            if ((_current.Holds(atTicks) ? _current : _before?.Holds(atTicks) == true ? _before : null) is { } sheet)
            {
                sheet.Reserved += amount;
            }
        }
    }

    /// <summary>Gives a reservation back and books what was spent.</summary>
    public void Settle(decimal reserved, decimal spent, long atTicks)
    {
        BudgetAlert? alert = null;
        lock (_gate)
        {
            _ = Turn(_time.GetUtcNow().UtcTicks);
            Sheet? sheet = _current.Holds(atTicks) ? _current : _before?.Holds(atTicks) == true ? _before : null;
            if (sheet is not null)
            {
                sheet.Reserved -= reserved;
                sheet.Spent += spent;
                sheet.Part?.Note(sheet.Spent, sheet.Reserved);
                alert = Reached(sheet);
            }
        }

        Tell(alert);
    }

    /// <summary>Adds what was spent before, in the period of a moment. Shares that it has reached are not told again.</summary>
    public void Seed(decimal spent, BudgetPeriod period)
    {
        lock (_gate)
        {
            if (!_isSeeded && period == _current.Period)
            {
                _current.Spent += spent;
                _ = Reached(_current);
            }

            Volatile.Write(ref _isSeeded, true);
        }
    }

    /// <summary>Other limits count at once; a budget of another subject, unit or period is another one.</summary>
    internal bool TryChange(BudgetOptions options)
    {
        lock (_gate)
        {
            BudgetOptions was = _options;
            if (was.SubjectKind != options.SubjectKind || was.Subject != options.Subject || was.Period != options.Period || was.Zone != options.Zone
                || was.Usd is null != options.Usd is null)
            {
                return false;
            }

            Volatile.Write(ref _options, options);
            _current.HasRefused &= Limit <= (was.Usd ?? was.Tokens ?? 0);
            return true;
        }
    }

    /// <summary>Adds what is to be said of this gateway's parts, and takes it out of those that have something to say where it has nothing.</summary>
    internal void Report(List<(BudgetMeter Meter, BudgetReport Report)> reports, bool isEnd)
    {
        lock (_gate)
        {
            bool isAtRest = true;
            foreach (Sheet? sheet in new[] { _before, _current })
            {
                if (sheet?.Part is { } part)
                {
                    isAtRest &= part.IsAtRest(sheet.Spent, sheet.Reserved);
                    reports.Add((this, isEnd ? part.Return(Limit, sheet.Spent, sheet.Reserved) : part.Report(Limit, Options.IsHard, sheet.Spent, sheet.Reserved)));
                }
            }

            if (isAtRest)
            {
                _share?.Budgets.TryRemove(this, out _);
            }
        }
    }

    /// <summary>Takes what was given. True where nobody has said yet what was spent in the period before.</summary>
    internal bool Apply(BudgetGrant grant)
    {
        BudgetAlert? alert = null;
        bool isUnseeded = false;
        lock (_gate)
        {
            foreach (Sheet? sheet in new[] { _before, _current })
            {
                if (sheet?.Part is { } part && part.Sheet == grant.Sheet)
                {
                    part.Apply(grant, sheet.Spent, sheet.Reserved);
                    alert = Reached(sheet);
                    isUnseeded = !grant.IsSeeded;
                }
            }
        }

        Tell(alert);
        return isUnseeded;
    }

    private Sheet NewSheet(BudgetPeriod period)
    {
        BudgetPart? part = _share is null ? null : new BudgetPart(_share, this, string.Create(
            CultureInfo.InvariantCulture,
            $"{Options.Id}|{Options.SubjectKind}/{Options.Subject}|{(IsMoney ? "usd" : "tokens")}|{period.From:yyyyMMddHHmmss}-{period.To:yyyyMMddHHmmss}"), period.To);
        return new Sheet(period) { Part = part, Spent = part?.Recovered ?? 0 };
    }

    /// <summary>The sheet of a moment, after a turn to it where it lies in neither.</summary>
    private Sheet Turn(long ticks)
    {
        if (_current.Holds(ticks))
        {
            return _current;
        }

        if (_before?.Holds(ticks) == true)
        {
            return _before;
        }

        // What still runs belongs to the period that is over. A clock that was set far back leads to a period of which only the ledger knows what was spent.
        Sheet next = NewSheet(BudgetPeriod.At(Options, new DateTimeOffset(ticks, TimeSpan.Zero)));
        bool isAhead = ticks >= _current.Period.ToTicks;
        _before = isAhead ? _current : null;
        _current = next;
        CountsFrom = isAhead ? CountsFrom : next.Period.To; // the rows of this process are in that period too
        Volatile.Write(ref _isSeeded, isAhead);
        return next;
    }

    private BudgetAlert? Reached(Sheet sheet)
    {
        int? share = null;
        foreach (int percent in Options.AlertAt)
        {
            if (percent > sheet.Alerted && Limit > 0 && sheet.Total * 100 >= Limit * percent)
            {
                share = percent;
                sheet.Alerted = percent;
            }
        }

        return share is null ? null : AlertOf(sheet, share);
    }

    private BudgetAlert AlertOf(Sheet sheet, int? share) => new(
        Options.Id, Options.SubjectKind, Options.Subject, share, sheet.Total, Limit, IsMoney ? "usd" : "tokens", sheet.Period.From, sheet.Period.To);

    private void Tell(BudgetAlert? alert)
    {
        if (alert is not null)
        {
            _alert(alert);
        }
    }

    /// <summary>What happened in one period.</summary>
    private sealed class Sheet(BudgetPeriod period)
    {
        /// <summary>Null where this gateway has the budget alone.</summary>
        public BudgetPart? Part { get; init; }

        /// <summary>By whichever gateway.</summary>
        public decimal Total => Spent + (Part?.OthersSpent ?? 0);
        public BudgetPeriod Period { get; } = period;
        public decimal Spent { get; set; }
        public decimal Reserved { get; set; }
        public int Alerted { get; set; }
        public bool HasRefused { get; set; }

        public bool Holds(long ticks) => ticks >= Period.FromTicks && ticks < Period.ToTicks;
    }
}
