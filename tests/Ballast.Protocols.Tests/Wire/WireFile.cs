using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Tests.Wire;

/// <summary>
/// One golden file: comment lines (<c># …</c>), then sections, each begun by <c>--- name argument…</c>. The folder's name is the protocol's.
/// </summary>
/// <remarks>
/// Inputs: <c>request</c>, <c>response</c> (whole body), <c>stream</c> (a binary one as <see cref="EventStreamText"/>), <c>error STATUS</c>.
/// Expectations: <c>neutral</c> (of a request, see <see cref="RequestText"/>), <c>events</c> (see <see cref="EventText"/>), <c>writes PROTOCOL</c>,
/// <c>asked PROTOCOL</c> (the request that an answer belongs to), <c>error-text</c>, <c>losses</c> (one pointer a line; those of the answer begin with <c>response </c>).
/// <c>options</c>, one a line: <c>vendor V</c>, <c>withhold-usage</c>, <c>unwrap</c>, <c>stream-usage off</c>, <c>input-estimate N</c>,
/// <c>target-vendor V</c>, <c>target-model M</c>, <c>address-model M</c>, <c>address-stream off</c>, <c>features A, B</c> (all by default; <c>features none</c>), <c>writer-model M</c>.
/// </remarks>
public sealed class WireFile
{
    private readonly List<(string Name, string Argument, string Body)> _sections = [];

    public required string Path { get; init; }
    public required string ProtocolName { get; init; }

    public static string Root { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "Wire");

    /// <summary>All golden files, as paths below <see cref="Root"/>.</summary>
    public static IEnumerable<string> Names() => !Directory.Exists(Root) ? [] :
        Directory.EnumerateFiles(Root, "*.wire", SearchOption.AllDirectories)
            .Select(path => System.IO.Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Order(StringComparer.Ordinal);

    public static WireFile Load(string name)
    {
        string path = System.IO.Path.Combine(Root, name);
        WireFile file = new() { Path = path, ProtocolName = name[..name.IndexOf('/')] };
        string? section = null;
        string argument = "";
        StringBuilder body = new();
        foreach (string line in File.ReadAllText(path).Replace("\r\n", "\n").Split('\n'))
        {
            if (line.StartsWith("--- ", StringComparison.Ordinal))
            {
                file.Add(section, argument, body);
                string[] words = line[4..].Split(' ', 2, StringSplitOptions.TrimEntries);
                section = words[0];
                argument = words.Length > 1 ? words[1] : "";
                body.Clear();
            }
            else if (section is not null)
            {
                body.Append(line).Append('\n');
            }
            else if (line.Length > 0 && line[0] != '#')
            {
                throw new InvalidDataException($"{name}: text before the first section: {line}");
            }
        }

        file.Add(section, argument, body);
        return file;
    }

    private void Add(string? section, string argument, StringBuilder body)
    {
        if (section is not null)
        {
            // The blank line that sets the next section apart is not part of this one; a stream keeps the one that ends its last event.
            string text = body.ToString();
            bool keepsBlank = section == "stream" && text.EndsWith("\n\n", StringComparison.Ordinal);
            _sections.Add((section, argument, keepsBlank ? text.TrimEnd('\n') + "\n\n" : text.TrimEnd('\n')));
        }
    }

    public bool Has(string section) => _sections.Any(s => s.Name == section);

    public string? Body(string section) => _sections.Where(s => s.Name == section).Select(s => s.Body).FirstOrDefault();

    public string Argument(string section) => _sections.First(s => s.Name == section).Argument;

    public IEnumerable<(string Protocol, string Body)> Writes() =>
        _sections.Where(s => s.Name == "writes").Select(s => (s.Argument, s.Body));

    public string? Option(string name) =>
        (Body("options") ?? "").Split('\n').Select(line => line.Split(' ', 2, StringSplitOptions.TrimEntries))
            .Where(words => words[0] == name).Select(words => words.Length > 1 ? words[1] : "").FirstOrDefault();

    private string Vendor => Option("vendor") ?? VendorOf(ProtocolName);

    /// <summary>What the address of the request says, for protocols that have model and streaming there.</summary>
    public RequestAddress Address => Addresses.Of(ProtocolName, Option("address-model") ?? "asked-model", (Option("address-stream") ?? (ProtocolName == "gemini" ? "on" : "off")) != "off");

    private static string VendorOf(string protocol) => protocol switch
    {
        "anthropic-messages" or "bedrock-converse" or "bedrock-invoke" => "anthropic",
        "gemini" => "google",
        _ => "openai",
    };

    private byte[] Asked => Encoding.UTF8.GetBytes(Body("asked") ?? "");

    private IReadOnlyList<Tool> AskedTools => Has("asked") ? ProtocolList.Find(Argument("asked"))!.ReadRequest(Asked, Addresses.Of(Argument("asked"), "asked-model")).Tools : [];

    public ReaderOptions ReaderOptions(LossReport losses, ReadDepth depth = ReadDepth.Everything) => new()
    {
        Stream = Has("stream"),
        Depth = depth,
        Vendor = Vendor,
        WithholdUsage = Option("withhold-usage") is not null,
        UnwrapStructuredOutput = Option("unwrap") is not null,
        Tools = AskedTools,
        Losses = losses,
    };

    public WriterOptions WriterOptions(LossReport losses) => new()
    {
        Stream = Has("stream"),
        FallbackId = "fallback-id",
        Model = Option("writer-model") ?? "asked-model",
        CreatedUnixSeconds = 1_700_000_000,
        Vendor = Vendor,
        StreamUsage = Option("stream-usage") != "off",
        Request = Asked,
        InputTokensEstimate = long.Parse(Option("input-estimate") ?? "0", System.Globalization.CultureInfo.InvariantCulture),
        Losses = losses,
    };

    public RequestTarget Target(string protocol) => new()
    {
        Model = Option("target-model") ?? "target-model",
        Vendor = Option("target-vendor") ?? VendorOf(protocol),
        Features = Option("features") switch
        {
            // All that an endpoint may be able to do; the last ones are bounds, and another way to say it.
            null => Enum.GetValues<TargetFeatures>().Aggregate((a, b) => a | b) & ~(TargetFeatures.ShortToolIds | TargetFeatures.MaxTokensOnly | TargetFeatures.ThinkingSwitch),
            "none" => TargetFeatures.None,
            string list => list.Split(',', StringSplitOptions.TrimEntries).Select(Enum.Parse<TargetFeatures>).Aggregate((a, b) => a | b),
        },
    };

    /// <summary>The lines of a loss report, in the form of the section <c>losses</c>.</summary>
    public static string LossText(LossReport losses) =>
        string.Join('\n', losses.Losses.Select(loss => (loss.InResponse ? "response " : "") + loss.Pointer).Order(StringComparer.Ordinal));
}
