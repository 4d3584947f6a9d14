using System.Text;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>What a server of AWS's Converse must do when it answers.</summary>
internal static class BedrockChecks
{
    private const string ToolSpec = $$$$"""
        {"toolSpec":{"name":"{{{{Samples.Tool}}}}","description":"Current weather of one city.","inputSchema":{"json":{{{{Samples.Schema}}}}}}}
        """;

    private const string Tools = $$"""
        "toolConfig":{"tools":[{{ToolSpec}}]},
        """;

    private const string AnyTool = $$$$"""
        "toolConfig":{"tools":[{{{{ToolSpec}}}}],"toolChoice":{"any":{}}},
        """;

    private const string Thinking = """
        "additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}},
        """;

    public static IEnumerable<Check> All { get; } =
    [
        Of("text", "A whole answer has the documented shape and its usage adds up.", async (at, cancel) =>
            Finished((await WholeAsync(at, cancel).ConfigureAwait(false)).DemandText(), "end_turn")),
        Of("stream", "A stream's messages have the right checksums and keep the order: messageStart, blocks one after another, messageStop, metadata.", async (at, cancel) =>
            Finished((await StreamAsync(at, cancel).ConfigureAwait(false)).DemandText(), "end_turn")),
        Of("stream-pieces", "A stream comes in pieces.", async (at, cancel) =>
            Expect.That((await StreamAsync(at, cancel).ConfigureAwait(false)).Pieces > 1, "the whole text comes in one delta")),
        Of("http2", "A whole answer and a stream come over HTTP/2 as well, on clear text with prior knowledge, as AWS's SDKs ask for them.", Http2Async),
        Of("usage-equal", "Stream and whole answer count the same prompt alike.", async (at, cancel) =>
        {
            long whole = (await WholeAsync(at, cancel).ConfigureAwait(false)).InputTokens;
            long streamed = (await StreamAsync(at, cancel).ConfigureAwait(false)).InputTokens;
            Expect.That(whole == streamed, $"{whole} input tokens whole, {streamed} streamed");
        }),
        Of("system", "A system prompt is taken.", async (at, cancel) =>
            (await WholeAsync(at, cancel, "\"system\":[{\"text\":\"You are brief.\"}],").ConfigureAwait(false)).DemandText()),
        Of("multi-turn", "A conversation with earlier answers goes on.", async (at, cancel) => (await ConverseAsync(at,
            $"{Surface.Bedrock.Turn("My name is Ada.")},{Surface.Bedrock.Turn("Hello Ada.", "assistant")},{Surface.Bedrock.Turn("And now?")}", "", cancel)
            .ConfigureAwait(false)).DemandText()),
        Of("unicode", "Text of any script survives, escapes included.", async (at, cancel) => (await ConverseAsync(at,
            $$"""{"role":"user","content":[{"text":{{Json.Quote(Samples.Unicode)}}},{"text":"\ud83d\ude80 go"}]}""", "", cancel).ConfigureAwait(false)).DemandText()),
        Of("max-tokens", "maxTokens cuts the answer off with stopReason max_tokens.", async (at, cancel) => Finished(await PostAsync(at,
            Surface.Bedrock.Body(at.Model, $"[{Surface.Bedrock.Turn("Tell me a long story.")}]", maxTokens: 4), cancel).ConfigureAwait(false), "max_tokens")),
        Of("stop", "A stop sequence never stands in the answer.", async (at, cancel) => Expect.That(
            !(await PostAsync(at, $$$"""{"messages":[{{{Surface.Bedrock.Turn(Surface.Hello)}}}],"inferenceConfig":{"maxTokens":256,"stopSequences":["e"]}}""", cancel).ConfigureAwait(false))
                .Text.ToString().Contains('e'),
            "the stop sequence is in the text")),
        Of("tools", "toolChoice any gives a toolUse with id and input that fits the schema.", async (at, cancel) => Finished(
            (await WholeAsync(at, cancel, AnyTool, Samples.OneCity).ConfigureAwait(false)).DemandCalls(1, Samples.Tool, Samples.Argument), "tool_use")),
        Of("tools-stream", "A streamed toolUse joins to valid input.", async (at, cancel) => Finished(
            (await StreamAsync(at, cancel, AnyTool, Samples.OneCity).ConfigureAwait(false)).DemandCalls(1, Samples.Tool, Samples.Argument), "tool_use")),
        Of("tools-parallel-stream", "Two streamed calls come one after the other.", async (at, cancel) => Finished(
            (await StreamAsync(at, cancel, AnyTool, Samples.TwoCities).ConfigureAwait(false)).DemandCalls(2, Samples.Tool, Samples.Argument), "tool_use"), optional: true),
        Of("tools-turn", "Results of two parallel calls, one of them an error, go back in one turn.", (at, cancel) => ConverseAsync(at, """
            {"role":"user","content":[{"text":"Weather in Paris and Oslo?"}]},
            {"role":"assistant","content":[{"toolUse":{"toolUseId":"tooluse_a","name":"get_weather","input":{"city":"Paris"}}},
              {"toolUse":{"toolUseId":"tooluse_b","name":"get_weather","input":{"city":"Oslo"}}}]},
            {"role":"user","content":[{"toolResult":{"toolUseId":"tooluse_a","content":[{"json":{"celsius":21}}]}},
              {"toolResult":{"toolUseId":"tooluse_b","content":[{"text":"no such city"}],"status":"error"}}]}
            """, Tools, cancel)),
        Of("json-schema", "A schema gives JSON that fits it, and nothing around it.", async (at, cancel) =>
            (await WholeAsync(at, cancel, Format, "Name a city.").ConfigureAwait(false)).DemandFit(Samples.Argument), optional: true),
        Of("json-schema-stream", "The same, streamed.", async (at, cancel) =>
            (await StreamAsync(at, cancel, Format, "Name a city.").ConfigureAwait(false)).DemandFit(Samples.Argument), optional: true),
        Of("image", "An image as bytes is taken.", async (at, cancel) => (await ConverseAsync(at, $$$$"""
            {"role":"user","content":[{"text":"What colour?"},{"image":{"format":"png","source":{"bytes":"{{{{Samples.Png}}}}"}}}]}
            """, "", cancel).ConfigureAwait(false)).DemandText(), optional: true),
        Of("pdf", "A PDF as bytes is taken.", async (at, cancel) => (await ConverseAsync(at, $$$$"""
            {"role":"user","content":[{"text":"What is this?"},{"document":{"format":"pdf","name":"empty","source":{"bytes":"{{{{Samples.Pdf}}}}"}}}]}
            """, "", cancel).ConfigureAwait(false)).DemandText(), optional: true),
        Of("thinking", "Reasoning comes as a block with a signature and is taken back in the next turn, streamed.", ThinkingAsync, optional: true),
        Of("cache-point", "cachePoint is taken after system, tools and messages.", async (at, cancel) => (await ConverseAsync(at,
            """{"role":"user","content":[{"text":"Do not call a tool. Hello"},{"cachePoint":{"type":"default"}}]}""", $$$"""
            "system":[{"text":"You are brief."},{"cachePoint":{"type":"default"}}],"toolConfig":{"tools":[{{{ToolSpec}}},{"cachePoint":{"type":"default"}}]},
            """, cancel).ConfigureAwait(false)).DemandText(), optional: true),
        Of("count-tokens", "count-tokens counts.", CountAsync, optional: true),
        Of("large-prompt", "A prompt of 200 kB is taken.", async (at, cancel) =>
            (await WholeAsync(at, cancel, text: Samples.LargePrompt).ConfigureAwait(false)).DemandText(), optional: true),
        Of("parallel", ParallelCheck.Requirement, (at, cancel) => ParallelCheck.RunAsync(text => WholeAsync(at, cancel, text: text))),
    ];

    private static string Format => $$$$$"""
        "outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"place","schema":{{{{{Json.Quote(Samples.Schema)}}}}}}}}},
        """;

    private static Check Of(string name, string requirement, Func<Subject, CancellationToken, Task> run, bool optional = false) =>
        new(Surface.Bedrock.Name, name, requirement, run) { IsOptional = optional };

    private static async Task<Answer> PostAsync(Subject at, string body, CancellationToken cancellation) =>
        BedrockAnswers.ReadWhole(await at.PostAsync(Surface.Bedrock, body, cancellation).ConfigureAwait(false));

    private static Task<Answer> WholeAsync(Subject at, CancellationToken cancellation, string more = "", string text = Surface.Hello) =>
        PostAsync(at, Surface.Bedrock.Ask(at.Model, more, text), cancellation);

    private static async Task<Answer> StreamAsync(Subject at, CancellationToken cancellation, string more = "", string text = Surface.Hello) =>
        BedrockAnswers.ReadStream(await at.PostAsync(Surface.Bedrock, Surface.Bedrock.Ask(at.Model, more, text), cancellation, stream: true).ConfigureAwait(false));

    private static Task<Answer> ConverseAsync(Subject at, string messages, string more, CancellationToken cancellation) =>
        PostAsync(at, Surface.Bedrock.Body(at.Model, $"[{messages}]", more), cancellation);

    private static async Task Http2Async(Subject at, CancellationToken cancellation)
    {
        Call call = new(Surface.Bedrock, Encoding.UTF8.GetBytes(Surface.Bedrock.Ask(at.Model))) { IsHttp2 = true };
        BedrockAnswers.ReadWhole(
            await at.SendAsync(HttpMethod.Post, Surface.Bedrock.PathOf(at.Model, stream: false), call, cancellation).ConfigureAwait(false)).DemandText();
        BedrockAnswers.ReadStream(
            await at.SendAsync(HttpMethod.Post, Surface.Bedrock.PathOf(at.Model, stream: true), call, cancellation).ConfigureAwait(false)).DemandText();
    }

    private static async Task ThinkingAsync(Subject at, CancellationToken cancellation)
    {
        string question = Surface.Bedrock.Turn("What is 27 times 453?");
        string body = Surface.Bedrock.Body(at.Model, $"[{question}]", Thinking, maxTokens: 4096);
        Answer answer = BedrockAnswers.ReadStream(await at.PostAsync(Surface.Bedrock, body, cancellation, stream: true).ConfigureAwait(false)).DemandText();
        if (!answer.HasThinking)
        {
            throw new RefusedException("the model answers without showing its reasoning");
        }

        Expect.That(answer.Thinking is not null, "the reasoning has no signature");
        string turns = $$"""
            [{{question}},{"role":"assistant","content":[{{answer.Thinking}},{"text":{{Json.Quote(answer.Text.ToString())}}}]},{{Surface.Bedrock.Turn("And plus one?")}}]
            """;
        (await PostAsync(at, Surface.Bedrock.Body(at.Model, turns, Thinking, maxTokens: 4096), cancellation).ConfigureAwait(false)).DemandText();
    }

    private static async Task CountAsync(Subject at, CancellationToken cancellation)
    {
        byte[] body = Encoding.UTF8.GetBytes($$$$"""{"input":{"converse":{"messages":[{{{{Surface.Bedrock.Turn(Surface.Hello)}}}}]}}}""");
        string path = $"/model/{Uri.EscapeDataString(at.Model)}/count-tokens";
        Reply reply = await at.SendAsync(HttpMethod.Post, path, new Call(Surface.Bedrock, body), cancellation).ConfigureAwait(false);
        using JsonDocument document = Json.Parse(reply.DemandOffered().Demand(stream: false).Text, "the count");
        Expect.That(Expect.Count(document.RootElement, "inputTokens", "the count") > 0, "nothing is counted");
    }

    private static void Finished(Answer answer, string wanted) => Expect.Any(answer.Finish, "the stopReason", wanted);
}
