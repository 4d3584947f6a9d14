using System.Text;
using System.Text.Json;
using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Gateway;

/// <summary>Every surface times every kind of refusal: in the caller's own protocol, with a code for programs, a hint for people and the id that the log knows.</summary>
public sealed class ErrorFormTests(GatewayFixture gateways)
{
    private const string Form = "multipart/form-data; boundary=edge";
    private const string Claude = "anthropic/claude-haiku-4-5";
    private const string Gpt = "openai/gpt-5-mini";

    /// <summary>A path (MODEL stands for the model's name), whose form errors have there, and a body that is taken (MODEL likewise).</summary>
    private sealed record Surface(string Name, string Protocol, string Path, string Model, string Body, string ContentType = "application/json")
    {
        public bool NamesModelInPath => Path.Contains("MODEL", StringComparison.Ordinal);
        public bool IsForm => ContentType != "application/json";
        public bool IsChat { get; init; }
    }

    private static readonly Surface[] s_surfaces =
    [
        Chat("chat", "openai", "/v1/chat/completions", Gpt, """{"model":"MODEL","messages":[{"role":"user","content":"Hi"}]}"""),
        Chat("azure", "openai", "/openai/deployments/MODEL/chat/completions?api-version=2025-04-01-preview", Gpt, """{"messages":[{"role":"user","content":"Hi"}]}"""),
        Chat("responses", "openai", "/v1/responses", Claude, """{"model":"MODEL","input":"Hi"}"""),
        new("input_tokens", "openai", "/v1/responses/input_tokens", Gpt, """{"model":"MODEL","input":"Hi"}"""),
        Chat("messages", "anthropic", "/v1/messages", Claude, """{"model":"MODEL","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}"""),
        new("count_tokens", "anthropic", "/v1/messages/count_tokens", Claude, """{"model":"MODEL","messages":[{"role":"user","content":"Hi"}]}"""),
        Chat("foundry", "anthropic", "/anthropic/v1/messages", Claude, """{"model":"MODEL","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}"""),
        Chat("claude on vertex", "anthropic", "/v1/projects/p/locations/l/publishers/anthropic/models/MODEL:rawPredict", Claude,
            """{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}"""),
        Chat("gemini", "gemini", "/v1beta/models/MODEL:generateContent", Claude, """{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"""),
        Chat("gemini stream", "gemini", "/v1beta/models/MODEL:streamGenerateContent?alt=sse", Claude, """{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"""),
        Chat("gemini array", "gemini", "/v1beta/models/MODEL:streamGenerateContent", Claude, """{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"""),
        new("countTokens", "gemini", "/v1beta/models/MODEL:countTokens", Claude, """{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"""),
        new("embedContent", "gemini", "/v1beta/models/MODEL:embedContent", "gemini/gemini-embedding-2", """{"content":{"parts":[{"text":"Hi"}]}}"""),
        Chat("gemini on vertex", "gemini", "/v1/projects/p/locations/l/publishers/google/models/MODEL:generateContent", Claude, """{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"""),
        Chat("converse", "bedrock", "/model/MODEL/converse", Claude, """{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}"""),
        Chat("converse-stream", "bedrock", "/model/MODEL/converse-stream", Claude, """{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}"""),
        Chat("invoke", "bedrock", "/model/MODEL/invoke", Claude, """{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}"""),
        Chat("ollama", "ollama", "/api/chat", Gpt, """{"model":"MODEL","messages":[{"role":"user","content":"Hi"}]}"""),
        Chat("cohere", "cohere", "/v2/chat", Gpt, """{"model":"MODEL","messages":[{"role":"user","content":"Hi"}]}"""),
        new("cohere embed", "cohere", "/v2/embed", "cohere/embed-v4.0", """{"model":"MODEL","texts":["Hi"],"input_type":"search_query","embedding_types":["float"]}"""),
        new("cohere rerank", "cohere", "/v2/rerank", "cohere/rerank-v3.5", """{"model":"MODEL","query":"Hi","documents":["a","b"]}"""),
        new("rerank", "openai", "/v1/rerank", "cohere/rerank-v3.5", """{"model":"MODEL","query":"Hi","documents":["a","b"]}"""),
        new("embeddings", "openai", "/v1/embeddings", "openai/text-embedding-3-small", """{"model":"MODEL","input":"Hi"}"""),
        new("images", "openai", "/v1/images/generations", Gpt, """{"model":"MODEL","prompt":"Hi"}"""),
        new("completions", "openai", "/v1/completions", Gpt, """{"model":"MODEL","prompt":"Hi"}"""),
        new("moderations", "openai", "/v1/moderations", Gpt, """{"model":"MODEL","input":"Hi"}"""),
        new("transcriptions", "openai", "/v1/audio/transcriptions", Gpt, FormOf(("model", "MODEL"), ("file", "RIFF")), Form),
        new("files", "openai", "/v1/files", Gpt, FormOf(("purpose", "batch"), ("file", """{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"MODEL"}}""")), Form),
        new("batches", "openai", "/v1/batches", Gpt, """{"input_file_id":"file-0","endpoint":"/v1/chat/completions","completion_window":"24h"}"""),
        new("conversations", "openai", "/v1/conversations", Gpt, """{"items":[]}"""),
    ];

    private static readonly (string Name, Func<Surface, bool> Applies, Func<Surface, Request> Make, int[] Statuses)[] s_kinds =
    [
        ("no key", static _ => true, static at => Ask(at) with { Key = null }, [401, 403]),
        ("a wrong key", static _ => true, static at => Ask(at) with { Key = "a-key-that-nobody-gave" }, [401, 403]),
        ("two keys", static _ => true, static at => Ask(at) with { HasOtherKey = true }, [400]),
        ("no JSON", static at => !at.IsForm, static at => Ask(at, "Hello"), [400]),
        ("half", static at => !at.IsForm, static at => Ask(at, at.Body[..^1]), [400]),
        ("a list", static at => !at.IsForm, static at => Ask(at, $"[{at.Body}]"), [400]),
        ("nothing", static at => at.Name != "conversations", static at => Ask(at, ""), [400]),
        ("no text", static at => !at.IsForm, static at => Ask(at) with { Body = [.. Encoding.UTF8.GetBytes(at.Body[..^1] + ",\"x\":\""), 0xFF, .. "\"}"u8] }, [400]),
        ("too deep", static at => !at.IsForm, static at => Ask(at, $"{at.Body[..^1]},\"x\":{new string('[', 200)}{new string(']', 200)}}}"), [400]),
        ("a wrong type", static at => at.IsChat, static at => Ask(at, at.Body[..WhereTurnsBegin(at.Body)] + "5}"), [400]),
        ("no such model", static at => at.Name is not ("batches" or "conversations"), static at => Ask(at with { Model = "no-such/model" }), [404]),
        ("no model", static at => !at.NamesModelInPath && at.Name is not ("batches" or "conversations" or "files" or "moderations"),
            static at => Ask(at, at.IsForm ? FormOf(("file", "RIFF")) : at.Body.Replace("\"model\":\"MODEL\",", "", StringComparison.Ordinal)), [400]),
        ("half a form", static at => at.IsForm, static at => Ask(at, at.Body[..(at.Body.Length / 3)]), [400]),
        ("too large", static _ => true, static at => Ask(at) with { Body = new byte[2 << 20] }, [413]),
        ("compressed", static _ => true, static at => Ask(at) with { Encoding = "gzip" }, [400]),
        ("a wrong method", static _ => true, static at => Ask(at) with { Method = HttpMethod.Patch }, [405]),
        ("a wrong path", static _ => true, static at => Ask(at with { Path = at.Path.Split('?')[0] + "/no/such/thing" }), [404, 405]),
        ("a platform that is gone", static at => at.IsChat, static at => Ask(at with { Model = "gone/claude-haiku-4-5" }), [502]),
        ("a platform that refuses", static at => at.IsChat, static at => Ask(at with { Model = "unauthorized/gpt-5-mini" }), [502]),
        ("what no platform of the model has", static at => at.Name is "images" or "completions" or "moderations" or "transcriptions" or "rerank" or "cohere rerank" or "embeddings" or "embedContent",
            static at => Ask(at with { Model = Claude }), [501, 400, 404]),
    ];

    public static TheoryData<string, string> Cases =>
        [.. from at in s_surfaces from kind in s_kinds where kind.Applies(at) select new TheoryDataRow<string, string>(at.Name, kind.Name)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Refusal_OfAnyKind_HasCodeHintAndIdInTheCallersProtocol(string surface, string kind)
    {
        Surface at = s_surfaces.Single(known => known.Name == surface);
        var (_, _, make, statuses) = s_kinds.Single(known => known.Name == kind);
        gateways.Fast.Server.Health.Reset(); // a platform that failed would rest, and not be asked again so soon
        GatewayAnswer answer = await SendAsync(at, make(at));
        string all = $"{answer.Status}\n{answer.AllHeaders}\n\n{answer.Body}";
        Assert.True(statuses.Contains(answer.Status), $"Expected {string.Join(" or ", statuses)}: {all}");
        Assert.Equal("application/json", answer.Header("content-type"));
        Assert.Matches("^req_[0-9a-f]{32}$", answer.Id);
        (string? code, string? message, string? id) = Read(at.Protocol, answer);
        Assert.True(id == answer.Id, $"The body names another request, '{id}': {all}");
        Assert.True(code is { Length: > 3 }, $"There is no code: {all}");
        Assert.True(message?.Contains(" Hint: ", StringComparison.Ordinal) == true, $"There is no hint: {all}");
        gateways.Fast.AssertNoSecretIn(all, "an answer");
        if (answer.Status == 405)
        {
            Assert.NotEmpty(answer.Header("allow")!);
        }
    }

    public static TheoryData<string> ChatSurfaces => [.. s_surfaces.Where(static at => at.IsChat).Select(static at => at.Name)];

    /// <summary>What the refused requests differ from is taken.</summary>
    [Theory]
    [MemberData(nameof(ChatSurfaces))]
    public async Task Request_ThatIsRight_IsAnswered(string surface)
    {
        Surface at = s_surfaces.Single(known => known.Name == surface);
        GatewayAnswer answer = await SendAsync(at, Ask(at));
        Assert.True(answer.Status == 200, answer.Body);
    }

    /// <summary>What each protocol's clients read, and where Ballast's own words stand beside it.</summary>
    private static (string? Code, string? Message, string? Id) Read(string protocol, GatewayAnswer answer)
    {
        JsonElement root = answer.Json;
        switch (protocol)
        {
            case "openai":
                JsonElement openai = root.GetProperty("error");
                Assert.True(openai.TryGetProperty("param", out _) && openai.GetProperty("type").GetString()!.Length > 0, answer.Body);
                Assert.Equal(answer.Id, answer.Header("x-request-id"));
                return (Text(openai, "code"), Text(openai, "message"), Text(openai, "request_id"));
            case "anthropic":
                JsonElement anthropic = root.GetProperty("error");
                Assert.Equal("error", root.GetProperty("type").GetString());
                Assert.NotEmpty(anthropic.GetProperty("type").GetString()!);
                Assert.Equal(answer.Id, answer.Header("request-id"));
                return (Text(anthropic, "code"), Text(anthropic, "message"), Text(root, "request_id"));
            case "gemini":
                JsonElement gemini = root.GetProperty("error");
                Assert.Equal(answer.Status, gemini.GetProperty("code").GetInt32());
                Assert.NotEmpty(gemini.GetProperty("status").GetString()!);
                JsonElement[] details = [.. gemini.GetProperty("details").EnumerateArray()];
                return (Detail(details, "ErrorInfo", "reason"), Text(gemini, "message"), Detail(details, "RequestInfo", "requestId"));
            case "bedrock":
                Assert.EndsWith("Exception", answer.Header("x-amzn-errortype"), StringComparison.Ordinal);
                Assert.Equal(answer.Header("x-amzn-errortype"), Text(root, "__type"));
                Assert.Equal(answer.Id, answer.Header("x-amzn-requestid"));
                return (Text(root, "reason"), Text(root, "message"), Text(root, "requestId"));
            case "ollama":
                return (Text(root, "code"), Text(root, "error"), Text(root, "request_id"));
            default:
                return (Text(root, "error_type"), Text(root, "message"), Text(root, "id"));
        }
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string? Detail(JsonElement[] details, string type, string name) => details
        .Where(detail => Text(detail, "@type")?.EndsWith("." + type, StringComparison.Ordinal) == true).Select(detail => Text(detail, name)).FirstOrDefault();

    private static Surface Chat(string name, string protocol, string path, string model, string body) => new(name, protocol, path, model, body) { IsChat = true };

    private static Request Ask(Surface at, string? body = null) => new(HttpMethod.Post, at.Path.Replace("MODEL", Uri.EscapeDataString(at.Model), StringComparison.Ordinal),
        Encoding.UTF8.GetBytes((body ?? at.Body).Replace("MODEL", at.Model, StringComparison.Ordinal)), at.ContentType) { Key = "" };

    private static int WhereTurnsBegin(string body) =>
        body.IndexOf("[{", StringComparison.Ordinal) is > 0 and var list ? list : body.IndexOf("\"Hi\"", StringComparison.Ordinal);

    private static string FormOf(params (string Name, string Value)[] fields) => string.Concat(fields.Select(static field =>
        $"--edge\r\nContent-Disposition: form-data; name=\"{field.Name}\"{(field.Name == "file" ? "; filename=\"a.jsonl\"" : "")}\r\n\r\n{field.Value}\r\n")) + "--edge--\r\n";

    private async Task<GatewayAnswer> SendAsync(Surface at, Request asked)
    {
        using HttpClient http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = gateways.Fast.Server.Address };
        using HttpRequestMessage request = new(asked.Method, asked.Path) { Content = new ByteArrayContent(asked.Body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", asked.ContentType);
        if (asked.Key is { } key)
        {
            string sent = key.Length > 0 ? key : gateways.Fast.KeyOf("raw");
            string header = at.Protocol switch { "anthropic" => "x-api-key", "gemini" => "x-goog-api-key", _ => "Authorization" };
            request.Headers.TryAddWithoutValidation(header, header == "Authorization" ? $"Bearer {sent}" : sent);
        }

        if (asked.HasOtherKey)
        {
            request.Headers.TryAddWithoutValidation("api-key", gateways.Fast.KeyOf("strict"));
        }

        if (asked.Encoding is { } encoding)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        }

        using HttpResponseMessage response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return await GatewayAnswer.ReadAsync(response);
    }

    /// <param name="Method">How.</param>
    /// <param name="Path">Where.</param>
    /// <param name="Body">What.</param>
    /// <param name="ContentType">As what.</param>
    private sealed record Request(HttpMethod Method, string Path, byte[] Body, string ContentType)
    {
        /// <summary>Null sends none, an empty one a good one.</summary>
        public string? Key { get; init; }
        public bool HasOtherKey { get; init; }
        public string? Encoding { get; init; }
    }
}
