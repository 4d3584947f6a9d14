namespace Ballast.Cli.Demo;

/// <summary>Reads contracts with a model that thinks first: Anthropic's protocol, streamed and whole. Its key allows data to be processed in the EU only.</summary>
internal sealed class ContractReview(string key, int seed) : SampleApplication("contract-review", key, seed)
{
    private const string System = "You review contracts for a procurement team. Name the risk, the clause and what to change, in three sentences.";

    /// <summary>The protocol wants room for at least this much thinking, and more than that for the answer.</summary>
    private const int ThinkingTokensMax = 1024;
    private const int AnswerTokensMax = 1400;

    private const int ClausesMax = 3;

    private static readonly string[] Clauses =
    [
        "The supplier may change prices with thirty days' notice, and the customer may not terminate before the end of the term.",
        "Customer data may be processed in any country in which the supplier or its subcontractors operate.",
        "The service credit is the customer's sole remedy for any interruption, whatever its cause or length.",
        "This agreement renews for twenty-four months unless terminated in writing one hundred and eighty days before its end.",
        "The supplier may suspend the service without notice where it believes that its policies have been breached.",
    ];

    public override async Task ConverseAsync(DemoClient client, int number, CancellationToken cancellation)
    {
        bool stream = number % 3 != 0;
        string clauses = string.Join(' ', Enumerable.Range(0, Roll(ClausesMax)).Select(_ => Pick(Clauses)));
        ReadOnlyMemory<byte> body = Json(json =>
        {
            json.WriteString("model", "assistant");
            json.WriteNumber("max_tokens", AnswerTokensMax);
            json.WriteBoolean("stream", stream);
            json.WriteStartObject("thinking");
            json.WriteString("type", "enabled");
            json.WriteNumber("budget_tokens", ThinkingTokensMax);
            json.WriteEndObject();
            json.WriteString("system", System);
            json.WriteStartArray("messages");
            WriteMessage(json, "user", $"Is this acceptable for us? \u201C{clauses}\u201D");
            json.WriteEndArray();
        });
        DemoRequest request = new()
        {
            App = Name,
            Key = Key,
            Protocol = CallerProtocol.Anthropic,
            Stream = stream,
            Body = body,
            Headers = [new("anthropic-version", "2023-06-01")],
            Wanted = Wanted.Text,
        };
        await client.SendAsync(request, cancellation).ConfigureAwait(false);
    }
}
