namespace Ballast.Configuration;

/// <summary>Collects faults without stopping at the first; keeps at most <see cref="CountMax"/> and says so when there were more.</summary>
internal sealed class FaultList
{
    /// <summary>Faults kept: more help nobody.</summary>
    public const int CountMax = 200;

    private readonly List<ConfigurationFault> _faults = [];
    private readonly HashSet<string> _secrets = new(StringComparer.Ordinal);
    private int _leftOut;

    public bool HasErrors { get; private set; }

    /// <summary>From now on and in what was said before, this value is not shown, wherever it was written by mistake.</summary>
    public void Conceal(string value)
    {
        if (value.Length >= KeyReader.LengthMin)
        {
            _secrets.Add(value);
        }
    }

    public void Error(string path, int line, int column, string message, string hint) =>
        Add(new ConfigurationFault(path, line, column, message, hint, IsWarning: false));

    public void Warning(string path, int line, int column, string message, string hint) =>
        Add(new ConfigurationFault(path, line, column, message, hint, IsWarning: true));

    public void Add(ConfigurationFault fault)
    {
        HasErrors |= !fault.IsWarning;
        if (_faults.Count < CountMax)
        {
            _faults.Add(fault);
        }
        else
        {
            _leftOut++;
        }
    }

    /// <summary>All faults in the order of the file.</summary>
    public IReadOnlyList<ConfigurationFault> ToList()
    {
        List<ConfigurationFault> sorted = [.. _faults.Select(Cleaned).OrderBy(static fault => fault.Line).ThenBy(static fault => fault.Column)];
        if (_leftOut > 0)
        {
            sorted.Add(new ConfigurationFault("", 0, 0, $"{_leftOut} more faults are not shown", "mend these first", IsWarning: !HasErrors));
        }

        return sorted;
    }

    private ConfigurationFault Cleaned(ConfigurationFault fault)
    {
        foreach (string secret in _secrets)
        {
            fault = fault with
            {
                Path = fault.Path.Replace(secret, "(secret)", StringComparison.Ordinal),
                Message = fault.Message.Replace(secret, "(secret)", StringComparison.Ordinal),
                Hint = fault.Hint.Replace(secret, "(secret)", StringComparison.Ordinal),
            };
        }

        return fault;
    }
}
