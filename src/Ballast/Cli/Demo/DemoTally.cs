namespace Ballast.Cli.Demo;

/// <summary>Counts what the applications saw. Thread-safe.</summary>
internal sealed class DemoTally(LineLog log)
{
    /// <summary>Failures that are printed; further ones are only counted.</summary>
    private const int PrintedMax = 100;

    private readonly Lock _gate = new();
    private long _begun;
    private long _succeeded;
    private long _failed;
    private long _interrupted;
    private long _failovers;
    private long _recorded;
    private long _refused;

    public DemoCounts Counts
    {
        get
        {
            lock (_gate)
            {
                return new DemoCounts(_begun, _succeeded, _failed, _interrupted, _failovers, _recorded, _refused);
            }
        }
    }

    public void Begin()
    {
        lock (_gate)
        {
            _begun++;
        }
    }

    public void End(DemoRequest request, DemoAnswer answer)
    {
        lock (_gate)
        {
            _recorded += request.RecordingId is null ? 0 : 1;
            switch (answer.Verdict)
            {
                case Verdict.Succeeded:
                    _succeeded++;
                    _refused += answer.IsComplete ? 0 : 1;
                    _failovers += answer.IsComplete && answer.Attempts > 1 ? 1 : 0;
                    return;
                case Verdict.Interrupted:
                    _interrupted++;
                    return;
            }

            _failed++;
            if (_failed <= PrintedMax)
            {
                log.WriteLine($"failed: {request.RecordingId ?? request.App}: {answer.Reason}{(answer.Deployment is null ? "" : $" ({answer.Deployment})")}");
            }
        }
    }
}

/// <summary>What the applications saw so far.</summary>
/// <param name="Begun">Requests sent.</param>
/// <param name="Succeeded">Answered as their protocol wants it.</param>
/// <param name="Failed">Not answered so.</param>
/// <param name="Interrupted">Cut after content, with a well-formed error.</param>
/// <param name="Failovers">Of the answered, those that a later attempt answered.</param>
/// <param name="Recorded">Of all that ended, those that came from recordings.</param>
/// <param name="Refused">Of the succeeded, those that ended in a well-formed error, as they had at the real provider.</param>
internal sealed record DemoCounts(long Begun, long Succeeded, long Failed, long Interrupted, long Failovers, long Recorded, long Refused)
{
    public long Ended => Succeeded + Failed + Interrupted;
}
