using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Ballast.Configuration;

/// <summary>
/// Builds a <see cref="YamlTree"/> from YAML's own events, so that places are kept, and duplicate keys, anchors, aliases and tags are each reported instead of
/// thrown or resolved: a file means what it shows.
/// </summary>
internal sealed class YamlTreeReader
{
    /// <summary>Deepest nesting taken; the format itself needs six.</summary>
    public const int DepthMax = 16;

    /// <summary>Most nodes taken: ten thousand deployments with every key written.</summary>
    public const int NodesMax = 400_000;

    private static readonly char[] s_quotes = ['\'', '"', '\n', '\r'];

    private readonly FaultList _faults;
    private readonly Scanner _scanner;
    private readonly Parser _parser;
    private int _nodes;

    private readonly string _firstKey;

    private YamlTreeReader(string yaml, FaultList faults, string firstKey)
    {
        _firstKey = firstKey;
        _faults = faults;
        _scanner = new Scanner(new StringReader(yaml));
        _parser = new Parser(_scanner);
    }

    /// <summary>Null where the text is not YAML at all, or is empty; the fault has been added.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="faults">What is found goes here.</param>
    /// <param name="firstKey">How such a file usually begins.</param>
    public static YamlTree? Read(string yaml, FaultList faults, string firstKey = "providers:")
    {
        YamlTreeReader reader = new(yaml, faults, firstKey);
        try
        {
            return reader.ReadDocument();
        }
        catch (YamlException error)
        {
            // Some of the scanner's faults name no place: then it is where it stopped.
            bool isPlaced = error.Start.Line > 1 || error.Start.Column > 1 || error.End.Line > 1;
            Mark at = isPlaced ? error.Start : reader._scanner.CurrentPosition;
            string sentence = Sentence(error);
            faults.Error("", (int)at.Line, (int)at.Column, $"not valid YAML: {sentence}", HintFor(sentence, LineOf(yaml, at.Line)));
            return null;
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            // The scanner throws these for some unclosed brackets and broken escapes instead of its own exception.
            Mark place = reader._scanner.CurrentPosition;
            faults.Error("", (int)place.Line, (int)place.Column, "not valid YAML here, or just before", "check brackets, quotes and escapes");
            return null;
        }
    }

    private YamlTree? ReadDocument()
    {
        Next();
        if (!MoveTo<DocumentStart>())
        {
            _faults.Error("", 1, 1, "the file is empty", $"begin with '{_firstKey}'");
            return null;
        }

        Next();
        YamlTree? root = ReadNode("", 0);
        Next();
        if (root is not null && MoveTo<DocumentStart>())
        {
            Error("", Current, "the file holds more than one document", "remove everything from the second '---' on");
        }

        return root;
    }

    private ParsingEvent Current => _parser.Current!;

    /// <summary>Reads the node that begins with the current event; leaves its last event current. Null stops the whole reading.</summary>
    private YamlTree? ReadNode(string path, int depth)
    {
        ParsingEvent start = Current;
        if (depth > DepthMax || ++_nodes > NodesMax)
        {
            Error(path, start, depth > DepthMax ? $"nested deeper than {DepthMax} levels" : $"more than {NodesMax} values", "");
            return null;
        }

        if (start is AnchorAlias)
        {
            Error(path, start, "aliases (*name) are not supported", "write the value out, or use ${NAME} from the environment");
            return new YamlScalar(Line(start), Column(start), "", IsPlain: true);
        }

        if (start is not NodeEvent node)
        {
            // The parser lets some broken flow mappings pass and then ends them where a value should stand.
            throw new YamlException(start.Start, start.End, "a value is missing");
        }

        RefuseAnchorAndTag(path, node);
        return start switch
        {
            MappingStart => ReadMap(path, start, depth),
            SequenceStart => ReadList(path, start, depth),
            _ => new YamlScalar(Line(start), Column(start), ((Scalar)start).Value, ((Scalar)start).Style == ScalarStyle.Plain),
        };
    }

    private YamlMap? ReadMap(string path, ParsingEvent start, int depth)
    {
        List<YamlEntry> entries = [];
        HashSet<string> seen = new(StringComparer.Ordinal);
        for (Next(); Current is not MappingEnd; Next())
        {
            ParsingEvent keyEvent = Current;
            YamlTree? key = ReadNode(path, depth + 1);
            if (key is null)
            {
                return null;
            }

            Next();
            string name = key is YamlScalar scalar ? scalar.Text : "";
            string childPath = SourceMap.Join(path, name);
            YamlTree? value = ReadNode(childPath, depth + 1);
            if (value is null)
            {
                return null;
            }

            if (key is not YamlScalar)
            {
                Error(path, keyEvent, "a key must be a single word", "");
            }
            else if (!seen.Add(name))
            {
                Error(childPath, keyEvent, $"'{name}' is written twice here", "remove one of the two");
            }
            else
            {
                entries.Add(new YamlEntry(name, Line(keyEvent), Column(keyEvent), value));
            }
        }

        return new YamlMap(Line(start), Column(start), entries);
    }

    private YamlList? ReadList(string path, ParsingEvent start, int depth)
    {
        List<YamlTree> items = [];
        for (Next(); Current is not SequenceEnd; Next())
        {
            if (ReadNode(SourceMap.Join(path, items.Count), depth + 1) is not { } item)
            {
                return null;
            }

            items.Add(item);
        }

        return new YamlList(Line(start), Column(start), items);
    }

    private void RefuseAnchorAndTag(string path, NodeEvent node)
    {
        if (!node.Anchor.IsEmpty)
        {
            Error(path, node, "anchors (&name) are not supported", "write the value out, or use ${NAME} from the environment");
        }

        // A quoted scalar carries the non-specific tag "!" without anybody having written it.
        if (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific)
        {
            Error(path, node, "tags (!name) are not supported", "remove the tag");
        }
    }

    private void Next()
    {
        if (!_parser.MoveNext())
        {
            throw new YamlException("the file ends too early");
        }
    }

    private bool MoveTo<T>()
        where T : ParsingEvent
    {
        while (Current is not T)
        {
            if (Current is StreamEnd || !_parser.MoveNext())
            {
                return false;
            }
        }

        return true;
    }

    private void Error(string path, ParsingEvent place, string message, string hint) =>
        _faults.Error(path, Line(place), Column(place), message, hint);

    private static int Line(ParsingEvent place) => (int)place.Start.Line;

    private static int Column(ParsingEvent place) => (int)place.Start.Column;

    /// <summary>The parser's own words, made one short line: they may quote the file, where a key could stand by mistake.</summary>
    private static string HintFor(string sentence, ReadOnlySpan<char> line) =>
        sentence.Contains("tab", StringComparison.OrdinalIgnoreCase) ? "indent with spaces, not with tabs"
        : sentence.Contains("flow", StringComparison.Ordinal) && line.Contains("${", StringComparison.Ordinal) ? "within { } and [ ] a variable stands in quotes: \"${NAME}\""
        : "";

    private static ReadOnlySpan<char> LineOf(string yaml, long line)
    {
        ReadOnlySpan<char> rest = yaml;
        for (long at = 1; at < line && rest.IndexOf('\n') is >= 0 and int end; at++)
        {
            rest = rest[(end + 1)..];
        }

        return rest.IndexOf('\n') is >= 0 and int length ? rest[..length] : rest;
    }

    private static string Sentence(YamlException error)
    {
        string text = error.InnerException?.Message ?? error.Message;
        int quote = text.IndexOfAny(s_quotes);
        while (quote >= 0 && quote + 2 < text.Length && text[quote + 2] == text[quote] && char.IsPunctuation(text[quote + 1]))
        {
            quote = text.IndexOfAny(s_quotes, quote + 3); // a bracket or comma that is missing is YAML's, and nobody's value
        }

        text = quote >= 0 ? text[..quote] : text;
        return text.Length > 160 ? text[..160] : text.Trim().TrimEnd('.', ',', ':');
    }
}
