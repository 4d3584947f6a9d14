using Ballast.Tenancy.Leases;

namespace Ballast.Guards.Leases;

/// <summary>What becomes of a reservation.</summary>
public enum BudgetVerdict
{
    Taken,

    /// <summary>The budget has not so much left.</summary>
    Refused,

    /// <summary>This gateway's part of it has not, and the whole may have.</summary>
    Short,

    /// <summary>This gateway's part of it has not, and nobody can be asked for more.</summary>
    Unavailable,
}

/// <summary>
/// One gateway's part of a budget's period: what it was given is taken from the whole before it is used, so that all parts together never exceed the budget, whatever becomes of a
/// gateway or of the way to it. What it has used is written down where a killed process leaves it, and taken up again by the next. Under its meter's lock.
/// </summary>
internal sealed class BudgetPart
{
    /// <summary>A figure of the whole that is older is no reason to refuse.</summary>
    private static readonly TimeSpan s_freshFor = TimeSpan.FromSeconds(1.5);

    private static readonly TimeSpan s_countEvery = TimeSpan.FromMilliseconds(500);

    private readonly LeaseShare _share;
    private readonly BudgetMeter _meter;
    private LeaseSlot? _slot;
    private decimal _granted;
    private decimal _othersHeld;
    private decimal _need;
    private decimal _largest;
    private decimal _peak;
    private decimal _counted;
    private decimal _rate;
    private long _countedTimestamp;
    private long _usedTimestamp;
    private long? _appliedTimestamp;

    public BudgetPart(LeaseShare share, BudgetMeter meter, string sheet, DateTimeOffset endsAt)
    {
        (_share, _meter, Sheet, EndsAt) = (share, meter, sheet, endsAt);
        _countedTimestamp = _usedTimestamp = share.Time.GetTimestamp();
        if (share.File.Find(sheet) is { } slot)
        {
            // What ran when the process before was ended has cost what it may have cost, as in the ledger.
            _slot = slot;
            LeaseRecord known = slot.Read();
            Recovered = known.Spent + known.Reserved;
            _granted = Math.Max(known.Granted, Recovered);
            _slot.Write(new LeaseRecord(Recovered, 0, _granted));
            Wake();
        }
    }

    public string Sheet { get; }

    public DateTimeOffset EndsAt { get; }

    /// <summary>What an earlier process had spent of it.</summary>
    public decimal Recovered { get; }

    /// <summary>Spent by the other gateways, and before any lease.</summary>
    public decimal OthersSpent { get; private set; }

    public decimal OthersReserved { get; private set; }

    public bool IsSeeded { get; private set; }

    public BudgetVerdict Judge(decimal amount, decimal spent, decimal reserved, decimal limit)
    {
        Wake();
        if (amount == 0 && IsSeeded && OthersSpent + spent >= limit)
        {
            return BudgetVerdict.Refused;
        }

        if ((_slot ??= _share.File.Open(Sheet, EndsAt)) is null)
        {
            return BudgetVerdict.Unavailable;
        }

        if (spent + reserved + amount <= _granted)
        {
            return BudgetVerdict.Taken;
        }

        bool isFresh = IsSeeded && _appliedTimestamp is { } applied && _share.Time.GetElapsedTime(applied) < s_freshFor;
        if (isFresh && amount > limit - _othersHeld - spent - reserved)
        {
            return BudgetVerdict.Refused;
        }

        _need += amount;
        _largest = Math.Max(_largest, amount);
        return _share.IsUp ? BudgetVerdict.Short : BudgetVerdict.Unavailable;
    }

    /// <summary>What was reserved or settled, as it stands now.</summary>
    public void Note(decimal spent, decimal reserved)
    {
        _usedTimestamp = _share.Time.GetTimestamp();
        _peak = Math.Max(_peak, reserved);
        _slot?.Write(new LeaseRecord(spent, reserved, _granted));
        Wake();
    }

    /// <summary>What is to be said; a part that gets smaller does so here, before anybody else may have it.</summary>
    public BudgetReport Report(decimal limit, bool isHard, decimal spent, decimal reserved)
    {
        Count(spent, reserved);
        decimal used = Up(spent) + Up(reserved);
        decimal left = Math.Max(0, limit - _othersHeld - used);
        decimal most = left / 2; // of several that ask at once each leaves room for the others
        bool isIdle = reserved == 0 && _share.Time.GetElapsedTime(_usedTimestamp) > _share.Ahead;
        decimal ahead = isIdle ? 0 : Math.Min(most, (_rate * (decimal)_share.Ahead.TotalSeconds) + (2 * _peak));
        decimal wanted = Up(isHard ? used + Math.Max(ahead, Math.Min(_need, Math.Max(most, _largest))) : used);
        (_need, _largest) = (0, 0);
        if (wanted < _granted)
        {
            _granted = wanted;
            _slot?.Write(new LeaseRecord(spent, reserved, _granted));
        }

        return new BudgetReport(Sheet, EndsAt, limit, Up(spent), Up(reserved), wanted);
    }

    /// <summary>Gives back all that is not in use, for good.</summary>
    public BudgetReport Return(decimal limit, decimal spent, decimal reserved)
    {
        _granted = Up(spent) + Up(reserved);
        _slot?.Write(new LeaseRecord(spent, reserved, _granted));
        return new BudgetReport(Sheet, EndsAt, limit, Up(spent), Up(reserved), _granted);
    }

    public void Apply(BudgetGrant grant, decimal spent, decimal reserved)
    {
        (IsSeeded, OthersSpent, OthersReserved, _othersHeld) = (grant.IsSeeded, grant.OthersSpent, grant.OthersReserved, grant.OthersHeld);
        _granted = grant.Granted;
        _appliedTimestamp = _share.Time.GetTimestamp();
        _slot?.Write(new LeaseRecord(spent, reserved, _granted));
    }

    /// <summary>All is said and nothing is held that is not in use.</summary>
    public bool IsAtRest(decimal spent, decimal reserved) => reserved == 0 && _need == 0 && _granted <= spent && _appliedTimestamp is not null;

    /// <summary>To whole picodollars, so that sums of them are exact.</summary>
    private static decimal Up(decimal amount) => Math.Round(amount, 12, MidpointRounding.ToPositiveInfinity);

    private void Wake() => _share.Budgets.TryAdd(_meter, true);

    private void Count(decimal spent, decimal reserved)
    {
        TimeSpan passed = _share.Time.GetElapsedTime(_countedTimestamp);
        if (passed < s_countEvery)
        {
            return;
        }

        _countedTimestamp = _share.Time.GetTimestamp();
        decimal seconds = (decimal)passed.TotalSeconds;
        decimal weight = (decimal)(1 - Math.Exp(-3 * passed.TotalSeconds / _share.Ahead.TotalSeconds)); // what is a third of that time old counts for little
        _rate += ((Math.Max(0, spent - _counted) / seconds) - _rate) * weight;
        _peak = Math.Max(reserved, _peak * (1 - weight));
        _counted = spent;
    }
}
