using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Ballast.Cli.Demo;

/// <summary>The HTTP client of the sample applications: sends a request once, never again, and judges what comes back.</summary>
internal sealed class DemoClient(Uri gateway, DemoTally tally, TimeProvider time) : IDisposable
{
    private const int ConnectionsMax = 256;

    /// <summary>An answer that takes longer is given up and counted as failed.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(90);

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        MaxConnectionsPerServer = ConnectionsMax,
    })
    {
        BaseAddress = gateway,
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public async Task<DemoAnswer> SendAsync(DemoRequest request, CancellationToken cancellation)
    {
        DemoAnswer answer = new();
        using CancellationTokenSource timeout = new(AnswerTimeout, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        tally.Begin();
        try
        {
            using HttpRequestMessage message = Build(request);
            using HttpResponseMessage response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            await ReadAsync(request, response, answer, either.Token).ConfigureAwait(false);
            Judge(request, answer);
        }
        catch (MalformedAnswerException malformed)
        {
            answer.Reason = malformed.Message;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            answer.Reason = "the connection broke: " + exception.Message;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            answer.Reason = string.Create(CultureInfo.InvariantCulture, $"no whole answer within {AnswerTimeout.TotalSeconds} s");
        }

        tally.End(request, answer);
        return answer;
    }

    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage Build(DemoRequest request)
    {
        HttpRequestMessage message = new(HttpMethod.Post, request.Path) { Content = new ReadOnlyMemoryContent(request.Body) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (request.Protocol == CallerProtocol.OpenAI)
        {
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", request.Key);
        }
        else
        {
            message.Headers.Add("x-api-key", request.Key);
        }

        foreach ((string name, string value) in request.Headers)
        {
            message.Headers.TryAddWithoutValidation(name, value);
        }

        return message;
    }

    private static async Task ReadAsync(DemoRequest request, HttpResponseMessage response, DemoAnswer answer, CancellationToken cancellation)
    {
        answer.Status = (int)response.StatusCode;
        answer.Deployment = Header(response, "x-ballast-deployment");
        answer.Attempts = int.TryParse(Header(response, "x-ballast-attempts"), CultureInfo.InvariantCulture, out int attempts) ? attempts : 0;
        bool isSuccess = response.IsSuccessStatusCode;
        string expected = isSuccess && request.Stream ? "text/event-stream" : "application/json";
        string? type = response.Content.Headers.ContentType?.MediaType;
        if (type != expected)
        {
            throw new MalformedAnswerException($"status {answer.Status} with content type '{type}', expected '{expected}'");
        }

        if (isSuccess && request.Stream)
        {
            using Stream stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            await ReadStreamAsync(request, stream, answer, cancellation).ConfigureAwait(false);
            return;
        }

        string body = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
        bool isOpenAI = request.Protocol == CallerProtocol.OpenAI;
        if (!isSuccess)
        {
            answer.Error = isOpenAI ? OpenAIAnswer.ReadError(body) : AnthropicAnswer.ReadError(body);
        }
        else if (isOpenAI)
        {
            OpenAIAnswer.ReadWhole(body, answer);
        }
        else
        {
            AnthropicAnswer.ReadWhole(body, answer);
        }
    }

    private static async Task ReadStreamAsync(DemoRequest request, Stream stream, DemoAnswer answer, CancellationToken cancellation)
    {
        using StreamReader reader = new(stream);
        string? name = null;
        string? data = null;
        while (await reader.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
        {
            if (line.StartsWith("event:", StringComparison.Ordinal))
            {
                name = line["event:".Length..].Trim();
            }
            else if (line.StartsWith("data:", StringComparison.Ordinal))
            {
                string more = line["data:".Length..].TrimStart(' ');
                data = data is null ? more : $"{data}\n{more}";
            }
            else if (line.Length == 0 && data is not null)
            {
                if (request.Protocol == CallerProtocol.OpenAI)
                {
                    OpenAIAnswer.ReadEvent(data, answer);
                }
                else
                {
                    AnthropicAnswer.ReadEvent(name, data, answer);
                }

                (name, data) = (null, null);
            }
        }
    }

    private static void Judge(DemoRequest request, DemoAnswer answer)
    {
        if (answer.IsComplete)
        {
            CheckWanted(request.Wanted, answer);
            answer.Verdict = Verdict.Succeeded;
            return;
        }

        if (answer.Error is not { } error)
        {
            throw new MalformedAnswerException("the stream ends without its last event and without an error");
        }

        answer.Reason = $"status {answer.Status}: {error}";
        // Only the platform that the story takes away may cut an answer: an error after content from any other is a failure.
        bool isVanished = answer.Deployment?.StartsWith(DemoStory.Platform + "/", StringComparison.Ordinal) == true;
        answer.Verdict = answer.Status == 200 && answer.HasContent && isVanished ? Verdict.Interrupted
            : request.WasRefused ? Verdict.Succeeded
            : Verdict.Failed;
    }

    private static void CheckWanted(Wanted wanted, DemoAnswer answer)
    {
        if (answer.Finish is "length" or "max_tokens")
        {
            return; // cut off as the request wanted it: JSON may end in the middle
        }

        switch (wanted)
        {
            case Wanted.Text when answer.Text.Length == 0:
                throw new MalformedAnswerException("the answer holds no text");
            case Wanted.ToolCall when answer.Calls.Count == 0:
                throw new MalformedAnswerException("the answer calls no tool");
            case Wanted.Json:
                using (AnswerJson.Parse(answer.Text.ToString(), "the structured answer"))
                {
                    break;
                }
        }

        foreach (CalledTool call in answer.Calls.Where(call => call.Arguments.Length > 0))
        {
            using JsonDocument arguments = AnswerJson.Parse(call.Arguments.ToString(), $"the arguments of {call.Name}");
        }
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;
}
