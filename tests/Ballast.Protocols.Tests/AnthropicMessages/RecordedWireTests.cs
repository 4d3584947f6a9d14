using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Protocols.AnthropicMessages;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.AnthropicMessages;

/// <summary>Exchanges recorded with the real API (folder in <c>BALLAST_WIRE</c>, else <c>../shared/wire</c> beside the checkout); skipped where there are none.</summary>
public class RecordedWireTests
{
    private static readonly string? s_root = FindRoot();

    private static readonly AnthropicMessagesProtocol s_protocol = new();

    public static TheoryData<string> Messages() => Recordings("messages");

    public static TheoryData<string> TokenCounts() => Recordings("count_tokens");

    [Theory]
    [MemberData(nameof(Messages))]
    public void ReadRequest_Recorded_IsWrittenBackWithoutLoss(string file)
    {
        using JsonDocument exchange = Load(file);
        if (Request(exchange) is not string body)
        {
            return;
        }

        byte[] utf8 = Encoding.UTF8.GetBytes(body);
        RequestEnvelope envelope = s_protocol.Peek(utf8);
        if (!TryRead(utf8, out ChatRequest? request))
        {
            Assert.InRange(Status(exchange), 400, 499);
            return;
        }

        Assert.Equal(envelope.Model, request.Model);
        LossReport losses = new();
        ArrayBufferWriter<byte> output = new();
        s_protocol.WriteRequest(request, Target(request.Model), losses, output);
        Assert.Empty(losses.Losses);
        Assert.Equal(Normal(body), Normal(Encoding.UTF8.GetString(output.WrittenSpan)));
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void SpliceRequest_Recorded_ChangesTheModelAlone(string file)
    {
        using JsonDocument exchange = Load(file);
        if (Request(exchange) is not string body)
        {
            return;
        }

        ArrayBufferWriter<byte> output = new();
        s_protocol.SpliceRequest(s_protocol.Peek(Encoding.UTF8.GetBytes(body)), Target("other-model"), output);
        JsonNode spliced = JsonNode.Parse(Encoding.UTF8.GetString(output.WrittenSpan))!;
        Assert.Equal("other-model", (string?)spliced["model"]);
        JsonNode original = JsonNode.Parse(body)!;
        original["model"] = "other-model";
        original["max_tokens"] ??= 8192;
        Assert.Equal(CanonicalJson.Of(original.ToJsonString()), CanonicalJson.Of(spliced.ToJsonString()));
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Read_RecordedAnswer_GivesUsageAndFinish(string file)
    {
        using JsonDocument exchange = Load(file);
        JsonElement response = exchange.RootElement.GetProperty("response");
        (string body, bool isStream) = Answer(response);
        int status = Status(exchange);
        if (status >= 400)
        {
            ChatError error = s_protocol.ReadError(status, Encoding.UTF8.GetBytes(body));
            Assert.Equal(status, s_protocol.StatusOf(error));
            Assert.NotEmpty(error.Message);
            return;
        }

        AnswerRun.Result everything = AnswerRun.Read(s_protocol, Reading(isStream, ReadDepth.Everything), body);
        AnswerRun.Result usageOnly = AnswerRun.Read(s_protocol, Reading(isStream, ReadDepth.UsageOnly), body);
        Assert.Equal(everything.Frames, usageOnly.Frames);
        Assert.Equal(Summary(everything.Reader), Summary(usageOnly.Reader));
        Assert.Equal(body, string.Concat(usageOnly.Frames.Select(frame => frame.Bytes)));
        if (everything.Reader.Error is ChatError failure)
        {
            Assert.Equal(ChatErrorKind.Overloaded, failure.Kind);
            return;
        }

        Assert.True(everything.Reader.IsEnded);
        Assert.NotNull(everything.Reader.Usage);
        Assert.NotNull(everything.Reader.Finish);
        Assert.IsType<ResponseEnded>(everything.Events[^1]);
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Write_RecordedAnswer_ReadsTheSameAgain(string file)
    {
        using JsonDocument exchange = Load(file);
        (string body, bool isStream) = Answer(exchange.RootElement.GetProperty("response"));
        AnswerRun.Result first = Status(exchange) >= 400 ? new([], default, [], null!) : AnswerRun.Read(s_protocol, Reading(isStream, ReadDepth.Everything), body);
        if (first.Events.Count == 0 || first.Reader.Error is not null)
        {
            return;
        }

        foreach (bool stream in (bool[])[true, false])
        {
            string written = AnswerRun.Write(s_protocol, Writing(stream), first.Events);
            AnswerRun.Result again = AnswerRun.Read(s_protocol, Reading(stream, ReadDepth.Everything), written);
            Assert.Equal(Conversation(first), Conversation(again));
            if (isStream || !stream)
            {
                // A whole answer says it at its end, and a stream can only at its beginning.
                Assert.Equal(Told(first), Told(again));
            }
        }
    }

    [Theory]
    [MemberData(nameof(TokenCounts))]
    public void ReadTokenCount_Recorded_GivesTheCount(string file)
    {
        using JsonDocument exchange = Load(file);
        byte[] request = Encoding.UTF8.GetBytes(Request(exchange)!);
        ArrayBufferWriter<byte> output = new();
        s_protocol.SpliceTokenCount(s_protocol.Peek(request), Target("other-model"), output);
        Assert.DoesNotContain("max_tokens", Encoding.UTF8.GetString(output.WrittenSpan));
        if (Status(exchange) == 200)
        {
            JsonElement body = exchange.RootElement.GetProperty("response").GetProperty("body");
            long count = s_protocol.ReadTokenCount(Encoding.UTF8.GetBytes(body.GetRawText()));
            Assert.Equal(body.GetProperty("input_tokens").GetInt64(), count);
        }
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void ReadRateLimits_RecordedHeaders_AreWrittenBackAlike(string file)
    {
        using JsonDocument exchange = Load(file);
        Dictionary<string, string> headers = exchange.RootElement.GetProperty("response").GetProperty("headers").EnumerateObject()
            .Where(header => header.Name.StartsWith("anthropic-ratelimit-", StringComparison.Ordinal) && header.Value.ValueKind == JsonValueKind.String)
            .ToDictionary(header => header.Name, header => header.Value.GetString()!);
        DateTimeOffset now = DateTimeOffset.UnixEpoch;
        Dictionary<string, string> written = [];
        s_protocol.WriteRateLimits(s_protocol.ReadRateLimits(headers.GetValueOrDefault, now), now, written.Add);
        // Some recordings put words in the place of values.
        foreach ((string name, string value) in headers.Where(header => char.IsAsciiDigit(header.Value[0])))
        {
            Assert.Equal(value, written[name]);
        }
    }

    private static TheoryData<string> Recordings(string api)
    {
        TheoryData<string> files = [];
        if (s_root is null)
        {
            files.Add(new TheoryDataRow<string>("") { Skip = "No recordings: set BALLAST_WIRE to their folder." });
            return files;
        }

        foreach (string line in File.ReadLines(Path.Combine(s_root, "index.jsonl")))
        {
            using JsonDocument entry = JsonDocument.Parse(line);
            if (entry.RootElement.GetProperty("api").GetString() == api && entry.RootElement.GetProperty("provider").GetString() == "anthropic")
            {
                files.Add(entry.RootElement.GetProperty("file").GetString()!);
            }
        }

        return files;
    }

    private static string? FindRoot()
    {
        string? given = Environment.GetEnvironmentVariable("BALLAST_WIRE");
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (given is null && folder is not null)
        {
            string beside = Path.Combine(folder.FullName, "..", "shared", "wire");
            given = File.Exists(Path.Combine(folder.FullName, "Ballast.slnx")) && Directory.Exists(beside) ? beside : null;
            folder = folder.Parent;
        }

        return given is not null && File.Exists(Path.Combine(given, "index.jsonl")) ? given : null;
    }

    private static JsonDocument Load(string file) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(s_root!, file)));

    private static int Status(JsonDocument exchange) => exchange.RootElement.GetProperty("response").GetProperty("status").GetInt32();

    private static string? Request(JsonDocument exchange)
    {
        JsonElement body = exchange.RootElement.GetProperty("request").GetProperty("body");
        return body.ValueKind == JsonValueKind.Object ? body.GetRawText() : null;
    }

    private static (string Body, bool IsStream) Answer(JsonElement response) =>
        response.TryGetProperty("sse", out JsonElement stream) ? (stream.GetString()!, true)
        : response.TryGetProperty("body", out JsonElement body) ? (body.GetRawText(), false)
        : (response.GetProperty("text").GetString()!, false);

    private static bool TryRead(byte[] body, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ChatRequest? request)
    {
        try
        {
            request = s_protocol.ReadRequest(body);
            return true;
        }
        catch (ProtocolException)
        {
            request = null;
            return false;
        }
    }

    /// <summary>What may differ: an explicit default, and the default for a missing output limit.</summary>
    private static string Normal(string body)
    {
        JsonObject request = JsonNode.Parse(body)!.AsObject();
        request["max_tokens"] ??= 8192;
        request["stream"] = request["stream"]?.GetValue<bool>() ?? false;
        foreach (JsonNode? part in request["messages"]!.AsArray().Select(message => message!["content"]).OfType<JsonArray>().SelectMany(parts => parts))
        {
            if (part is JsonObject result && result["is_error"] is JsonValue flag && !flag.GetValue<bool>())
            {
                result.Remove("is_error");
            }
        }

        return CanonicalJson.Of(request.ToJsonString());
    }

    private static RequestTarget Target(string model) => new() { Model = model, Vendor = "anthropic", Features = TargetFeatures.JsonSchema };

    private static ReaderOptions Reading(bool stream, ReadDepth depth) => new() { Stream = stream, Depth = depth, Vendor = "anthropic" };

    private static WriterOptions Writing(bool stream) =>
        new() { Stream = stream, FallbackId = "none", Model = "none", CreatedUnixSeconds = 0, Vendor = "anthropic" };

    private static string Summary(ResponseReader reader) =>
        $"{reader.ResponseId} {reader.ServedModel} {reader.Finish} {reader.IsEnded} {reader.ContentLength} {reader.Usage} {reader.Error}";

    private static string Told(AnswerRun.Result run) => string.Join('\n', run.Events.OfType<AnswerTold>().Select(EventText.Of).Order());

    /// <summary>The answer regardless of how its text was cut into events, where in its block a citation came, and that a refusal is text in this protocol.</summary>
    private static string Conversation(AnswerRun.Result run)
    {
        StringBuilder text = new();
        foreach (ChatEvent chatEvent in run.Events.Where(chatEvent => chatEvent is not (Ping or UsageReported or PartEnded or Cited or AnswerTold)))
        {
            string line = EventText.Of(chatEvent is RefusalDelta refusal ? new TextDelta(refusal.Part, refusal.Text) : chatEvent);
            string head = chatEvent is TextDelta or ThinkingDelta or ToolCallDelta ? line[..(line.IndexOf(' ', line.IndexOf(' ') + 1) + 1)] : "";
            string last = text.ToString();
            int lineStart = last.LastIndexOf('\n', Math.Max(0, last.Length - 2)) + 1;
            if (head.Length > 0 && last.AsSpan(lineStart).StartsWith(head))
            {
                text.Length -= 2;
                text.Append(line.AsSpan(head.Length + 1)).Append('\n');
            }
            else
            {
                text.Append(line).Append('\n');
            }
        }

        text.AppendJoin('\n', run.Events.OfType<Cited>().Select(EventText.Of));
        return text.Append(run.Reader.Usage is { } usage ? usage with { Media = null } : null).ToString(); // what its own tools counted is declared lost, as they are
    }
}
