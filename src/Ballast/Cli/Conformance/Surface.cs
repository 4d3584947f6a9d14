using System.Net.Http.Headers;
using System.Text.Json;

namespace Ballast.Cli.Conformance;

/// <summary>A protocol as its callers see it: paths, key, the smallest request, the shape of errors.</summary>
/// <param name="name">What <c>--surface</c> calls it.</param>
internal abstract class Surface(string name)
{
    /// <summary>What a request asks where it does not matter what.</summary>
    public const string Hello = "Say hello in one short sentence.";

    public static Surface Chat { get; } = new ChatSurface();
    public static Surface Messages { get; } = new MessagesSurface();
    public static Surface Responses { get; } = new ResponsesSurface();
    public static Surface Gemini { get; } = new GeminiSurface();
    public static Surface Bedrock { get; } = new BedrockSurface();

    public static IReadOnlyList<Surface> All { get; } = [Chat, Messages, Responses, Gemini, Bedrock];

    public string Name => name;

    /// <summary>What it must do when it answers; the errors come on top.</summary>
    public abstract IEnumerable<Check> Checks { get; }

    /// <summary>The header in which answers and errors carry their id; null where the protocol has none.</summary>
    public abstract string? RequestIdHeader { get; }

    /// <summary>Where models are listed, and below which each is described; null where the protocol has no such list.</summary>
    public virtual string? ModelsPath => "/v1/models";

    /// <summary>The media type of its streams.</summary>
    public virtual string StreamType => "text/event-stream";

    /// <summary>A path of this protocol's that nothing is served at.</summary>
    public virtual string UnknownPathOf(string model) => "/v1/no/such/path";

    /// <summary>A conversation of the wrong type, as raw JSON.</summary>
    public virtual string WrongTurns => "\"hello\"";

    /// <summary>Statuses of the refusal of a model that does not exist.</summary>
    public virtual int[] UnknownModelStatuses => [404];

    /// <summary>The path of a question to a model.</summary>
    public abstract string PathOf(string model, bool stream);

    /// <summary>A request's body.</summary>
    /// <param name="model">Named in the body by the protocols that do not name it in the path.</param>
    /// <param name="turns">The conversation as raw JSON; null leaves it out.</param>
    /// <param name="more">Further fields, each with a comma behind it.</param>
    /// <param name="stream">Said in the body by the protocols that do not say it in the path.</param>
    /// <param name="maxTokens">Most tokens of the answer.</param>
    public abstract string Body(string model, string? turns, string more = "", bool stream = false, int maxTokens = 256);

    /// <summary>One message of plain text as raw JSON.</summary>
    public abstract string Turn(string text, string role = "user");

    /// <summary>Presents a key as this protocol's SDKs do; an empty one presents none.</summary>
    public abstract void SetKey(HttpRequestHeaders headers, string key);

    /// <summary>Holds an error to the protocol's shape and gives its message.</summary>
    /// <exception cref="NonconformanceException">It has another shape.</exception>
    public string ReadError(Reply reply)
    {
        Expect.That(reply.MediaType == "application/json", $"an error comes as '{reply.MediaType}', not as JSON");
        using JsonDocument document = Json.Parse(reply.Text, "the error");
        string message = ReadError(reply, document.RootElement);
        Expect.That(message.Length > 0, "the error says nothing");
        return message;
    }

    protected abstract string ReadError(Reply reply, JsonElement root);

    /// <summary>Names the models of a list, each held to the protocol's shape.</summary>
    public abstract IEnumerable<string> ReadModels(JsonElement root);

    /// <summary>The name that a model's own description gives.</summary>
    public virtual string ReadModel(JsonElement root) => Expect.Text(root, "id", "the model");

    /// <summary>The smallest request that is answered with a text.</summary>
    public string Ask(string model, string more = "", string text = Hello, bool stream = false) => Body(model, $"[{Turn(text)}]", more, stream);

    public override string ToString() => Name;

    /// <summary>A key as <c>Authorization: Bearer</c>.</summary>
    protected static void SetBearer(HttpRequestHeaders headers, string key)
    {
        if (key.Length > 0)
        {
            headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
        }
    }

    /// <summary>OpenAI's error, which Chat Completions and Responses share.</summary>
    protected static string ReadOpenAIError(JsonElement root)
    {
        JsonElement error = Expect.Field(root, "error", JsonValueKind.Object, "the error");
        Expect.Text(error, "type", "the error");
        return Expect.Text(error, "message", "the error");
    }

    /// <summary>OpenAI's list of models.</summary>
    protected static IEnumerable<string> ReadOpenAIModels(JsonElement root)
    {
        foreach (JsonElement model in Expect.Field(root, "data", JsonValueKind.Array, "the list of models").EnumerateArray())
        {
            Expect.Text(model, "object", "model", "a model");
            yield return Expect.Text(model, "id", "a model");
        }
    }
}
