using System.Text.Json;

namespace Ballast.Cli.Demo;

/// <summary>Answers customers: OpenAI's protocol, streamed; every third conversation looks an order up with a tool and answers with what the tool said.</summary>
internal sealed class SupportChat(string key, int seed) : SampleApplication("support-chat", key, seed)
{
    private const string System = "You are the support assistant of a shop for bicycles. Be brief and friendly.";
    private const int AnswerTokensMax = 160;
    private const string ToolJson = """
        [{"type":"function","function":{"name":"find_order","description":"Finds an order by its number.",
        "parameters":{"type":"object","properties":{"order_number":{"type":"string"},"include_items":{"type":"boolean"}},
        "required":["order_number","include_items"],"additionalProperties":false},"strict":true}}]
        """;

    private static readonly string[] Questions =
    [
        "My brakes squeak after the first rain. What can I do before the weekend?",
        "Which lock do you recommend for a bicycle that stands in the street over night?",
        "Can I send a helmet back that I wore once? It is too small.",
        "How often should I oil the chain when I ride ten kilometres a day?",
        "Do you deliver to Gothenburg, and how long does it take?",
        "What tyre pressure is right for a city bicycle with 42 mm tyres?",
    ];

    public override async Task ConverseAsync(DemoClient client, int number, CancellationToken cancellation)
    {
        string model = number % 4 == 0 ? "assistant" : "chat";
        if (number % 3 != 2)
        {
            DemoRequest plain = Request(model, Json(json => WriteBody(json, model, messages => WriteMessage(messages, "user", Pick(Questions)), offerTool: false)));
            await client.SendAsync(plain with { Wanted = Wanted.Text }, cancellation).ConfigureAwait(false);
            return;
        }

        string question = $"Where is my order B-{48_000 + number}?";
        DemoRequest first = Request(model, Json(json => WriteBody(json, model, messages => WriteMessage(messages, "user", question), offerTool: true)));
        DemoAnswer call = await client.SendAsync(first with { Wanted = Wanted.ToolCall }, cancellation).ConfigureAwait(false);
        if (call.Verdict == Verdict.Succeeded)
        {
            DemoRequest second = Request(model, Json(json => WriteBody(json, model, messages => WriteLookUp(messages, question, call.Calls), offerTool: false)));
            await client.SendAsync(second with { Wanted = Wanted.Text }, cancellation).ConfigureAwait(false);
        }
    }

    private DemoRequest Request(string model, ReadOnlyMemory<byte> body) => new()
    {
        App = $"{Name} ({model})",
        Key = Key,
        Protocol = CallerProtocol.OpenAI,
        Stream = true,
        Body = body,
    };

    private static void WriteBody(Utf8JsonWriter json, string model, Action<Utf8JsonWriter> writeMessages, bool offerTool)
    {
        json.WriteString("model", model);
        json.WriteBoolean("stream", true);
        json.WriteNumber("max_completion_tokens", AnswerTokensMax);
        json.WriteStartArray("messages");
        WriteMessage(json, "system", System);
        writeMessages(json);
        json.WriteEndArray();
        if (offerTool)
        {
            json.WritePropertyName("tools");
            json.WriteRawValue(ToolJson);
            json.WriteString("tool_choice", "required");
            json.WriteBoolean("parallel_tool_calls", false);
        }
    }

    private static void WriteLookUp(Utf8JsonWriter json, string question, IReadOnlyList<CalledTool> calls)
    {
        WriteMessage(json, "user", question);
        json.WriteStartObject();
        json.WriteString("role", "assistant");
        json.WriteNull("content");
        json.WriteStartArray("tool_calls");
        foreach (CalledTool call in calls)
        {
            json.WriteStartObject();
            json.WriteString("id", call.Id);
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", call.Name);
            json.WriteString("arguments", call.Arguments.ToString());
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        foreach (CalledTool call in calls)
        {
            json.WriteStartObject();
            json.WriteString("role", "tool");
            json.WriteString("tool_call_id", call.Id);
            json.WriteString("content", """{"status":"on its way","carrier":"PostNord","arrives":"Thursday"}""");
            json.WriteEndObject();
        }
    }
}
