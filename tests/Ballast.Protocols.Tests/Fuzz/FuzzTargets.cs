using System.Buffers;
using System.Globalization;
using System.Text;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Framing;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.Fuzz;

/// <summary>
/// One thing that takes bytes from outside: how its inputs are made, and how it is run, with what it reads written in the protocols given. It may refuse with
/// <see cref="ProtocolException"/>, nothing else.
/// </summary>
public sealed record FuzzTarget(string Name, Func<Dice, byte[]> Make, Action<byte[], IReadOnlyList<Protocol>> Run);

/// <summary>Every reader of the project.</summary>
public static class FuzzTargets
{
    private static readonly string[] s_schemas =
    [
        """{"type":"object","properties":{"a":{"type":"string","pattern":"^a+$","minLength":1},"b":{"type":"array","items":{"$ref":"#/$defs/x"},"minItems":1}},"required":["a"],"additionalProperties":false,"$defs":{"x":{"anyOf":[{"type":"integer","minimum":0},{"enum":["p",1,null]}]}}}""",
        """{"oneOf":[{"const":1},{"allOf":[{"type":["number","null"]},{"exclusiveMaximum":7}]}],"$ref":"#"}""",
        """{"type":"array","prefixItems":[{"type":"boolean"}],"items":{"type":"object","additionalProperties":{"type":"number"},"maxProperties":2}}""",
    ];

    private static readonly string[] s_values = ["""{"a":"aaa","b":[1,"p",null]}""", "1", """[true,{"x":1.5}]""", "null", "\"text\""];

    private static readonly string[] s_headerValues =
        ["", "1", "0", "-5", "60", "6m0s", "1h2m3.5s", "99999999999999999999", "1e400", "NaN", "∞", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "1d", "ms", "5µs", "1,2", "1.7976931348623157E308d", "20ms", "  7  ", "\u0660"];

    public static IReadOnlyList<FuzzTarget> All { get; } =
        [.. ProtocolList.All.Select(protocol => protocol.Name).SelectMany(OfProtocol), new("schema", MakeSchema, (body, _) => RunSchema(body)), new("sse", MakeStreamOfAny, (body, _) => RunFraming(body))];

    private static IEnumerable<FuzzTarget> OfProtocol(string name)
    {
        Protocol protocol = ProtocolList.Find(name)!;
        IReadOnlyList<string> requests = Mutant.Seeds(name, "request");
        string kin = name == "bedrock-invoke" ? "anthropic-messages" : name;
        IReadOnlyList<string> responses = [.. Mutant.Seeds(kin, "response"), .. Mutant.Seeds(kin, "error")];
        IReadOnlyList<string> streams = Mutant.Seeds(name, "stream");
        yield return new(name + " peek", dice => Mutant.OfBody(dice, requests), (body, _) => Splice(protocol, body));
        yield return new(name + " request", dice => Mutant.OfBody(dice, requests), (body, targets) => Translate(protocol, body, targets));
        yield return new(name + " whole", dice => Mutant.OfBody(dice, responses), (body, targets) => Answer(protocol, body, targets, stream: false));
        yield return new(name + " stream", dice => MakeStream(dice, protocol, streams), (body, targets) => Answer(protocol, body, targets, stream: true));
        yield return new(name + " error", dice => Mutant.OfBody(dice, responses), (body, targets) => Error(protocol, body, targets));
        yield return new(name + " limits", MakeHeaders, (body, targets) => Limits(protocol, body, targets));
    }

    private static byte[] MakeStream(Dice dice, Protocol protocol, IReadOnlyList<string> seeds)
    {
        byte[] body = Mutant.OfStream(dice, seeds);
        if (protocol.Framing != StreamFraming.EventStream)
        {
            return body;
        }

        byte[] framed = Form.Bytes(protocol, stream: true, Encoding.UTF8.GetString(body));
        return dice.Chance(15) ? Mutant.OfBytes(dice, framed) : framed;
    }

    public static RequestTarget Target(string vendor, bool hasAll) => new()
    {
        Model = "target", Vendor = vendor, Features = hasAll ? Enum.GetValues<TargetFeatures>().Aggregate((a, b) => a | b) & ~(TargetFeatures.ShortToolIds | TargetFeatures.MaxTokensOnly | TargetFeatures.ThinkingSwitch) : TargetFeatures.None,
    };

    private static void Splice(Protocol protocol, byte[] body)
    {
        RequestEnvelope envelope = protocol.Peek(body, Addresses.Of(protocol.Name, "asked"));
        ArrayBufferWriter<byte> output = new();
        protocol.SpliceRequest(envelope, Target("openai", hasAll: true), output);
        // What was spliced is still a request of the same protocol, for another model.
        Assert.Equal("target", protocol.Peek(output.WrittenMemory, Addresses.Of(protocol.Name, "target")).Model);
    }

    private static void Translate(Protocol protocol, byte[] body, IReadOnlyList<Protocol> targets)
    {
        ChatRequest request = protocol.ReadRequest(body, Addresses.Of(protocol.Name, "asked"));
        string vendor = ((string[])["openai", "anthropic", "google", "other"])[body.Length % 4];
        foreach (Protocol target in targets)
        {
            ArrayBufferWriter<byte> output = new();
            target.WriteRequest(request, Target(vendor, hasAll: vendor != "other"), new LossReport(), output);
            Assert.Equal("target", target.Peek(output.WrittenMemory, Addresses.Of(target.Name, "target")).Model);
        }
    }

    private static void Answer(Protocol protocol, byte[] body, IReadOnlyList<Protocol> targets, bool stream)
    {
        AnswerRun.Result whole = AnswerRun.Read(protocol, Reading(stream, ReadDepth.Everything), [body]);
        AnswerRun.Result usageOnly = AnswerRun.Read(protocol, Reading(stream, ReadDepth.UsageOnly), [body]);
        Assert.Equal(
            (whole.Reader.Usage, whole.Reader.Finish, whole.Reader.IsEnded, whole.Reader.ServedModel, whole.Reader.ContentLength, whole.Reader.Error?.Kind),
            (usageOnly.Reader.Usage, usageOnly.Reader.Finish, usageOnly.Reader.IsEnded, usageOnly.Reader.ServedModel, usageOnly.Reader.ContentLength, usageOnly.Reader.Error?.Kind));
        if (whole.Reader.Error is not null)
        {
            return;
        }

        foreach (Protocol target in targets)
        {
            bool asStream = body.Length % 2 == 0;
            string written = AnswerRun.Write(target, Writing(asStream), [.. whole.Events, ResponseEnded.Instance]);
            AnswerRun.Result again = AnswerRun.Read(target, Reading(asStream, ReadDepth.Everything), written);
            Assert.True(again.Reader.IsEnded);
            Assert.Null(again.Reader.Error);
        }
    }

    public static ReaderOptions Reading(bool stream, ReadDepth depth) => new() { Stream = stream, Depth = depth, Vendor = "anthropic" };

    public static WriterOptions Writing(bool stream) => new()
    {
        Stream = stream, FallbackId = "fallback", Model = "asked", CreatedUnixSeconds = 1, Vendor = "anthropic", StreamUsage = true,
    };

    private static void Error(Protocol protocol, byte[] body, IReadOnlyList<Protocol> targets)
    {
        int status = ((int[])[400, 429, 500, 529])[body.Length % 4];
        ChatError error = protocol.ReadError(status, body);
        Assert.NotEmpty(error.Message);
        foreach (Protocol target in targets)
        {
            Assert.InRange(target.StatusOf(error), 400, 599);
            ArrayBufferWriter<byte> output = new();
            target.WriteError(error, output);
            Assert.NotEmpty(target.ReadError(status, output.WrittenMemory).Message);
        }
    }

    private static byte[] MakeHeaders(Dice dice) => Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(0, 12).Select(_ => dice.Pick(s_headerValues))));

    private static void Limits(Protocol protocol, byte[] body, IReadOnlyList<Protocol> targets)
    {
        string[] values = Encoding.UTF8.GetString(body).Split('\n');
        int at = 0;
        DateTimeOffset now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);
        RateLimits limits = protocol.ReadRateLimits(_ => values[at++ % values.Length], now);
        foreach (Protocol target in targets)
        {
            target.WriteRateLimits(limits, now, (name, value) => Assert.NotEmpty(name + value.ToString(CultureInfo.InvariantCulture)));
        }
    }

    private static byte[] MakeSchema(Dice dice)
    {
        string schema = Mutant.OfJson(dice, dice.Pick(s_schemas), dice.Below(4));
        string value = Mutant.OfJson(dice, dice.Pick(s_values), dice.Below(3));
        return Encoding.UTF8.GetBytes(schema + "\n" + value);
    }

    private static void RunSchema(byte[] body)
    {
        int line = Array.IndexOf(body, (byte)'\n');
        JsonSchemaCheck.TryValidate(new RawJson(body.AsMemory(0, line)), body.AsMemory(line + 1), out _);
    }

    private static readonly IReadOnlyList<string> s_streams = [.. ProtocolList.All.SelectMany(protocol => Mutant.Seeds(protocol.Name, "stream"))];

    private static byte[] MakeStreamOfAny(Dice dice) => Mutant.OfStream(dice, s_streams);

    private static void RunFraming(byte[] body)
    {
        ServerSentEvents events = new();
        ReadOnlySequence<byte> buffer = new(body);
        long total = 0;
        while (events.TryTake(ref buffer, isCompleted: true, out ReadOnlySequence<byte> frame, out ServerSentEvent taken))
        {
            Assert.True(frame.Length > 0 && taken.Data.Length <= frame.Length);
            total += frame.Length;
        }

        Assert.InRange(body.Length - total, 0, 1);
    }
}
