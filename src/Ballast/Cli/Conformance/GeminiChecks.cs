using System.Text;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>What a server of Google's generateContent must do when it answers.</summary>
internal static class GeminiChecks
{
    private const string Tools = $$$"""
        "tools":[{"functionDeclarations":[{"name":"{{{Samples.Tool}}}","description":"Current weather of one city.",
          "parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"}},"required":["city"]}}]}],
        """;

    private const string AnyTool = Tools + """
        "toolConfig":{"functionCallingConfig":{"mode":"ANY"}},
        """;

    private const string NoTool = Tools + """
        "toolConfig":{"functionCallingConfig":{"mode":"NONE"}},
        """;

    private const string Format = """
        "responseMimeType":"application/json","responseSchema":{"type":"OBJECT","properties":{"city":{"type":"STRING"}},"required":["city"]}
        """;

    private const string JsonFormat = $$"""
        "responseMimeType":"application/json","responseJsonSchema":{{Samples.Schema}}
        """;

    private const string Thoughts = """
        "maxOutputTokens":4096,"thinkingConfig":{"includeThoughts":true}
        """;

    public static IEnumerable<Check> All { get; } =
    [
        Of("text", "A whole answer has the documented shape and its usage adds up.", async (at, cancel) =>
            Finished((await WholeAsync(at, cancel).ConfigureAwait(false)).DemandText(), "STOP")),
        Of("stream", "With alt=sse a stream has one id, one finishReason at its end, and usage.", async (at, cancel) =>
            Finished((await StreamAsync(at, cancel).ConfigureAwait(false)).DemandText(), "STOP")),
        Of("stream-array", "Without alt=sse a stream is one JSON array of the same chunks.", async (at, cancel) =>
            Finished(GeminiAnswers.ReadArray(await PostAsync(at, "streamGenerateContent", Surface.Gemini.Ask(at.Model), cancel).ConfigureAwait(false)).DemandText(), "STOP")),
        Of("stream-pieces", "A stream comes in pieces.", async (at, cancel) =>
            Expect.That((await StreamAsync(at, cancel).ConfigureAwait(false)).Pieces > 1, "the whole text comes in one chunk")),
        Of("usage-equal", "Stream and whole answer count the same prompt alike.", async (at, cancel) =>
        {
            long whole = (await WholeAsync(at, cancel).ConfigureAwait(false)).InputTokens;
            long streamed = (await StreamAsync(at, cancel).ConfigureAwait(false)).InputTokens;
            Expect.That(whole == streamed, $"{whole} prompt tokens whole, {streamed} streamed");
        }),
        Of("system", "A system instruction is taken.", async (at, cancel) =>
            (await WholeAsync(at, cancel, "\"systemInstruction\":{\"parts\":[{\"text\":\"You are brief.\"}]},").ConfigureAwait(false)).DemandText()),
        Of("multi-turn", "A conversation with earlier answers goes on.", async (at, cancel) => (await ConverseAsync(at,
            $"{Surface.Gemini.Turn("My name is Ada.")},{Surface.Gemini.Turn("Hello Ada.", "model")},{Surface.Gemini.Turn("And now?")}", "", cancel)
            .ConfigureAwait(false)).DemandText()),
        Of("unicode", "Text of any script survives, escapes included.", async (at, cancel) => (await ConverseAsync(at,
            $$"""{"role":"user","parts":[{"text":{{Json.Quote(Samples.Unicode)}}},{"text":"\ud83d\ude80 go"}]}""", "", cancel).ConfigureAwait(false)).DemandText()),
        Of("max-tokens", "maxOutputTokens cuts the answer off with finishReason MAX_TOKENS.", async (at, cancel) =>
            Finished(await ConfiguredAsync(at, "\"maxOutputTokens\":4", "Tell me a long story.", cancel).ConfigureAwait(false), "MAX_TOKENS")),
        Of("stop", "A stop sequence never stands in the answer.", async (at, cancel) => Expect.That(
            !(await ConfiguredAsync(at, "\"maxOutputTokens\":256,\"stopSequences\":[\"e\"]", Surface.Hello, cancel).ConfigureAwait(false)).Text.ToString().Contains('e'),
            "the stop sequence is in the text")),
        Of("tools", "Mode ANY gives a functionCall with args that fit the schema.", async (at, cancel) =>
            (await WholeAsync(at, cancel, AnyTool, Samples.OneCity).ConfigureAwait(false)).DemandCalls(1, Samples.Tool, Samples.Argument)),
        Of("tools-stream", "A streamed functionCall comes whole.", async (at, cancel) =>
            (await StreamAsync(at, cancel, AnyTool, Samples.OneCity).ConfigureAwait(false)).DemandCalls(1, Samples.Tool, Samples.Argument)),
        Of("tools-parallel-stream", "Two streamed calls keep apart.", async (at, cancel) =>
            (await StreamAsync(at, cancel, AnyTool, Samples.TwoCities).ConfigureAwait(false)).DemandCalls(2, Samples.Tool, Samples.Argument), optional: true),
        Of("tools-turn", "The model's two calls go back as they came, with their results, and the conversation goes on.", ToolTurnAsync, optional: true),
        Of("tools-none", "Mode NONE calls nothing.", async (at, cancel) =>
            Expect.That((await WholeAsync(at, cancel, NoTool).ConfigureAwait(false)).Calls.Count == 0, "a tool is called")),
        Of("json-schema", "A schema, in Google's form and in JSON Schema's, gives JSON that fits it.", async (at, cancel) =>
        {
            (await ConfiguredAsync(at, Format, "Name a city.", cancel).ConfigureAwait(false)).DemandFit(Samples.Argument);
            (await ConfiguredAsync(at, JsonFormat, "Name a city.", cancel).ConfigureAwait(false)).DemandFit(Samples.Argument);
        }, optional: true),
        Of("json-schema-stream", "The same, streamed.", async (at, cancel) => GeminiAnswers.ReadStream(
            await at.PostAsync(Surface.Gemini, GeminiSurface.Configured($"[{Surface.Gemini.Turn("Name a city.")}]", JsonFormat), cancel, stream: true).ConfigureAwait(false))
            .DemandFit(Samples.Argument), optional: true),
        Of("image", "An image as inlineData is taken.", async (at, cancel) => (await ConverseAsync(at, $$$"""
            {"role":"user","parts":[{"text":"What colour?"},{"inlineData":{"mimeType":"image/png","data":"{{{Samples.Png}}}"}}]}
            """, "", cancel).ConfigureAwait(false)).DemandText(), optional: true),
        Of("pdf", "A PDF as inlineData is taken.", async (at, cancel) => (await ConverseAsync(at, $$$"""
            {"role":"user","parts":[{"text":"What is this?"},{"inlineData":{"mimeType":"application/pdf","data":"{{{Samples.Pdf}}}"}}]}
            """, "", cancel).ConfigureAwait(false)).DemandText(), optional: true),
        Of("snake-case", "Fields are taken in snake_case too, as Google's JSON is read.", async (at, cancel) => GeminiAnswers.ReadWhole(await at.PostAsync(Surface.Gemini,
            $$$"""{"system_instruction":{"parts":[{"text":"You are brief."}]},"contents":[{{{Surface.Gemini.Turn(Surface.Hello)}}}],"generation_config":{"max_output_tokens":256}}""",
            cancel).ConfigureAwait(false)).DemandText()),
        Of("thinking", "Thoughts come as parts of their own, and what they signed is taken back in the next turn, streamed.", ThinkingAsync, optional: true),
        Of("count-tokens", "countTokens counts.", CountAsync, optional: true),
        Of("key-parameter", "The key is taken from ?key= as well.", KeyParameterAsync),
        Of("large-prompt", "A prompt of 200 kB is taken.", async (at, cancel) =>
            (await WholeAsync(at, cancel, text: Samples.LargePrompt).ConfigureAwait(false)).DemandText(), optional: true),
        Of("parallel", ParallelCheck.Requirement, (at, cancel) => ParallelCheck.RunAsync(text => WholeAsync(at, cancel, text: text))),
    ];

    private static Check Of(string name, string requirement, Func<Subject, CancellationToken, Task> run, bool optional = false) =>
        new(Surface.Gemini.Name, name, requirement, run) { IsOptional = optional };

    private static Task<Reply> PostAsync(Subject at, string method, string body, CancellationToken cancellation) =>
        at.SendAsync(HttpMethod.Post, GeminiSurface.PathOf(at.Model, method), new Call(Surface.Gemini, Encoding.UTF8.GetBytes(body)), cancellation);

    private static async Task<Answer> WholeAsync(Subject at, CancellationToken cancellation, string more = "", string text = Surface.Hello) =>
        GeminiAnswers.ReadWhole(await at.PostAsync(Surface.Gemini, Surface.Gemini.Ask(at.Model, more, text), cancellation).ConfigureAwait(false));

    private static async Task<Answer> StreamAsync(Subject at, CancellationToken cancellation, string more = "", string text = Surface.Hello) =>
        GeminiAnswers.ReadStream(await at.PostAsync(Surface.Gemini, Surface.Gemini.Ask(at.Model, more, text), cancellation, stream: true).ConfigureAwait(false));

    private static async Task<Answer> ConverseAsync(Subject at, string contents, string more, CancellationToken cancellation) =>
        GeminiAnswers.ReadWhole(await at.PostAsync(Surface.Gemini, Surface.Gemini.Body(at.Model, $"[{contents}]", more), cancellation).ConfigureAwait(false));

    private static async Task<Answer> ConfiguredAsync(Subject at, string config, string text, CancellationToken cancellation) => GeminiAnswers.ReadWhole(
        await at.PostAsync(Surface.Gemini, GeminiSurface.Configured($"[{Surface.Gemini.Turn(text)}]", config), cancellation).ConfigureAwait(false));

    private static async Task ToolTurnAsync(Subject at, CancellationToken cancellation)
    {
        Answer first = (await WholeAsync(at, cancellation, AnyTool, Samples.TwoCities).ConfigureAwait(false)).DemandCalls(2, Samples.Tool, Samples.Argument);
        string results = string.Join(',', first.Calls.Select(static call => call.Id.StartsWith("call ", StringComparison.Ordinal) ? "" : $"\"id\":{Json.Quote(call.Id)},").Select(static id =>
            $$$$"""{"functionResponse":{{{{{id}}}}"name":"{{{{Samples.Tool}}}}","response":{"celsius":21}}}"""));
        await ConverseAsync(
            at, $$"""{{Surface.Gemini.Turn(Samples.TwoCities)}},{{first.Thinking}},{"role":"user","parts":[{{results}}]}""", NoTool, cancellation).ConfigureAwait(false);
    }

    private static async Task ThinkingAsync(Subject at, CancellationToken cancellation)
    {
        string question = Surface.Gemini.Turn("What is 27 times 453?");
        Answer answer = GeminiAnswers.ReadStream(
            await at.PostAsync(Surface.Gemini, GeminiSurface.Configured($"[{question}]", Thoughts), cancellation, stream: true).ConfigureAwait(false)).DemandText();
        if (!answer.HasThinking)
        {
            throw new RefusedException("the model answers without showing its thoughts");
        }

        string turns = $"[{question},{answer.Thinking},{Surface.Gemini.Turn("And plus one?")}]";
        GeminiAnswers.ReadWhole(await at.PostAsync(Surface.Gemini, GeminiSurface.Configured(turns, Thoughts), cancellation).ConfigureAwait(false)).DemandText();
    }

    private static async Task CountAsync(Subject at, CancellationToken cancellation)
    {
        Reply reply = await PostAsync(at, "countTokens", $$"""{"contents":[{{Surface.Gemini.Turn(Surface.Hello)}}]}""", cancellation).ConfigureAwait(false);
        using JsonDocument document = Json.Parse(reply.DemandOffered().Demand(stream: false).Text, "the count");
        Expect.That(Expect.Count(document.RootElement, "totalTokens", "the count") > 0, "nothing is counted");
    }

    private static async Task KeyParameterAsync(Subject at, CancellationToken cancellation)
    {
        Call call = new(Surface.Gemini, Encoding.UTF8.GetBytes(Surface.Gemini.Ask(at.Model)), Key: "");
        string path = GeminiSurface.PathOf(at.Model, $"generateContent?key={Uri.EscapeDataString(at.Key)}");
        GeminiAnswers.ReadWhole(await at.SendAsync(HttpMethod.Post, path, call, cancellation).ConfigureAwait(false)).DemandText();
    }

    private static void Finished(Answer answer, string wanted) => Expect.Any(answer.Finish, "the finishReason", wanted);
}
