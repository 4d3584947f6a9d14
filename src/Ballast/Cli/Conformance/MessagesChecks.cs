using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>What a server of Anthropic's Messages must do when it answers.</summary>
internal static class MessagesChecks
{
    private const string AnyTool = $$$"""{"tools":{{{Samples.MessagesTools}}},"tool_choice":{"type":"any"},""";
    private const string Thinking = """{"thinking":{"type":"enabled","budget_tokens":1024},""";

    public static IEnumerable<Check> All { get; } =
    [
        Of("text", "A whole answer has the documented shape.", async (at, cancel) =>
            Finished((await WholeAsync(at, "{", cancel).ConfigureAwait(false)).DemandText(), "end_turn")),
        Of("stream", "A stream keeps the order: message_start, blocks one after another with the next index each, message_delta, message_stop.", async (at, cancel) =>
            Finished((await StreamAsync(at, "{", cancel).ConfigureAwait(false)).DemandText(), "end_turn")),
        Of("stream-pieces", "A stream comes in pieces.", async (at, cancel) =>
            Expect.That((await StreamAsync(at, "{", cancel).ConfigureAwait(false)).Pieces > 1, "the whole text comes in one delta")),
        Of("system", "A system prompt is taken, as text and as blocks.", async (at, cancel) =>
        {
            (await WholeAsync(at, """{"system":"You are brief.",""", cancel).ConfigureAwait(false)).DemandText();
            (await WholeAsync(at, """{"system":[{"type":"text","text":"You are brief."}],""", cancel).ConfigureAwait(false)).DemandText();
        }),
        Of("multi-turn", "A conversation with earlier answers goes on.", (at, cancel) => ConverseAsync(at, "{", """
            {"role":"user","content":"My name is Ada."},{"role":"assistant","content":[{"type":"text","text":"Hello Ada."}]},{"role":"user","content":"And now?"}
            """, cancel)),
        Of("unicode", "Text of any script survives, escapes included.", (at, cancel) => ConverseAsync(at, "{",
            $$$"""{"role":"user","content":[{"type":"text","text":{{{Json.Quote(Samples.Unicode)}}}},{"type":"text","text":"\ud83d\ude80 go"}]}""", cancel)),
        Of("max-tokens", "max_tokens cuts the answer off with stop reason max_tokens.", async (at, cancel) =>
            Finished(await WholeAsync(at, "{", cancel, maxTokens: 4, text: "Tell me a long story.").ConfigureAwait(false), "max_tokens")),
        Of("stop-sequence", "A stop sequence never stands in the answer.", async (at, cancel) =>
            Expect.That(!(await WholeAsync(at, """{"stop_sequences":["e"],""", cancel).ConfigureAwait(false)).Text.ToString().Contains('e'), "the stop sequence is in the text")),
        Of("tools", "tool_choice any gives a tool_use block with id and input that fits the schema.", async (at, cancel) =>
            Finished((await WholeAsync(at, AnyTool, cancel, text: Samples.OneCity).ConfigureAwait(false)).DemandCalls(1, Samples.Tool, Samples.Argument), "tool_use")),
        Of("tools-stream", "A streamed tool_use joins to valid input.", async (at, cancel) =>
            Finished((await StreamAsync(at, AnyTool, cancel, Samples.OneCity).ConfigureAwait(false)).DemandCalls(1, Samples.Tool, Samples.Argument), "tool_use")),
        Of("tools-parallel-stream", "Two streamed calls come one after the other.", async (at, cancel) =>
            Finished((await StreamAsync(at, AnyTool, cancel, Samples.TwoCities).ConfigureAwait(false)).DemandCalls(2, Samples.Tool, Samples.Argument), "tool_use"), optional: true),
        Of("tools-turn", "Results of two parallel calls, one of them an error, go back in one turn.", (at, cancel) =>
            ConverseAsync(at, $$"""{"tools":{{Samples.MessagesTools}},""", """
            {"role":"user","content":"Weather in Paris and Oslo?"},
            {"role":"assistant","content":[{"type":"tool_use","id":"toolu_a","name":"get_weather","input":{"city":"Paris"}},
              {"type":"tool_use","id":"toolu_b","name":"get_weather","input":{"city":"Oslo"}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_a","content":[{"type":"text","text":"21 degrees"}]},
              {"type":"tool_result","tool_use_id":"toolu_b","is_error":true,"content":"no such city"},{"type":"text","text":"Do not call the tool again."}]}
            """, cancel)),
        Of("tools-none", "tool_choice none calls nothing.", async (at, cancel) =>
            Expect.That((await WholeAsync(at, $$$"""{"tools":{{{Samples.MessagesTools}}},"tool_choice":{"type":"none"},""", cancel).ConfigureAwait(false)).Calls.Count == 0, "a tool is called")),
        Of("image", "An image in base64 is taken.", (at, cancel) => ConverseAsync(at, "{", $$$"""
            {"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"{{{Samples.Png}}}"}},{"type":"text","text":"What colour?"}]}
            """, cancel), optional: true),
        Of("image-in-result", "An image in a tool result is taken.", (at, cancel) => ConverseAsync(at, $$"""{"tools":{{Samples.MessagesTools}},""", $$$"""
            {"role":"user","content":"Weather in Paris?"},
            {"role":"assistant","content":[{"type":"tool_use","id":"toolu_a","name":"get_weather","input":{"city":"Paris"}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_a","content":[
              {"type":"image","source":{"type":"base64","media_type":"image/png","data":"{{{Samples.Png}}}"}}]}]}
            """, cancel), optional: true),
        Of("thinking", "Thinking comes as a block with a signature and is taken back in the next turn, streamed.", ThinkingAsync, optional: true),
        Of("cache-control", "cache_control is taken on system, tools and messages.", (at, cancel) => ConverseAsync(at, $$$"""
            {"system":[{"type":"text","text":"You are brief.","cache_control":{"type":"ephemeral"}}],"tools":{{{Samples.MessagesTools}}},
            """, """{"role":"user","content":[{"type":"text","text":"Do not call a tool. Hello","cache_control":{"type":"ephemeral"}}]}""", cancel), optional: true),
        Of("count-tokens", "count_tokens counts.", CountAsync, optional: true),
        Of("parallel", ParallelCheck.Requirement, (at, cancel) => ParallelCheck.RunAsync(text => WholeAsync(at, "{", cancel, text: text))),
    ];

    private static Check Of(string name, string requirement, Func<Subject, CancellationToken, Task> run, bool optional = false) =>
        new(Surface.Messages.Name, name, requirement, run) { IsOptional = optional };

    private static string Body(Subject at, string head, string messages, int maxTokens = 256) =>
        string.Create(CultureInfo.InvariantCulture, $"{head}\"model\":{Json.Quote(at.Model)},\"max_tokens\":{maxTokens},\"messages\":[{messages}]}}");

    private static string Asked(string text) => $$"""{"role":"user","content":{{Json.Quote(text)}}}""";

    private static async Task<Answer> WholeAsync(Subject at, string head, CancellationToken cancellation, int maxTokens = 256, string text = Surface.Hello) =>
        MessagesAnswers.ReadWhole(await at.PostAsync(Surface.Messages, Body(at, head, Asked(text), maxTokens), cancellation).ConfigureAwait(false));

    private static async Task<Answer> StreamAsync(Subject at, string head, CancellationToken cancellation, string text = Surface.Hello) =>
        MessagesAnswers.ReadStream(await at.PostAsync(Surface.Messages, Body(at, head + "\"stream\":true,", Asked(text)), cancellation).ConfigureAwait(false));

    private static async Task ConverseAsync(Subject at, string head, string messages, CancellationToken cancellation) =>
        MessagesAnswers.ReadWhole(await at.PostAsync(Surface.Messages, Body(at, head, messages), cancellation).ConfigureAwait(false)).DemandText();

    private static async Task ThinkingAsync(Subject at, CancellationToken cancellation)
    {
        string first = Body(at, Thinking + "\"stream\":true,", Asked("What is 27 times 453?"), maxTokens: 4096);
        Answer answer = MessagesAnswers.ReadStream(await at.PostAsync(Surface.Messages, first, cancellation).ConfigureAwait(false)).DemandText();
        if (!answer.HasThinking)
        {
            throw new RefusedException("the model answers without showing its thinking");
        }

        Expect.That(answer.Thinking is not null, "the thinking block has no signature");
        string turns = $$"""
            {{Asked("What is 27 times 453?")}},
            {"role":"assistant","content":[{{answer.Thinking}},{"type":"text","text":{{Json.Quote(answer.Text.ToString())}}}]},
            {{Asked("And plus one?")}}
            """;
        string second = Body(at, Thinking, turns, maxTokens: 4096);
        MessagesAnswers.ReadWhole(await at.PostAsync(Surface.Messages, second, cancellation).ConfigureAwait(false)).DemandText();
    }

    private static async Task CountAsync(Subject at, CancellationToken cancellation)
    {
        byte[] body = Encoding.UTF8.GetBytes($$"""{"model":{{Json.Quote(at.Model)}},"messages":[{{Asked(Surface.Hello)}}]}""");
        Reply reply = await at.SendAsync(HttpMethod.Post, "/v1/messages/count_tokens", new Call(Surface.Messages, body), cancellation).ConfigureAwait(false);
        using JsonDocument document = Json.Parse(reply.DemandOffered().Demand(stream: false).Text, "the count");
        Expect.That(Expect.Count(document.RootElement, "input_tokens", "the count") > 0, "nothing is counted");
    }

    private static void Finished(Answer answer, string wanted) => Expect.Any(answer.Finish, "the stop reason", wanted);
}
