using Ballast.Catalog;
using Ballast.Exchanges;

namespace Ballast.Routing.Shares;

/// <summary>One request's charge: moved when it fails over, corrected when its true size is known, taken back when nothing came of it.</summary>
public sealed class ShareTicket
{
    private readonly ShareControl _control;
    private readonly SharePolicy _policy;
    private readonly ModelShares _model;
    private readonly ShareClass _class;
    private readonly ulong _rules;
    private readonly double _input;
    private readonly double _output;
    private readonly ulong _session;
    private readonly bool _yieldsFirst;
    private ShareDecision _decision;
    private double _units;

    internal ShareTicket(
        ShareControl control, SharePolicy policy, ModelShares model, ShareClass requests, ulong rules, double input, double output, ulong session, ShareDecision decision, double units, bool yieldsFirst)
    {
        (_control, _policy, _model, _class, _rules) = (control, policy, model, requests, rules);
        (_input, _output, _session, _decision, _units, _yieldsFirst) = (input, output, session, decision, units, yieldsFirst);
    }

    /// <summary>How many hard rules an attempt at this deployment would break, once the charge for the one before is taken back; -1 where it would be refused rather than sent.</summary>
    public int Breaks(Deployment deployment)
    {
        int index = _model.IndexOf(deployment);
        using Lock.Scope scope = _control.Enter();
        if (index < 0 || index == _decision.Index)
        {
            return index < 0 ? 0 : _policy.Book.Breaks(_class, index, _rules);
        }

        _policy.Book.Correct(_class, _decision, -_units);
        int broken = _policy.Book.Refuses(_class, index, _rules, _yieldsFirst) ? -1 : _policy.Book.Breaks(_class, index, _rules);
        _policy.Book.Correct(_class, _decision, _units);
        return broken;
    }

    /// <summary>The next attempt goes to this deployment.</summary>
    /// <param name="deployment">Of the model's candidates.</param>
    /// <param name="brokenMax">Where it would break more hard rules than these, or be refused, nothing is moved.</param>
    public bool TryMove(Deployment deployment, int brokenMax)
    {
        int index = _model.IndexOf(deployment);
        if (index < 0 || index == _decision.Index)
        {
            return true;
        }

        double units = _policy.Units(deployment, _input, _output, _control.Time.GetUtcNow());
        using Lock.Scope scope = _control.Enter();
        _policy.Book.Correct(_class, _decision, -_units);
        if (_policy.Book.Refuses(_class, index, _rules, _yieldsFirst) || _policy.Book.Breaks(_class, index, _rules) > brokenMax)
        {
            _policy.Book.Correct(_class, _decision, _units);
            return false;
        }

        _decision = _policy.Book.Charge(_class, index, _rules, units);
        _units = units;
        _control.Note(_policy, _decision, units, RelaxationCause.Health);
        _policy.Sessions.Note(_session, index, _control.Time.GetTimestamp());
        return true;
    }

    /// <summary>The request has ended.</summary>
    public void Settle(IReadOnlyList<Attempt> attempts)
    {
        Attempt? last = attempts.Count > 0 ? attempts[^1] : null;
        bool isUsed = last is { Result: AttemptResult.Completed or AttemptResult.Interrupted } || last is { Result: AttemptResult.Cancelled, Reached: true };
        double units = !isUsed ? 0 : last!.Usage is { } usage ? _policy.Units(last.Deployment, usage, last.StartedAt) : _units;
        using Lock.Scope scope = _control.Enter();
        _policy.Book.Correct(_class, _decision, units - _units);
        _units = units;
        if (last is { Result: AttemptResult.Completed, Usage: { } told })
        {
            _model.Learn(told.OutputTokens);
        }
    }
}
