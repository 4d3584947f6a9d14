using System.Globalization;

namespace Ballast.Configuration;

/// <summary>
/// Reads one mapping key by key: types, ranges and interpolation are checked here, each fault with its place. Keys that nobody asked for are unknown keys,
/// so that what is read and what is known cannot drift apart. A message quotes what the file says, never what a variable or a file held.
/// </summary>
internal sealed class SectionReader
{
    private readonly LoadContext _context;
    private readonly string _kind;
    private readonly YamlMap _map;
    private readonly List<string> _asked = [];

    /// <param name="context">Shared by the whole load.</param>
    /// <param name="kind">The kind of section, for messages and for the schema: <c>provider</c>, <c>key</c> ….</param>
    /// <param name="path">Where the section stands.</param>
    /// <param name="map">The section itself.</param>
    public SectionReader(LoadContext context, string kind, string path, YamlMap map)
    {
        _context = context;
        _kind = kind;
        Path = path;
        _map = map;
        foreach (YamlEntry entry in map.Entries)
        {
            bool isScalar = entry.Value is YamlScalar { IsNull: false };
            (int line, int column) = isScalar ? (entry.Value.Line, entry.Value.Column) : (entry.Line, entry.Column);
            context.Source.Add(PathOf(entry.Key), line, column);
        }
    }

    public string Path { get; }

    /// <summary>The keys as written, for sections whose keys are free names.</summary>
    public IEnumerable<string> Keys => _map.Entries.Select(static entry => entry.Key);

    public string PathOf(string key) => SourceMap.Join(Path, key);

    /// <summary>A value with variables put in.</summary>
    public string? Text(string key) => Scalar(key) is { } scalar ? Expand(scalar, key) : null;

    /// <summary>A value that stands for itself: a name that another part of the file is found by.</summary>
    public string? Reference(string key) => Scalar(key) is { } scalar && CheckName(scalar, PathOf(key)) ? scalar.Text : null;

    /// <summary>A lower-case word that shares are grouped by: vendor, platform, region, geography, app.</summary>
    public string? Word(string key)
    {
        if (Scalar(key) is not { } scalar || Expand(scalar, key) is not { } text)
        {
            return null;
        }

        return ConfiguredName.IsWord(text)
            ? text
            : Fault<string>(scalar, key, $"'{key}' must be a lower-case word, not {Quote(scalar)}", "letters, digits, '.', '_' and '-'");
    }

    public string? OneOf(string key, IReadOnlyList<string> allowed)
    {
        if (Scalar(key) is not { } scalar || Expand(scalar, key) is not { } text)
        {
            return null;
        }

        return allowed.Contains(text)
            ? text
            : Fault<string>(scalar, key, $"'{key}' cannot be {Quote(scalar)}", NearestName.Hint(text, allowed, $"one of {string.Join(", ", allowed)}"));
    }

    public bool? Flag(string key)
    {
        if (Scalar(key) is not { } scalar || Expand(scalar, key) is not { } text)
        {
            return null;
        }

        return text switch
        {
            "true" => true,
            "false" => false,
            _ => FaultOf<bool>(scalar, key, $"'{key}' must be true or false, not {Quote(scalar)}", ""),
        };
    }

    public decimal? Number(string key, decimal min, decimal max)
    {
        if (Scalar(key) is not { } scalar || Expand(scalar, key) is not { } text)
        {
            return null;
        }

        bool isNumber = decimal.TryParse(text.TrimEnd('%', ' '), NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out decimal value);
        if (isNumber && !text.EndsWith('%') && value >= min && value <= max)
        {
            return value;
        }

        // The usual slip with a part of one.
        string range = string.Create(CultureInfo.InvariantCulture, $"from {min} to {max}");
        string hint = isNumber && max == 1 && value is > 0 and <= 100 && (value >= 2 || text.EndsWith('%')) ? string.Create(CultureInfo.InvariantCulture, $"{range}: write {value / 100:0.####} for {value} %") : range;
        return FaultOf<decimal>(scalar, key, isNumber && !text.EndsWith('%') ? $"'{key}' is out of range: {Quote(scalar)}" : $"'{key}' must be a number, not {Quote(scalar)}", hint);
    }

    public int? Whole(string key, int min, int max)
    {
        if (Scalar(key) is not { } scalar || Expand(scalar, key) is not { } text)
        {
            return null;
        }

        bool isNumber = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value);
        return isNumber && value >= min && value <= max
            ? value
            : FaultOf<int>(scalar, key, isNumber ? $"'{key}' is out of range: {Quote(scalar)}" : $"'{key}' must be a whole number, not {Quote(scalar)}", $"from {min} to {max}");
    }

    /// <summary>A day, as 2026-11-30.</summary>
    public DateOnly? Day(string key)
    {
        if (Scalar(key) is not { } scalar || Expand(scalar, key) is not { } text)
        {
            return null;
        }

        return DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly value)
            ? value
            : FaultOf<DateOnly>(scalar, key, $"'{key}' must be a day, not {Quote(scalar)}", "year, month and day: 2026-11-30");
    }

    public TimeSpan? Duration(string key, TimeSpan min, TimeSpan max)
    {
        if (Scalar(key) is not { } scalar || Expand(scalar, key) is not { } text)
        {
            return null;
        }

        bool isDuration = Quantity.TryDuration(text, out TimeSpan value);
        return isDuration && value >= min && value <= max
            ? value
            : FaultOf<TimeSpan>(
                scalar, key, isDuration ? $"'{key}' is out of range: {Quote(scalar)}" : $"'{key}' must be a duration, not {Quote(scalar)}", $"such as 250ms, 5s, 2m, 1h; from {Print(min)} to {Print(max)}");
    }

    public int? Size(string key, int min, int max)
    {
        if (Scalar(key) is not { } scalar || Expand(scalar, key) is not { } text)
        {
            return null;
        }

        return Quantity.TrySize(text, out long value) && value >= min && value <= max
            ? (int)value
            : FaultOf<int>(scalar, key, $"'{key}' must be a size, not {Quote(scalar)}", $"such as 64KiB or 32MiB; from {min} to {max} bytes");
    }

    public Uri? Address(string key)
    {
        if (Scalar(key) is not { } scalar || Expand(scalar, key) is not { } text)
        {
            return null;
        }

        bool sound = Uri.TryCreate(text, UriKind.Absolute, out Uri? address)
            && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps)
            && address.Host.Length > 0 && address.UserInfo.Length == 0 && address.Query.Length == 0 && address.Fragment.Length == 0;
        return sound
            ? address
            : Fault<Uri>(
                scalar, key, $"'{key}' must be an address that begins with http:// or https://", "without user name, query and fragment");
    }

    /// <summary>A list of single values, each with its path; null where the key is absent.</summary>
    public IReadOnlyList<(YamlScalar Value, string Path)>? Scalars(string key)
    {
        if (Items(key) is not { } items)
        {
            return null;
        }

        List<(YamlScalar, string)> scalars = [];
        foreach ((YamlTree item, string path) in items)
        {
            if (item is YamlScalar { IsNull: false } scalar)
            {
                scalars.Add((scalar, path));
            }
            else
            {
                _context.Faults.Error(path, item.Line, item.Column, $"a single value is expected here, not {item.Describe()}", "");
            }
        }

        return scalars;
    }

    /// <summary>A list of anything, each item with its path; null where the key is absent.</summary>
    public IReadOnlyList<(YamlTree Value, string Path)>? Items(string key)
    {
        YamlEntry? entry = Take(key);
        if (entry is null or { Value: YamlScalar { IsNull: true } })
        {
            return entry is null ? null : [];
        }

        if (entry.Value is not YamlList list)
        {
            return Fault<IReadOnlyList<(YamlTree, string)>>(entry.Value, key, $"'{key}' must be a list, not {entry.Value.Describe()}", $"{key}: [a, b]");
        }

        List<(YamlTree, string)> items = [];
        foreach (YamlTree item in list.Items)
        {
            string path = SourceMap.Join(PathOf(key), items.Count);
            _context.Source.Add(path, item.Line, item.Column);
            items.Add((item, path));
        }

        return items;
    }

    /// <summary>A section within this one; null where it is absent.</summary>
    public SectionReader? Section(string key, string kind) => Map(key) is { } map ? new SectionReader(_context, kind, PathOf(key), map) : null;

    /// <summary>Sections by free names, such as providers; the names are checked, faulty ones left out.</summary>
    public IEnumerable<(string Name, SectionReader Section)> NamedSections(string key, string kind, Func<string, bool> isName, string nameRule)
    {
        if (Map(key) is not { } map)
        {
            yield break;
        }

        string path = PathOf(key);
        foreach (YamlEntry entry in map.Entries)
        {
            string childPath = SourceMap.Join(path, entry.Key);
            _context.Source.Add(childPath, entry.Line, entry.Column);
            if (!isName(entry.Key))
            {
                _context.Faults.Error(childPath, entry.Line, entry.Column, $"'{Shorten(entry.Key)}' cannot be the name of a {kind}", nameRule);
            }
            else if (AsMap(entry.Value) is { } child)
            {
                yield return (entry.Key, new SectionReader(_context, kind, childPath, child));
            }
            else
            {
                _context.Faults.Error(childPath, entry.Value.Line, entry.Value.Column, $"'{entry.Key}' must be a mapping, not {entry.Value.Describe()}", "");
            }
        }
    }

    /// <summary>Free names with single values, such as headers, variables put in.</summary>
    public IEnumerable<(string Name, string Value, string Path)> NamedTexts(string key)
    {
        if (Map(key) is not { } map)
        {
            yield break;
        }

        string path = PathOf(key);
        foreach (YamlEntry entry in map.Entries)
        {
            string childPath = SourceMap.Join(path, entry.Key);
            _context.Source.Add(childPath, entry.Line, entry.Column);
            if (entry.Value is not YamlScalar scalar)
            {
                _context.Faults.Error(childPath, entry.Value.Line, entry.Value.Column, $"a single value is expected here, not {entry.Value.Describe()}", "");
            }
            else if (ExpandAt(scalar, childPath) is { } text)
            {
                yield return (entry.Key, text, childPath);
            }
        }
    }

    /// <summary>A scalar as it stands, without variables put in; null where it is absent or not a single value.</summary>
    public YamlScalar? Scalar(string key)
    {
        return Take(key)?.Value switch
        {
            null => null,
            YamlScalar { IsNull: false } scalar => scalar,
            YamlScalar scalar => Fault<YamlScalar>(scalar, key, $"'{key}' has no value", "give it one or remove the line"),
            YamlTree other => Fault<YamlScalar>(other, key, $"'{key}' must be a single value, not {other.Describe()}", ""),
        };
    }

    public bool CheckName(YamlScalar scalar, string path)
    {
        if (ConfiguredName.IsReference(scalar.Text))
        {
            return true;
        }

        _context.Faults.Error(path, scalar.Line, scalar.Column, $"{Quote(scalar)} is not a name", ConfiguredName.ReferenceRule);
        return false;
    }

    /// <summary>Call when all keys have been asked for: what is left is unknown.</summary>
    public void End()
    {
        _context.Know(_kind, _asked);
        foreach (YamlEntry entry in _map.Entries)
        {
            if (!_asked.Contains(entry.Key))
            {
                string hint = NearestName.Hint(entry.Key, _asked, $"known here: {string.Join(", ", _asked)}");
                _context.Faults.Error(PathOf(entry.Key), entry.Line, entry.Column, $"unknown key '{Shorten(entry.Key)}' in {Title}", hint);
            }
        }
    }

    /// <summary>A fault where the key was not written at all; a faulty value has its fault already.</summary>
    public void Require(string key, string hint)
    {
        if (!_context.Source.Has(PathOf(key)))
        {
            Error(key, $"'{key}' is missing", hint);
        }
    }

    public void Error(string key, string message, string hint)
    {
        (int line, int column) = _context.Source.At(PathOf(key));
        _context.Faults.Error(PathOf(key), line, column, message, hint);
    }

    public void ErrorAt(string path, string message, string hint)
    {
        (int line, int column) = _context.Source.At(path);
        _context.Faults.Error(path, line, column, message, hint);
    }

    public void Warning(string key, string message, string hint)
    {
        (int line, int column) = _context.Source.At(PathOf(key));
        _context.Faults.Warning(PathOf(key), line, column, message, hint);
    }

    public void Fault(YamlScalar place, string path, string message, string hint) =>
        _context.Faults.Error(path, place.Line, place.Column, $"{message}: {Quote(place)}", hint);

    private string Title => _kind switch
    {
        "file" => "the file",
        "server" or "ledger" or "balance" or "limits" or "data" or "allow" or "entra" or "tenancy" or "alerts" or "rate_limits" or "telemetry" or "tls" or "log" => $"'{_kind}'",
        "service" => "the price of a service tier",
        _ => $"a {_kind}",
    };

    private YamlEntry? Take(string key)
    {
        if (!_asked.Contains(key))
        {
            _asked.Add(key);
        }

        return _map.Entries.FirstOrDefault(entry => entry.Key == key);
    }

    private YamlMap? Map(string key)
    {
        if (Take(key) is not { } entry)
        {
            return null;
        }

        return AsMap(entry.Value) ?? Fault<YamlMap>(entry.Value, key, $"'{key}' must be a mapping, not {entry.Value.Describe()}", "");
    }

    /// <summary>A section whose lines are all commented out is an empty one.</summary>
    private static YamlMap? AsMap(YamlTree value) =>
        value as YamlMap ?? (value is YamlScalar { IsNull: true } ? new YamlMap(value.Line, value.Column, []) : null);

    private string? Expand(YamlScalar scalar, string key) => ExpandAt(scalar, PathOf(key));

    /// <summary>A value with its variables put in; null where that cannot be done, which has been told.</summary>
    public string? ExpandAt(YamlScalar scalar, string path)
    {
        if (!Interpolation.TryExpand(scalar.Text, _context.Environment, out string result, out string message))
        {
            _context.Faults.Error(path, scalar.Line, scalar.Column, message, "set it, write ${NAME:-default}, or $$ for a dollar sign");
            return null;
        }

        return result;
    }

    private T? Fault<T>(YamlTree place, string key, string message, string hint)
        where T : class
    {
        _context.Faults.Error(PathOf(key), place.Line, place.Column, message, hint);
        return null;
    }

    private T? FaultOf<T>(YamlTree place, string key, string message, string hint)
        where T : struct
    {
        _context.Faults.Error(PathOf(key), place.Line, place.Column, message, hint);
        return null;
    }

    private static string Quote(YamlScalar scalar) => $"'{Shorten(scalar.Text)}'";

    private static string Shorten(string text)
    {
        string flat = string.Concat(text.Take(60).Select(static c => char.IsControl(c) ? ' ' : c));
        return text.Length > 60 ? flat + "…" : flat;
    }

    private static string Print(TimeSpan time) =>
        time.TotalSeconds < 1 ? $"{time.TotalMilliseconds}ms" : time.TotalMinutes < 2 ? $"{time.TotalSeconds}s" : $"{time.TotalMinutes}m";
}
