namespace Ballast.Cli.Demo;

/// <summary>Lines for standard error. While a picture is drawn they would tear it: then they are kept, and written once it stands still. Thread-safe.</summary>
internal sealed class LineLog(TextWriter output, bool isHeld)
{
    /// <summary>Lines kept; of further ones only their number is told.</summary>
    private const int HeldMax = 200;

    private readonly Lock _gate = new();
    private readonly List<string> _held = [];
    private bool _isHeld = isHeld;
    private long _dropped;

    /// <summary>The last line that is kept; null where there is none.</summary>
    public string? Latest
    {
        get
        {
            lock (_gate)
            {
                return _held.Count == 0 ? null : _held[^1];
            }
        }
    }

    public void WriteLine(string line)
    {
        lock (_gate)
        {
            if (!_isHeld)
            {
                output.WriteLine(line);
            }
            else if (_held.Count < HeldMax)
            {
                _held.Add(line);
            }
            else
            {
                _dropped++;
            }
        }
    }

    /// <summary>Writes what was kept; from here on lines pass at once.</summary>
    public void Release()
    {
        lock (_gate)
        {
            _isHeld = false;
            _held.ForEach(output.WriteLine);
            _held.Clear();
            if (_dropped > 0)
            {
                output.WriteLine($"… and {_dropped} more lines");
                _dropped = 0;
            }
        }
    }
}
