using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Protocols.Conversation;
using Ballast.Protocols.Tests.Wire;

namespace Ballast.Protocols.Tests.OpenAIChat;

/// <summary>Every recorded exchange of Chat Completions, of every provider in the set. Skipped where the set is absent.</summary>
public class RecordedWireTests
{
    private const string Skipped = "No recordings: set BALLAST_WIRE to their folder.";

    private static readonly Protocol s_protocol = ProtocolList.OpenAIChat;

    /// <summary>Requests that their own provider refused as malformed, and that are refused here too.</summary>
    private static readonly HashSet<string> s_malformed =
    [
        "deepseek-chat_completions-957978cf62", // content is an object
        "mistral-chat_completions-ced87cee49", // content is an object
        "mistral-chat_completions-7efbef36c5", // content is an object
        "openai-chat_completions-a274898843", // a part without a type
        "openai-chat_completions-4a6071184e", // a user's content is null
        "openai-chat_completions-ad6f19cb54", // no message
        "openai_compatible-chat_completions-5b7cfae380", // the temperature is a string
        "openrouter-chat_completions-9ef59da533", // not a request of this protocol at all
    ];

    [Fact]
    public void Requests_Recorded_ReadAndWriteBackLossless()
    {
        Assert.SkipUnless(Recording.Root is not null, Skipped);
        List<string> faults = [];
        int count = 0;
        foreach (Recording recording in Recording.Of("chat_completions").Where(recording => recording.Request is not null))
        {
            count++;
            try
            {
                string? fault = CheckRequest(recording);
                if (fault is not null)
                {
                    faults.Add($"{recording.Id}: {fault}");
                }
            }
            catch (ProtocolException refused)
            {
                if (recording.Status == 200 || !s_malformed.Contains(recording.Id))
                {
                    faults.Add($"{recording.Id} ({recording.Status}): refused: {refused.Message}");
                }
            }
        }

        Assert.True(faults.Count == 0, $"{faults.Count} of {count}:\n" + string.Join('\n', faults));
        Assert.True(count > 500, $"only {count} requests found");
    }

    private static string? CheckRequest(Recording recording)
    {
        byte[] body = WithModel(recording);
        ChatRequest request = s_protocol.ReadRequest(body);
        ArrayBufferWriter<byte> output = new();
        LossReport losses = new();
        RequestTarget target = new()
        {
            Model = request.Model,
            Vendor = "openai",
            Features = TargetFeatures.DeveloperRole | TargetFeatures.JsonSchema,
        };
        s_protocol.WriteRequest(request, target, losses, output);
        string expected = Normal(body);
        string actual = Normal(output.WrittenMemory);
        return losses.Count > 0 ? "losses " + WireFile.LossText(losses)
            : expected == actual ? null
            : $"\n  {Difference(expected, actual)}";
    }

    /// <summary>Azure's older addresses carry the deployment in the path, so that the body may lack the model: Ballast's do not.</summary>
    private static byte[] WithModel(Recording recording)
    {
        JsonObject root = JsonNode.Parse(recording.Request!)!.AsObject();
        if (recording.Provider == "azure")
        {
            root.TryAdd("model", "deployment");
        }

        return System.Text.Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    private static string Difference(string expected, string actual)
    {
        int at = expected.Zip(actual).TakeWhile(pair => pair.First == pair.Second).Count();
        int from = Math.Max(0, at - 60);
        return $"…{expected[from..Math.Min(expected.Length, at + 100)]}\n  …{actual[from..Math.Min(actual.Length, at + 100)]}";
    }

    /// <summary>
    /// What may differ: <c>stop</c> as a string or an array of one, <c>stream: false</c>, <c>include_usage: false</c> and empty <c>tools</c> and <c>tool_calls</c> left out,
    /// Mistral's <c>any</c> for <c>required</c>, arguments left out for empty ones.
    /// </summary>
    private static string Normal(ReadOnlyMemory<byte> body)
    {
        JsonObject root = JsonNode.Parse(body.Span)!.AsObject();
        if (root["stop"] is JsonValue stop)
        {
            root["stop"] = new JsonArray(stop.DeepClone());
        }

        if (root["stream"] is JsonValue stream && !stream.GetValue<bool>())
        {
            root.Remove("stream");
        }

        if (root["tools"] is JsonArray { Count: 0 })
        {
            root.Remove("tools");
        }

        if (root["tool_choice"] is JsonValue choice && choice.GetValueKind() == JsonValueKind.String && choice.GetValue<string>() == "any")
        {
            root["tool_choice"] = "required";
        }

        if (root["stream_options"] is JsonObject options && options["include_usage"] is JsonValue usage && !usage.GetValue<bool>())
        {
            options.Remove("include_usage");
            if (options.Count == 0)
            {
                root.Remove("stream_options");
            }
        }

        foreach (JsonObject message in (root["messages"] as JsonArray ?? []).OfType<JsonObject>())
        {
            if (message["tool_calls"] is JsonArray { Count: 0 })
            {
                message.Remove("tool_calls");
            }
        }

        foreach (JsonNode? call in (root["messages"] as JsonArray ?? []).SelectMany(message => message!["tool_calls"] as JsonArray ?? []))
        {
            if (call!["function"] is JsonObject function && !function.ContainsKey("arguments"))
            {
                function["arguments"] = "";
            }
        }

        return CanonicalJson.Of(root.ToJsonString());
    }

    [Fact]
    public void Answers_RecordedSuccesses_AreReadToTheirEnd()
    {
        Assert.SkipUnless(Recording.Root is not null, Skipped);
        List<string> faults = [];
        int count = 0;
        foreach (Recording recording in Recording.Of("chat_completions").Where(recording => recording.Status == 200))
        {
            count++;
            try
            {
                string? fault = CheckAnswer(recording);
                if (fault is not null)
                {
                    faults.Add($"{recording.Id}: {fault}");
                }
            }
            catch (ProtocolException refused)
            {
                faults.Add($"{recording.Id}: refused: {refused.Message}");
            }
        }

        Assert.True(faults.Count == 0, $"{faults.Count} of {count}:\n" + string.Join('\n', faults));
        Assert.True(count > 400, $"only {count} answers found");
    }

    private static ReaderOptions Options(Recording recording, ReadDepth depth) =>
        new() { Stream = recording.Stream, Depth = depth, Vendor = recording.Provider };

    private static string? CheckAnswer(Recording recording)
    {
        AnswerRun.Result everything = AnswerRun.Read(s_protocol, Options(recording, ReadDepth.Everything), [recording.Answer]);
        AnswerRun.Result usageOnly = AnswerRun.Read(s_protocol, Options(recording, ReadDepth.UsageOnly), [recording.Answer]);
        if (!everything.Frames.SequenceEqual(usageOnly.Frames) || State(everything.Reader) != State(usageOnly.Reader) || usageOnly.Events.Count > 0)
        {
            return $"depths differ: {State(everything.Reader)} / {State(usageOnly.Reader)}";
        }

        ResponseReader reader = everything.Reader;
        if (reader.Finish is not null && !reader.IsEnded)
        {
            // Some servers leave out [DONE]; the relay takes the end of the bytes for it.
            everything.Events.Add(ResponseEnded.Instance);
        }

        string written = AnswerRun.Write(s_protocol, Writer(recording.Stream), everything.Events);
        if (reader.Error is not null)
        {
            return null;
        }

        if (reader.Finish is null || (!reader.IsEnded && recording.Stream == false))
        {
            return "no finish: " + State(reader);
        }

        AnswerRun.Result again = AnswerRun.Read(s_protocol, Options(recording, ReadDepth.Everything), written);
        return Told(everything.Events) == Told(again.Events) ? null : $"written and read again:\n{Told(everything.Events)}\n{Told(again.Events)}";
    }

    private static WriterOptions Writer(bool stream) =>
        new() { Stream = stream, FallbackId = "fallback", Model = "asked", CreatedUnixSeconds = 1, StreamUsage = true };

    /// <summary>What an answer said, without how it was cut.</summary>
    private static string Told(List<ChatEvent> events) => AnswerRun.Summary(events);

    private static string State(ResponseReader reader) =>
        $"{reader.ResponseId} {reader.ServedModel} {reader.Finish} {reader.IsEnded} {reader.ContentLength} {reader.Usage} {reader.Error}";
}
