using System.Text;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>What a server of OpenAI's Responses must do when it answers.</summary>
internal static class ResponsesChecks
{
    private const string Tools = $$"""
        "tools":[{"type":"function","name":"{{Samples.Tool}}","description":"Current weather of one city.","parameters":{{Samples.Schema}},"strict":true}],
        """;

    private const string ToolRequired = Tools + "\"tool_choice\":\"required\",";
    private const string Format = $$$"""
        "text":{"format":{"type":"json_schema","name":"place","strict":true,"schema":{{{Samples.Schema}}}}},
        """;

    private const string Sealed = """
        "reasoning":{"effort":"low"},"include":["reasoning.encrypted_content"],"store":false,
        """;

    public static IEnumerable<Check> All { get; } =
    [
        Of("text", "A whole answer has the documented shape and its usage adds up.", async (at, cancel) =>
            Finished((await WholeAsync(at, cancel).ConfigureAwait(false)).DemandText(), "completed")),
        Of("stream", "A stream counts its events from 0, opens and ends each item in order, and its last event holds what its pieces join to.", async (at, cancel) =>
            Finished((await StreamAsync(at, cancel).ConfigureAwait(false)).DemandText(), "completed")),
        Of("stream-pieces", "A stream comes in pieces.", async (at, cancel) =>
            Expect.That((await StreamAsync(at, cancel).ConfigureAwait(false)).Pieces > 1, "the whole text comes in one piece")),
        Of("usage-equal", "Stream and whole answer count the same prompt alike.", async (at, cancel) =>
        {
            long whole = (await WholeAsync(at, cancel).ConfigureAwait(false)).InputTokens;
            long streamed = (await StreamAsync(at, cancel).ConfigureAwait(false)).InputTokens;
            Expect.That(whole == streamed, $"{whole} input tokens whole, {streamed} streamed");
        }),
        Of("input-text", "A conversation of one text may be that text.", async (at, cancel) =>
            (await PostAsync(at, Json.Quote(Surface.Hello), "", cancel).ConfigureAwait(false)).DemandText()),
        Of("system", "Instructions, and system and developer messages, are taken.", async (at, cancel) =>
        {
            (await WholeAsync(at, cancel, "\"instructions\":\"You are brief.\",").ConfigureAwait(false)).DemandText();
            (await PostAsync(at, """
                [{"role":"system","content":"You are brief."},{"role":"developer","content":"Answer in English."},{"role":"user","content":"Hello"}]
                """, "", cancel).ConfigureAwait(false)).DemandText();
        }),
        Of("multi-turn", "A conversation with earlier answers goes on.", async (at, cancel) => (await PostAsync(at, """
            [{"role":"user","content":"My name is Ada."},
             {"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hello Ada."}]},
             {"type":"message","role":"user","content":[{"type":"input_text","text":"And now?"}]}]
            """, "", cancel).ConfigureAwait(false)).DemandText()),
        Of("unicode", "Text of any script survives, escapes included.", async (at, cancel) => (await PostAsync(at,
            $$$"""[{"role":"user","content":{{{Json.Quote(Samples.Unicode)}}}},{"role":"user","content":"\ud83d\ude80 go"}]""", "", cancel).ConfigureAwait(false)).DemandText()),
        Of("max-tokens", "max_output_tokens cuts the answer off: it is incomplete, and says why.", async (at, cancel) =>
            Finished(await WholeAsync(at, cancel, text: "Tell me a long story.", maxTokens: 16).ConfigureAwait(false), "max_output_tokens")),
        Of("tools", "tool_choice required gives calls with ids and arguments that fit the schema.", async (at, cancel) =>
            (await WholeAsync(at, cancel, ToolRequired, Samples.OneCity).ConfigureAwait(false)).DemandCalls(1, Samples.Tool, Samples.Argument)),
        Of("tools-stream", "A streamed call is an item of its own, and its pieces join to valid arguments.", async (at, cancel) =>
            (await StreamAsync(at, cancel, ToolRequired, Samples.OneCity).ConfigureAwait(false)).DemandCalls(1, Samples.Tool, Samples.Argument)),
        Of("tools-parallel-stream", "Two streamed calls keep apart.", async (at, cancel) =>
            (await StreamAsync(at, cancel, ToolRequired, Samples.TwoCities).ConfigureAwait(false)).DemandCalls(2, Samples.Tool, Samples.Argument), optional: true),
        Of("tools-turn", "Results of two parallel calls go back and the conversation goes on.", async (at, cancel) => (await PostAsync(at, """
            [{"role":"user","content":"Weather in Paris and Oslo?"},
             {"type":"function_call","call_id":"call_a","name":"get_weather","arguments":"{\"city\":\"Paris\"}"},
             {"type":"function_call","call_id":"call_b","name":"get_weather","arguments":"{\"city\":\"Oslo\"}"},
             {"type":"function_call_output","call_id":"call_a","output":"{\"celsius\":21}"},
             {"type":"function_call_output","call_id":"call_b","output":"{\"celsius\":9}"}]
            """, Tools + "\"tool_choice\":\"none\",", cancel).ConfigureAwait(false)).DemandText()),
        Of("tools-none", "tool_choice none calls nothing.", async (at, cancel) =>
            Expect.That((await WholeAsync(at, cancel, Tools + "\"tool_choice\":\"none\",").ConfigureAwait(false)).Calls.Count == 0, "a tool is called")),
        Of("json-schema", "A strict schema gives JSON that fits it, and nothing around it.", async (at, cancel) =>
            (await WholeAsync(at, cancel, Format, "Name a city.").ConfigureAwait(false)).DemandFit(Samples.Argument), optional: true),
        Of("json-schema-stream", "The same, streamed.", async (at, cancel) =>
            (await StreamAsync(at, cancel, Format, "Name a city.").ConfigureAwait(false)).DemandFit(Samples.Argument), optional: true),
        Of("image", "An image as data URL is taken.", async (at, cancel) => (await PostAsync(at, $$$"""
            [{"role":"user","content":[{"type":"input_text","text":"What colour?"},{"type":"input_image","image_url":"data:image/png;base64,{{{Samples.Png}}}"}]}]
            """, "", cancel).ConfigureAwait(false)).DemandText(), optional: true),
        Of("pdf", "A PDF as data URL is taken.", async (at, cancel) => (await PostAsync(at, $$$"""
            [{"role":"user","content":[{"type":"input_text","text":"What is this?"},
              {"type":"input_file","filename":"empty.pdf","file_data":"data:application/pdf;base64,{{{Samples.Pdf}}}"}]}]
            """, "", cancel).ConfigureAwait(false)).DemandText(), optional: true),
        Of("thinking", "Reasoning comes sealed where it was asked for, and is taken back in the next turn.", ThinkingAsync, optional: true),
        Of("state", "A stored answer can be gone on from, read and erased.", StateAsync, optional: true),
        Of("count-tokens", "input_tokens counts.", CountAsync, optional: true),
        Of("large-prompt", "A prompt of 200 kB is taken.", async (at, cancel) =>
            (await WholeAsync(at, cancel, text: Samples.LargePrompt).ConfigureAwait(false)).DemandText(), optional: true),
        Of("parallel", ParallelCheck.Requirement, (at, cancel) => ParallelCheck.RunAsync(text => WholeAsync(at, cancel, text: text))),
    ];

    private static Check Of(string name, string requirement, Func<Subject, CancellationToken, Task> run, bool optional = false) =>
        new(Surface.Responses.Name, name, requirement, run) { IsOptional = optional };

    private static Task<Answer> WholeAsync(Subject at, CancellationToken cancellation, string more = "", string text = Surface.Hello, int maxTokens = 256) =>
        PostAsync(at, $"[{Surface.Responses.Turn(text)}]", more, cancellation, maxTokens);

    private static async Task<Answer> StreamAsync(Subject at, CancellationToken cancellation, string more = "", string text = Surface.Hello) =>
        ResponsesAnswers.ReadStream(
            await at.PostAsync(Surface.Responses, Surface.Responses.Ask(at.Model, more, text, stream: true), cancellation, stream: true).ConfigureAwait(false));

    private static async Task<Answer> PostAsync(Subject at, string input, string more, CancellationToken cancellation, int maxTokens = 256) =>
        ResponsesAnswers.ReadWhole(
            await at.PostAsync(Surface.Responses, Surface.Responses.Body(at.Model, input, more, maxTokens: maxTokens), cancellation).ConfigureAwait(false));

    private static async Task ThinkingAsync(Subject at, CancellationToken cancellation)
    {
        string question = Surface.Responses.Turn("What is 27 times 453?");
        Answer answer = (await PostAsync(at, $"[{question}]", Sealed, cancellation, maxTokens: 4096).ConfigureAwait(false)).DemandText();
        if (answer.Thinking is null)
        {
            throw new RefusedException(answer.HasThinking ? "the model's reasoning comes without encrypted_content" : "the model answers without reasoning");
        }

        string turns = $$"""
            [{{question}},{{answer.Thinking}},{"role":"assistant","content":{{Json.Quote(answer.Text.ToString())}}},{{Surface.Responses.Turn("And plus one?")}}]
            """;
        (await PostAsync(at, turns, Sealed, cancellation, maxTokens: 4096).ConfigureAwait(false)).DemandText();
    }

    private static async Task StateAsync(Subject at, CancellationToken cancellation)
    {
        Answer first = await WholeAsync(at, cancellation, "\"store\":true,", "My name is Ada.").ConfigureAwait(false);
        Answer second = await WholeAsync(at, cancellation, $"\"previous_response_id\":{Json.Quote(first.Id)},", "What is my name?").ConfigureAwait(false);
        Expect.That(second.DemandText().Id != first.Id, "two answers have the same id");
        string path = $"{Surface.Responses.PathOf(at.Model, stream: false)}/{first.Id}";
        Call call = new(Surface.Responses);
        Answer read = ResponsesAnswers.ReadWhole(await at.SendAsync(HttpMethod.Get, path, call, cancellation).ConfigureAwait(false));
        Expect.That(read.Text.Equals(first.Text), "the answer that is read again says something else");
        Reply erased = await at.SendAsync(HttpMethod.Delete, path, call, cancellation).ConfigureAwait(false);
        Expect.That(erased.Status == 200, $"status {erased.Status} for an answer that is to be erased");
        Reply gone = await at.SendAsync(HttpMethod.Get, path, call, cancellation).ConfigureAwait(false);
        Expect.That(gone.Status == 404, $"status {gone.Status} for an answer that was erased");
        Surface.Responses.ReadError(gone);
    }

    private static async Task CountAsync(Subject at, CancellationToken cancellation)
    {
        byte[] body = Encoding.UTF8.GetBytes($$"""{"model":{{Json.Quote(at.Model)}},"input":[{{Surface.Responses.Turn(Surface.Hello)}}]}""");
        Reply reply = await at.SendAsync(HttpMethod.Post, "/v1/responses/input_tokens", new Call(Surface.Responses, body), cancellation).ConfigureAwait(false);
        using JsonDocument document = Json.Parse(reply.DemandOffered().Demand(stream: false).Text, "the count");
        Expect.That(Expect.Count(document.RootElement, "input_tokens", "the count") > 0, "nothing is counted");
    }

    private static void Finished(Answer answer, string wanted) => Expect.Any(answer.Finish, "the end", wanted);
}
