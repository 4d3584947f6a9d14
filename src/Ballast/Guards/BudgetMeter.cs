using Ballast.Configuration;

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
/// reserved together stay within the limit. A request belongs to the period in which it was admitted, as in the ledger.
/// </summary>
public sealed class BudgetMeter
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Action<BudgetAlert> _alert;
    private BudgetOptions _options;
    private decimal _spent;
    private decimal _reserved;
    private BudgetPeriod _period;
    private int _alerted;
    private bool _hasRefused;
    private bool _isSeeded;

    public BudgetMeter(BudgetOptions options, TimeProvider time, Action<BudgetAlert> alert)
    {
        _options = options;
        _time = time;
        _alert = alert;
        _period = BudgetPeriod.At(options, time.GetUtcNow());
    }

    public BudgetOptions Options => Volatile.Read(ref _options);

    public bool IsMoney => Options.Usd is not null;

    /// <summary>What was spent before the process began is in it.</summary>
    public bool IsSeeded => Volatile.Read(ref _isSeeded);

    /// <summary>US dollars or tokens.</summary>
    public decimal Limit => Options.Usd ?? Options.Tokens ?? 0;

    /// <summary>Where it stands now.</summary>
    public (decimal Spent, decimal Reserved, BudgetPeriod Period) Standing
    {
        get
        {
            lock (_gate)
            {
                Roll(_time.GetUtcNow().UtcTicks);
                return (_spent, _reserved, _period);
            }
        }
    }

    /// <summary>Reserves an amount; false where it is not left and the budget is hard.</summary>
    public bool TryReserve(decimal amount, long atTicks)
    {
        BudgetAlert? alert = null;
        try
        {
            lock (_gate)
            {
                Roll(atTicks);
                if (atTicks < _period.FromTicks)
                {
                    return true;
                }

                decimal after = _spent + _reserved + amount;
                if (Options.IsHard && (after > Limit || (amount == 0 && _spent >= Limit)))
                {
                    alert = _hasRefused ? null : AlertOf(null);
                    _hasRefused = true;
                    return false;
                }

                _reserved += amount;
                return true;
            }
        }
        finally
        {
            Tell(alert);
        }
    }

    /// <summary>Gives a reservation back and books what was spent.</summary>
    public void Settle(decimal reserved, decimal spent, long atTicks)
    {
        BudgetAlert? alert = null;
        lock (_gate)
        {
            Roll(_time.GetUtcNow().UtcTicks);
            if (atTicks >= _period.FromTicks && atTicks < _period.ToTicks)
            {
                _reserved -= reserved;
                _spent += spent;
                alert = Reached();
            }
        }

        Tell(alert);
    }

    /// <summary>Adds what was spent before, in the period of a moment. Shares that it has reached are not told again.</summary>
    public void Seed(decimal spent, BudgetPeriod period)
    {
        lock (_gate)
        {
            if (!_isSeeded && period == _period)
            {
                _spent += spent;
                _ = Reached();
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
            _hasRefused &= Limit <= (was.Usd ?? was.Tokens ?? 0);
            return true;
        }
    }

    private void Roll(long nowTicks)
    {
        if (nowTicks < _period.ToTicks)
        {
            return;
        }

        // What still runs belongs to the period that is over.
        _period = BudgetPeriod.At(Options, new DateTimeOffset(nowTicks, TimeSpan.Zero));
        _spent = 0;
        _reserved = 0;
        _alerted = 0;
        _hasRefused = false;
        Volatile.Write(ref _isSeeded, true);
    }

    private BudgetAlert? Reached()
    {
        int? share = null;
        foreach (int percent in Options.AlertAt)
        {
            if (percent > _alerted && Limit > 0 && _spent * 100 >= Limit * percent)
            {
                share = percent;
                _alerted = percent;
            }
        }

        return share is null ? null : AlertOf(share);
    }

    private BudgetAlert AlertOf(int? share) =>
        new(Options.Id, Options.SubjectKind, Options.Subject, share, _spent, Limit, IsMoney ? "usd" : "tokens", _period.From, _period.To);

    private void Tell(BudgetAlert? alert)
    {
        if (alert is not null)
        {
            _alert(alert);
        }
    }
}
