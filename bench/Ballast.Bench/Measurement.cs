using System.Diagnostics;
using System.Net.Http.Headers;

namespace Ballast.Bench;

/// <summary>
/// The rounds. In each, every scenario measures its candidates one right after the other, and every round begins with another one: whatever else the machine does
/// strikes all of them alike. Names of samples: <c>scenario.candidate</c>.
/// </summary>
public sealed class Measurement(Field field, BenchOptions options, Samples samples)
{
    public const string Direct = "direct";

    private const int IdleStreams = 1000;
    private const int PortkeyConnections = 16; // its better point: it gets slower with more
    private const int PromptBytes = 48_000;
    private const int StartsInARound = 3; // a start is short, and what disturbs it too

    private static readonly string[] WholeCandidates = [Candidate.Nginx, Candidate.Ballast, Candidate.Yarp, Candidate.Portkey];
    private static readonly string[] StreamCandidates = [Direct, Candidate.Nginx, Candidate.Ballast, Candidate.Yarp];
    private static readonly string[] Pair = [Candidate.Nginx, Candidate.Ballast];

    public async Task RunAsync(CancellationToken cancellation)
    {
        PrepareBodies();
        await WarmAsync(cancellation);
        for (int round = 0; round < options.Rounds; round++)
        {
            Console.Error.WriteLine($"bench: round {round + 1} of {options.Rounds} …");
            foreach (string name in InTurn(WholeCandidates, round))
            {
                await WholeAsync("json", name, "chat.json", cancellation);
            }

            foreach (string name in InTurn(WholeCandidates, round).Where(name => name != Candidate.Portkey))
            {
                await WholeAsync("prompt48k", name, "chat-48k.json", cancellation);
            }

            foreach (string name in InTurn(Pair, round))
            {
                await WholeAsync("tls", name, "chat-tls.json", cancellation);
            }

            foreach (string name in InTurn(StreamCandidates, round))
            {
                await StreamAsync("sse", name, "chat-stream.json", "/v1/chat/completions", cancellation);
            }

            await StreamAsync("to-openai", Candidate.Ballast, "messages-to-openai.json", "/v1/messages", cancellation);
            await StreamAsync("to-anthropic", Candidate.Ballast, "chat-to-anthropic.json", "/v1/chat/completions", cancellation);
        }

        await IdleAsync(cancellation);
        await StartAsync(cancellation);
    }

    /// <summary>Every kind of request once, at Ballast alone, so that its runtime counts what is run how often; it writes that down as it ends.</summary>
    public async Task CountAsync(CancellationToken cancellation)
    {
        PrepareBodies();
        await WholeAsync("json", Candidate.Ballast, "chat.json", cancellation);
        await WholeAsync("prompt48k", Candidate.Ballast, "chat-48k.json", cancellation);
        await WholeAsync("tls", Candidate.Ballast, "chat-tls.json", cancellation);
        await StreamAsync("sse", Candidate.Ballast, "chat-stream.json", "/v1/chat/completions", cancellation);
        await StreamAsync("to-openai", Candidate.Ballast, "messages-to-openai.json", "/v1/messages", cancellation);
        await StreamAsync("to-anthropic", Candidate.Ballast, "chat-to-anthropic.json", "/v1/chat/completions", cancellation);
        await field.Find(Candidate.Ballast)!.EndAsync(cancellation);
    }

    private static IEnumerable<string> InTurn(string[] names, int round) => names.Select((_, index) => names[(index + round) % names.Length]);

    private void PrepareBodies()
    {
        Write("chat.json", "chat.json", "routed/gpt-4o-mini");
        Write("chat-48k.json", "chat.json", "routed/gpt-4o-mini", PromptBytes);
        Write("chat-tls.json", "chat.json", "tls/gpt-4o-mini");
        Write("chat-stream.json", "chat-stream.json", "routed/sim-2000-100-10000");
        Write("chat-idle.json", "chat-stream.json", "routed/sim-0-600-2000000");
        Write("messages-to-openai.json", "messages-stream.json", "routed/sim-2000-100-10000");
        Write("chat-to-anthropic.json", "chat-stream.json", "messages/sim-2000-100-10000");
    }

    private void Write(string file, string template, string model, int more = 0)
    {
        const string sentence = " A paragraph of the contract follows, as long as contracts are, with names and figures in it.";
        string text = string.Concat(Enumerable.Repeat(sentence, more / sentence.Length));
        File.WriteAllText(Path.Combine(options.Scratch, file), File.ReadAllText(Path.Combine(options.Files, "load", template))
            .Replace("@MODEL@", model, StringComparison.Ordinal)
            .Replace("@MORE@", text, StringComparison.Ordinal));
    }

    /// <summary>Programs compiled while they run are measured warm.</summary>
    private async Task WarmAsync(CancellationToken cancellation)
    {
        foreach (string name in WholeCandidates)
        {
            if (field.Find(name) is { } process)
            {
                await LoadResult.RunAsync(options, Whole(process, "chat.json", process.Port) with { Seconds = options.Quick ? 1 : 4 }, $"warming {name}", cancellation);
            }
        }
    }

    private LoadRequest Whole(PinnedProcess process, string body, int port) => new()
    {
        Port = port,
        ProcessId = process.Id,
        Body = body,
        Headers = Candidate.Headers(process.Name, field),
        Connections = process.Name == Candidate.Portkey || body == "chat-48k.json" ? PortkeyConnections : 64,
        Seconds = options.Seconds,
        WarmSeconds = options.WarmSeconds,
    };

    private async Task WholeAsync(string scenario, string name, string body, CancellationToken cancellation)
    {
        if (field.Find(name) is not { } process)
        {
            return;
        }

        int port = scenario == "tls" && name == Candidate.Nginx ? field.NginxTlsPort : process.Port;
        LoadResult result = await LoadResult.RunAsync(options, Whole(process, body, port), $"{scenario} of {name}", cancellation);
        samples.Add($"{scenario}.{name}", result.CpuUsPerRequest);
        samples.Add($"{scenario}-per-core.{name}", result.RequestsPerCpuSecond);
    }

    /// <summary>200 streams of 100 events a second each: 20,000 chunks a second.</summary>
    private async Task StreamAsync(string scenario, string name, string body, string path, CancellationToken cancellation)
    {
        PinnedProcess? process = name == Direct ? field.Platform : field.Find(name);
        if (process is null)
        {
            return;
        }

        LoadResult result = await LoadResult.RunAsync(options, new LoadRequest
        {
            Port = process.Port,
            ProcessId = process.Id,
            Path = path,
            Body = body,
            Headers = [$"Authorization: Bearer {Field.ClientKey}"],
            Connections = 200,
            IsStream = true,
            Seconds = options.Seconds,
            WarmSeconds = options.WarmSeconds + 0.5,
        }, $"{scenario} of {name}", cancellation);
        samples.Add($"{scenario}.{name}", result.CpuUsPerChunk);
        samples.Add($"{scenario}-ttft.{name}", result.TtftUs);
        samples.Add($"{scenario}-delay.{name}", result.DelayUs);
        if (name != Direct && samples.Median($"{scenario}-ttft.{Direct}") is { } direct)
        {
            samples.Add($"{scenario}-added-ttft.{name}", Math.Max(1, result.TtftUs - direct));
        }
    }

    /// <summary>Resident memory of a fresh process that carries 1,000 open streams, one event in two seconds each.</summary>
    private async Task IdleAsync(CancellationToken cancellation)
    {
        foreach (string name in new[] { Candidate.Nginx, Candidate.Ballast, Candidate.Yarp })
        {
            if (field.Find(name) is not { } old)
            {
                continue;
            }

            field.Stop(old);
            await field.RunAsync(name, cancellation);
            PinnedProcess process = field.Find(name)!;
            LoadResult result = await LoadResult.RunAsync(options, new LoadRequest
            {
                Port = process.Port,
                ProcessId = process.Id,
                Body = "chat-idle.json",
                Headers = Candidate.Headers(name, field),
                Connections = IdleStreams,
                IsStream = true,
                Seconds = 4,
                WarmSeconds = 3,
            }, $"idle streams of {name}", cancellation);
            samples.Add($"resident.{name}", result.ResidentMb);
        }
    }

    /// <summary>From starting the process to the whole first answer through it.</summary>
    private async Task StartAsync(CancellationToken cancellation)
    {
        using HttpClient client = new(new SocketsHttpHandler { UseProxy = false });
        byte[] body = await File.ReadAllBytesAsync(Path.Combine(options.Scratch, "chat.json"), cancellation);
        string[] names = [.. WholeCandidates.Where(name => field.Find(name) is not null)];
        foreach (string name in names)
        {
            field.Stop(field.Find(name)!);
        }

        field.Ledger = "starts";
        for (int round = 0; round < options.Rounds * StartsInARound; round++)
        {
            foreach (string name in InTurn(names, round))
            {
                long start = Stopwatch.GetTimestamp();
                PinnedProcess process = field.Launch(name)!;
                await AnswerAsync(client, process, body, cancellation);
                samples.Add($"start.{name}", Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                field.Stop(process);
            }
        }
    }

    /// <summary>One request and its whole answer. A program may take connections before it serves: what is refused or reset is tried again.</summary>
    private async Task AnswerAsync(HttpClient client, PinnedProcess process, byte[] body, CancellationToken cancellation)
    {
        while (true)
        {
            await process.ListensAsync(cancellation);
            using HttpRequestMessage request = new(HttpMethod.Post, $"http://127.0.0.1:{process.Port}/v1/chat/completions") { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            foreach (string header in Candidate.Headers(process.Name, field))
            {
                string[] parts = header.Split(": ", 2);
                request.Headers.TryAddWithoutValidation(parts[0], parts[1]);
            }

            try
            {
                using HttpResponseMessage response = await client.SendAsync(request, cancellation);
                response.EnsureSuccessStatusCode();
                return;
            }
            catch (HttpRequestException failure) when (failure.StatusCode is null)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, cancellation);
            }
        }
    }
}
