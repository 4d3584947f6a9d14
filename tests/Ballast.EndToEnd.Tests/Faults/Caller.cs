using System.Text;
using System.Text.Json;

namespace Ballast.EndToEnd.Tests.Faults;

/// <summary>A client of one protocol.</summary>
internal sealed record Caller(string Name, string Path, string More)
{
    /// <summary>What every healthy platform answers to <see cref="Prompt"/>.</summary>
    public const string Answer = "The tide comes in twice a day, and twice a day it leaves the harbour to the gulls and the mud.";
    public const string Prompt = $"Reply with exactly \"{Answer}\"";

    public static readonly Caller OpenAI = new("openai-chat", "/v1/chat/completions", """ "stream_options":{"include_usage":true}, """);
    public static readonly Caller Anthropic = new("anthropic-messages", "/v1/messages", """ "max_tokens":4000, """);
    public static readonly Caller[] All = [OpenAI, Anthropic];

    public bool IsAnthropic => this == Anthropic;

    public string Body(string model, bool stream, string prompt = Prompt) =>
        $$"""{"model":{{JsonSerializer.Serialize(model)}},{{(stream || IsAnthropic ? More : "")}}"stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":{{JsonSerializer.Serialize(prompt)}}}]}""";

    public HttpRequestMessage NewRequest(string model, bool stream, string prompt = Prompt)
    {
        HttpRequestMessage request = new(HttpMethod.Post, Path) { Content = new StringContent(Body(model, stream, prompt), Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation(IsAnthropic ? "x-api-key" : "authorization", (IsAnthropic ? "" : "Bearer ") + FaultSetup.Key);
        if (IsAnthropic)
        {
            request.Headers.Add("anthropic-version", "2023-06-01");
        }

        return request;
    }

    /// <summary>The same request as bytes for a raw socket.</summary>
    public string Raw(string model, bool stream, string prompt = Prompt, string headers = "")
    {
        string body = Body(model, stream, prompt);
        string key = IsAnthropic ? $"x-api-key: {FaultSetup.Key}\r\nanthropic-version: 2023-06-01" : $"authorization: Bearer {FaultSetup.Key}";
        return $"POST {Path} HTTP/1.1\r\nhost: gateway\r\n{key}\r\ncontent-type: application/json\r\ncontent-length: {Encoding.UTF8.GetByteCount(body)}\r\n{headers}\r\n{body}";
    }
}

/// <summary>What a client got: read strictly by its own protocol, or a test fails.</summary>
internal sealed class ClientAnswer
{
    /// <summary>An answer that does not end is a failure, not a test that hangs.</summary>
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(30);

    public required int Status { get; init; }
    public required IReadOnlyDictionary<string, string> Headers { get; init; }
    public required string Body { get; init; }

    /// <summary>The answer came to its end as the protocol has it, and nothing followed.</summary>
    public bool IsComplete { get; set; }
    public StringBuilder Text { get; } = new();
    public string? Finish { get; set; }
    public string? ErrorType { get; set; }
    public string? ErrorCode { get; set; }
    public string? ErrorMessage { get; set; }
    public string? ErrorId { get; set; }

    public string Id => Headers["x-ballast-request-id"];
    public string? Attempts => Headers.GetValueOrDefault("x-ballast-attempts");
    public bool IsError => ErrorType is not null;

    public static async Task<ClientAnswer> SendAsync(HttpClient http, Caller caller, bool stream, HttpRequestMessage request)
    {
        using CancellationTokenSource timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(EndsWithin);
        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token);
        return await ReadAsync(caller, stream, response, timeout.Token);
    }

    private static async Task<ClientAnswer> ReadAsync(Caller caller, bool stream, HttpResponseMessage response, CancellationToken cancellation)
    {
        ClientAnswer answer = new()
        {
            Status = (int)response.StatusCode,
            Headers = response.Headers.Concat(response.Content.Headers).ToDictionary(
                header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase),
            Body = await response.Content.ReadAsStringAsync(cancellation),
        };
        StrictReader.Read(caller, stream, answer);
        return answer;
    }

    public override string ToString() => $"{Status} {string.Join(' ', Headers.Select(header => $"{header.Key}={header.Value}"))}\n{Body}";
}
