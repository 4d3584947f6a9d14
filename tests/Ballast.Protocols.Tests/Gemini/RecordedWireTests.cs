using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Gemini;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.Gemini;

/// <summary>Exchanges recorded with the Gemini API and Vertex AI (folder in <c>BALLAST_WIRE</c>, else <c>../shared/wire</c> beside the checkout); skipped where there are none.</summary>
public class RecordedWireTests
{
    /// <summary>Objects whose names are the caller's own.</summary>
    private static readonly HashSet<string> s_free =
        ["args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema", "labels"];

    private static readonly GeminiProtocol s_protocol = new();

    [Theory]
    [MemberData(nameof(Exchanges))]
    public void ReadRequest_Recorded_IsWrittenBackWithoutLoss(Recording? recording)
    {
        if (recording?.Request is not byte[] body)
        {
            return;
        }

        RequestAddress address = new("asked", recording.Stream ? StreamForm.Events : StreamForm.Whole);
        RequestEnvelope envelope = s_protocol.Peek(body, address);
        Assert.Equal(("asked", recording.Stream), (envelope.Model, envelope.Stream));
        ChatRequest request;
        try
        {
            request = s_protocol.ReadRequest(body, address);
        }
        catch (ProtocolException)
        {
            Assert.InRange(recording.Status, 400, 499);
            return;
        }

        LossReport losses = new();
        ArrayBufferWriter<byte> output = new();
        s_protocol.WriteRequest(request, Target("gemini-2.5-flash"), losses, output);
        Assert.Empty(losses.Losses);
        Assert.Equal(Normal(body), Normal(output.WrittenSpan.ToArray()));
    }

    [Theory]
    [MemberData(nameof(Exchanges))]
    public void Read_RecordedAnswer_GivesUsageAndFinish(Recording? recording)
    {
        if (recording is null)
        {
            return;
        }

        if (recording.Status >= 400)
        {
            ChatError error = s_protocol.ReadError(recording.Status, recording.Answer);
            Assert.Equal(recording.Status, s_protocol.StatusOf(error));
            Assert.False(error.Message.StartsWith("The upstream answered", StringComparison.Ordinal), error.Message);
            return;
        }

        AnswerRun.Result everything = Read(recording, ReadDepth.Everything);
        AnswerRun.Result usageOnly = Read(recording, ReadDepth.UsageOnly);
        Assert.Equal(everything.Frames, usageOnly.Frames);
        Assert.Equal(Summary(everything.Reader), Summary(usageOnly.Reader));
        string passed = string.Concat(usageOnly.Frames.Select(frame => frame.Bytes));
        Assert.Equal(Encoding.UTF8.GetString(recording.Answer).TrimEnd(), passed.TrimEnd());
        Assert.True(everything.Reader.IsEnded);
        Assert.NotNull(everything.Reader.Finish);
        Assert.IsType<ResponseEnded>(everything.Events[^1]);
        Assert.Equal(passed.Contains("\"usageMetadata\"", StringComparison.Ordinal), everything.Reader.Usage is not null);
        if (everything.Reader.Usage is { } usage)
        {
            CheckTotal(recording, usage);
        }
    }

    [Theory]
    [MemberData(nameof(Exchanges))]
    public void Write_RecordedAnswer_ReadsTheSameAgain(Recording? recording)
    {
        if (recording is null || recording.Status >= 400)
        {
            return;
        }

        AnswerRun.Result first = Read(recording, ReadDepth.Everything);
        foreach (bool stream in (bool[])[true, false])
        {
            string written = AnswerRun.Write(s_protocol, Writing(stream), first.Events);
            AnswerRun.Result again = AnswerRun.Read(s_protocol, Reading(stream, ReadDepth.Everything), written);
            Assert.Equal(AnswerRun.Summary(first.Events), AnswerRun.Summary(again.Events));
        }
    }

    [Theory]
    [MemberData(nameof(Counts))]
    public void ReadTokenCount_Recorded_GivesTheCount(Recording? recording)
    {
        if (recording is null)
        {
            return;
        }

        foreach (TargetFeatures features in (TargetFeatures[])[TargetFeatures.None, TargetFeatures.WrappedCount])
        {
            ArrayBufferWriter<byte> output = new();
            s_protocol.SpliceTokenCount(
                s_protocol.Peek(recording.Request!, new RequestAddress("asked", StreamForm.Whole)), Target("other") with { Features = features }, output);
            JsonNode body = JsonNode.Parse(output.WrittenSpan)!;
            // A conversation alone is counted without a wrapper, and goes on as it came.
            bool isAlone = JsonNode.Parse(recording.Request!)!.AsObject() is { Count: 1 } only && only.ContainsKey("contents");
            bool isWrapped = features != TargetFeatures.None && !isAlone;
            JsonNode counted = isWrapped ? body["generateContentRequest"]! : body;
            Assert.IsType<JsonArray>(counted["contents"]);
            Assert.Equal(isWrapped ? "models/other" : null, (string?)counted["model"]);
            Assert.True(!isAlone || output.WrittenSpan.SequenceEqual(recording.Request));
            Assert.NotEmpty(s_protocol.ReadRequest(output.WrittenMemory, new RequestAddress("asked", StreamForm.Whole)).Messages);
        }

        if (recording.Status == 200)
        {
            Assert.Equal((long)JsonNode.Parse(recording.Answer)!["totalTokens"]!, s_protocol.ReadTokenCount(recording.Answer));
        }
    }

    public static TheoryData<Recording?> Exchanges() => Of("generate_content", "stream_generate_content");

    public static TheoryData<Recording?> Counts() => Of("count_tokens");

    private static TheoryData<Recording?> Of(params string[] apis)
    {
        TheoryData<Recording?> recordings = [];
        if (Recording.Root is null)
        {
            recordings.Add(new TheoryDataRow<Recording?>(null) { Skip = "No recordings: set BALLAST_WIRE to their folder." });
            return recordings;
        }

        foreach (Recording recording in apis.SelectMany(Recording.Of).Where(recording => recording.Provider is "gemini" or "vertex"))
        {
            recordings.Add(recording);
        }

        return recordings;
    }

    private static AnswerRun.Result Read(Recording recording, ReadDepth depth) =>
        AnswerRun.Read(s_protocol, Reading(recording.Stream, depth), [recording.Answer]);

    /// <summary>The classes of tokens add up to the total that the vendor told last.</summary>
    private static void CheckTotal(Recording recording, Usage usage)
    {
        string text = Encoding.UTF8.GetString(recording.Answer);
        int at = text.LastIndexOf("\"totalTokenCount\"", StringComparison.Ordinal);
        string digits = new([.. text[(at + "\"totalTokenCount\"".Length)..].SkipWhile(letter => !char.IsAsciiDigit(letter)).TakeWhile(char.IsAsciiDigit)]);
        // Some recordings have numbers replaced by zero.
        if (at >= 0 && digits != "0" && usage.OutputTokens > 0)
        {
            Assert.Equal(long.Parse(digits, System.Globalization.CultureInfo.InvariantCulture), usage.TotalInputTokens + usage.OutputTokens);
        }
    }

    /// <summary>What may differ: the spelling of names, explicit defaults, what is null, an empty configuration, the role of a system text, a model that the address names.</summary>
    private static string Normal(byte[] body)
    {
        JsonObject request = (JsonObject)Spelled(JsonNode.Parse(body)!, isFree: false)!;
        request.Remove("model");
        if (request["generationConfig"] is JsonObject { Count: 0 })
        {
            request.Remove("generationConfig");
        }

        if (request["generationConfig"]?["thinkingConfig"]?["thinkingLevel"] is JsonValue level)
        {
            request["generationConfig"]!["thinkingConfig"]!["thinkingLevel"] = level.ToString().ToUpperInvariant();
        }

        if (request["systemInstruction"] is JsonObject system)
        {
            system.Remove("role");
        }

        foreach (JsonObject content in request["contents"]!.AsArray().OfType<JsonObject>().ToList())
        {
            string role = (string?)content["role"] ?? "user";
            content["role"] = role == "function" ? "user" : role;
            content["parts"] ??= new JsonArray();
        }

        return CanonicalJson.Of(request.ToJsonString());
    }

    private static JsonNode? Spelled(JsonNode? node, bool isFree)
    {
        switch (node)
        {
            case JsonArray items:
                return new JsonArray([.. items.Select(item => Spelled(item, isFree))]);
            case JsonObject fields:
                JsonObject result = [];
                foreach ((string name, JsonNode? value) in fields)
                {
                    string camel = isFree ? name : GeminiCursor.Camel(name);
                    bool isDefault = !isFree && (value is null || (camel == "thought" && value.GetValueKind() == JsonValueKind.False));
                    if (!isDefault)
                    {
                        result[camel] = Spelled(value, isFree || s_free.Contains(camel) || !Known(camel));
                    }
                }

                return result;
            default:
                return node?.DeepClone();
        }
    }

    /// <summary>Objects that the product reads field by field; all others are kept as they came.</summary>
    private static bool Known(string name) => name is "contents" or "parts" or "inlineData" or "fileData" or "functionCall" or "functionResponse" or "systemInstruction"
        or "tools" or "functionDeclarations" or "toolConfig" or "functionCallingConfig" or "generationConfig" or "thinkingConfig";

    private static RequestTarget Target(string model) => new() { Model = model, Vendor = "google", Features = TargetFeatures.JsonSchema };

    private static ReaderOptions Reading(bool stream, ReadDepth depth) => new() { Stream = stream, Depth = depth, Vendor = "google" };

    private static WriterOptions Writing(bool stream) =>
        new() { Stream = stream, FallbackId = "none", Model = "none", CreatedUnixSeconds = 0, Vendor = "google" };

    private static string Summary(ResponseReader reader) =>
        $"{reader.ResponseId} {reader.ServedModel} {reader.Finish} {reader.IsEnded} {reader.ContentLength} {reader.Usage} {reader.Error}";
}
