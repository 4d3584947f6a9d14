namespace Ballast.Cli.Demo;

/// <summary>Reviews changes of code in a build: OpenAI's protocol, whole answers that must fit a JSON schema. Every fourth goes to Claude by name, every sixth to Llama.</summary>
internal sealed class CodeAssistant(string key, int seed) : SampleApplication("code-assistant", key, seed)
{
    private const int AnswerTokensMax = 400;
    private const string SchemaJson = """
        {"type":"json_schema","json_schema":{"name":"review","strict":true,"schema":{"type":"object","properties":{
        "summary":{"type":"string"},"severity":{"type":"string","enum":["none","minor","major"]},"approve":{"type":"boolean"}},
        "required":["summary","severity","approve"],"additionalProperties":false}}}
        """;

    private static readonly string[] Changes =
    [
        "- if (count > 0) return items[count];\n+ if (count > 0) return items[count - 1];",
        "- catch (IOException) { }\n+ catch (IOException failure) { log.Failed(failure); throw; }",
        "- await Task.WhenAll(all);\n+ foreach (Task one in all) { await one; }",
        "- var key = Environment.GetEnvironmentVariable(\"KEY\");\n+ var key = \"hunter2\";",
    ];

    public override async Task ConverseAsync(DemoClient client, int number, CancellationToken cancellation)
    {
        string model = number % 4 == 3 ? "claude" : number % 6 == 4 ? "llama" : number % 10 == 1 ? "gemini" : "assistant";
        ReadOnlyMemory<byte> body = Json(json =>
        {
            json.WriteString("model", model);
            json.WriteNumber("max_completion_tokens", AnswerTokensMax);
            json.WriteStartArray("messages");
            WriteMessage(json, "system", "You review changes of code. Answer in the form that is asked for.");
            WriteMessage(json, "user", $"Review this change:\n{Pick(Changes)}");
            json.WriteEndArray();
            json.WritePropertyName("response_format");
            json.WriteRawValue(SchemaJson);
        });
        DemoRequest request = new()
        {
            App = $"{Name} ({model})",
            Key = Key,
            Protocol = CallerProtocol.OpenAI,
            Stream = false,
            Body = body,
            Wanted = Wanted.Json,
        };
        await client.SendAsync(request, cancellation).ConfigureAwait(false);
    }
}
