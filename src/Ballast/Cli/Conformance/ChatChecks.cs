namespace Ballast.Cli.Conformance;

/// <summary>What a server of Chat Completions must do when it answers.</summary>
internal static class ChatChecks
{
    private const string ToolRequired = $$"""{"tools":{{Samples.ChatTools}},"tool_choice":"required",""";

    private const string JsonFormat =
        $$$"""{"response_format":{"type":"json_schema","json_schema":{"name":"place","strict":true,"schema":{{{Samples.Schema}}}}},""";

    public static IEnumerable<Check> All { get; } =
    [
        Of("text", "A whole answer has the documented shape and its usage adds up.", async (at, cancel) =>
            Finished((await WholeAsync(at, "", cancel).ConfigureAwait(false)).DemandText(), "stop")),
        Of("stream", "A stream has one id, the role first, one finish reason, [DONE] once and last, and no usage that nobody asked for.", async (at, cancel) =>
            Finished((await StreamAsync(at, "", cancel).ConfigureAwait(false)).DemandText(), "stop")),
        Of("stream-pieces", "A stream comes in pieces.", async (at, cancel) =>
            Expect.That((await StreamAsync(at, "", cancel).ConfigureAwait(false)).Pieces > 1, "the whole text comes in one chunk")),
        Of("stream-usage", "With include_usage the last chunk has the usage and no choices.", async (at, cancel) =>
            ChatAnswers.ReadStream(await PostAsync(at, """{"stream":true,"stream_options":{"include_usage":true},""", cancel).ConfigureAwait(false), wantsUsage: true)
                .DemandText()),
        Of("usage-equal", "Stream and whole answer count the same prompt alike.", UsageEqualAsync),
        Of("system", "system and developer messages are taken.", (at, cancel) => ConverseAsync(at, """
            {"role":"system","content":"You are brief."},{"role":"developer","content":"Answer in English."},{"role":"user","content":"Hello"}
            """, "", cancel)),
        Of("multi-turn", "A conversation with earlier answers goes on.", (at, cancel) => ConverseAsync(at, """
            {"role":"user","content":"My name is Ada."},{"role":"assistant","content":"Hello Ada."},{"role":"user","content":[{"type":"text","text":"And now?"}]}
            """, "", cancel)),
        Of("unicode", "Text of any script survives, escapes included.", (at, cancel) => ConverseAsync(at,
            $$$"""{"role":"user","content":{{{Json.Quote(Samples.Unicode)}}}},{"role":"user","content":"\ud83d\ude80 go"}""", "", cancel)),
        Of("max-tokens", "max_tokens cuts the answer off with finish reason length.", async (at, cancel) =>
            Finished(await WholeAsync(at, "", cancel, maxTokens: 4, text: "Tell me a long story.").ConfigureAwait(false), "length")),
        Of("stop", "A stop sequence never stands in the answer.", async (at, cancel) =>
            Expect.That(!(await WholeAsync(at, """{"stop":["e"],""", cancel).ConfigureAwait(false)).Text.ToString().Contains('e'), "the stop sequence is in the text")),
        Of("tools", "tool_choice required gives calls with ids and arguments that fit the schema.", async (at, cancel) =>
            Finished((await WholeAsync(at, ToolRequired, cancel, text: Samples.OneCity).ConfigureAwait(false))
                .DemandCalls(1, Samples.Tool, Samples.Argument), "tool_calls")),
        Of("tools-stream", "A streamed call has index, id and name, and its pieces join to valid arguments.", async (at, cancel) =>
            Finished((await StreamAsync(at, ToolRequired, cancel, Samples.OneCity).ConfigureAwait(false))
                .DemandCalls(1, Samples.Tool, Samples.Argument), "tool_calls")),
        Of("tools-parallel-stream", "Two streamed calls keep apart.", async (at, cancel) =>
            Finished((await StreamAsync(at, ToolRequired, cancel, Samples.TwoCities).ConfigureAwait(false))
                .DemandCalls(2, Samples.Tool, Samples.Argument), "tool_calls"), optional: true),
        Of("tools-turn", "Results of two parallel calls go back and the conversation goes on.", ToolTurnAsync),
        Of("tools-none", "tool_choice none calls nothing.", async (at, cancel) =>
            Expect.That((await WholeAsync(at, $$"""{"tools":{{Samples.ChatTools}},"tool_choice":"none",""", cancel).ConfigureAwait(false)).Calls.Count == 0, "a tool is called")),
        Of("json-schema", "A strict schema gives JSON that fits it, and nothing around it.", async (at, cancel) =>
            Fits(await WholeAsync(at, JsonFormat, cancel, text: "Name a city.").ConfigureAwait(false)), optional: true),
        Of("json-schema-stream", "The same, streamed.", async (at, cancel) =>
            Fits(await StreamAsync(at, JsonFormat, cancel, "Name a city.").ConfigureAwait(false)), optional: true),
        Of("image", "An image as data URL is taken.", (at, cancel) => ConverseAsync(at, $$$"""
            {"role":"user","content":[{"type":"text","text":"What colour?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,{{{Samples.Png}}}"}}]}
            """, "", cancel), optional: true),
        Of("large-prompt", "A prompt of 200 kB is taken.", (at, cancel) => ConverseAsync(at, Surface.Chat.Turn(Samples.LargePrompt), "", cancel), optional: true),
        Of("parallel", ParallelCheck.Requirement, (at, cancel) => ParallelCheck.RunAsync(text => WholeAsync(at, "", cancel, text: text))),
    ];

    private static Check Of(string name, string requirement, Func<Subject, CancellationToken, Task> run, bool optional = false) =>
        new(Surface.Chat.Name, name, requirement, run) { IsOptional = optional };

    private static Task<Reply> PostAsync(Subject at, string more, CancellationToken cancellation, int maxTokens = 256, string text = Surface.Hello)
    {
        string head = more.Length == 0 ? "{" : more;
        return at.PostAsync(Surface.Chat,
            $$"""{{head}}"model":{{Json.Quote(at.Model)}},"max_tokens":{{maxTokens}},"messages":[{"role":"user","content":{{Json.Quote(text)}}}]}""", cancellation);
    }

    private static async Task<Answer> WholeAsync(
        Subject at, string more, CancellationToken cancellation, int maxTokens = 256, string text = Surface.Hello) =>
        ChatAnswers.ReadWhole(await PostAsync(at, more, cancellation, maxTokens, text).ConfigureAwait(false));

    private static async Task<Answer> StreamAsync(Subject at, string more, CancellationToken cancellation, string text = Surface.Hello)
    {
        string head = more.Length == 0 ? """{"stream":true,""" : more.Insert(1, "\"stream\":true,");
        return ChatAnswers.ReadStream(await PostAsync(at, head, cancellation, text: text).ConfigureAwait(false));
    }

    private static async Task ConverseAsync(Subject at, string messages, string more, CancellationToken cancellation)
    {
        string body = $$"""{"model":{{Json.Quote(at.Model)}},{{more}}"max_tokens":256,"messages":[{{messages}}]}""";
        ChatAnswers.ReadWhole(await at.PostAsync(Surface.Chat, body, cancellation).ConfigureAwait(false)).DemandText();
    }

    private static async Task ToolTurnAsync(Subject at, CancellationToken cancellation)
    {
        string tools = $"\"tools\":{Samples.ChatTools},";
        await ConverseAsync(at, """
            {"role":"user","content":"Weather in Paris and Oslo?"},
            {"role":"assistant","content":null,"tool_calls":[
              {"id":"call_a","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}},
              {"id":"call_b","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}}]},
            {"role":"tool","tool_call_id":"call_a","content":"{\"celsius\":21}"},
            {"role":"tool","tool_call_id":"call_b","content":"{\"celsius\":9}"}
            """, tools + "\"tool_choice\":\"none\",", cancellation).ConfigureAwait(false);
    }

    private static async Task UsageEqualAsync(Subject at, CancellationToken cancellation)
    {
        Answer whole = await WholeAsync(at, "", cancellation).ConfigureAwait(false);
        Answer stream = ChatAnswers.ReadStream(
            await PostAsync(at, """{"stream":true,"stream_options":{"include_usage":true},""", cancellation).ConfigureAwait(false), wantsUsage: true);
        Expect.That(whole.InputTokens == stream.InputTokens, $"{whole.InputTokens} prompt tokens whole, {stream.InputTokens} streamed");
    }

    private static void Finished(Answer answer, string wanted) => Expect.Any(answer.Finish, "the finish reason", wanted);

    private static void Fits(Answer answer) => Finished(answer.DemandFit(Samples.Argument), "stop");
}
