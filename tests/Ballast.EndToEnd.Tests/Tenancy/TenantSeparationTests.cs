using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Ballast.EndToEnd.Tests.Tenancy;

/// <summary>
/// Three tenants do what they like with files, batches, answers and conversations, at once and in no order, and try each other's handles all the time: nobody ever sees, changes or
/// goes on from what is another's, and nothing that one wrote reaches another.
/// </summary>
public sealed class TenantSeparationTests
{
    private const int Tenants = 3;
    private const int Workers = 4;

    /// <summary>A hundred thousand in the long tier.</summary>
    private static int Operations => Environment.GetEnvironmentVariable("BALLAST_LONG") is { Length: > 0 } ? 100_000 : 2000;

    private readonly ConcurrentDictionary<string, (int Owner, Kind Kind)> _owners = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _handles = [];
    private readonly ConcurrentQueue<string> _violations = [];
    private readonly string[] _keys = new string[Tenants];
    private TenantGateway _gateway = null!;
    private int _foreign;
    private int _own;

    private enum Kind
    {
        File,
        Batch,
        Answer,
        Conversation,
        MessageBatch,
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Handles_OfThreeTenantsInRandomUse_NeverServeAnother()
    {
        _gateway = await TenantGateway.StartAsync("");
        await using TenantGateway gateway = _gateway;
        for (int tenant = 0; tenant < Tenants; tenant++)
        {
            Assert.Equal(201, (await gateway.AdministerAsync("POST", "/admin/v1/apps", $$"""{"id":"tenant-{{tenant}}"}""")).Status);
            (int status, JsonElement made) = await gateway.AdministerAsync("POST", "/admin/v1/keys", $$"""{"app":"tenant-{{tenant}}"}""");
            Assert.Equal(201, status);
            _keys[tenant] = made.GetProperty("key").GetString()!;
        }

        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(() => WorkAsync(new Random(4711 + worker), Operations / Workers))));

        Assert.Empty(_violations);
        Assert.True(_foreign > Operations / 4 && _own > Operations / 8, $"{_foreign} foreign and {_own} own uses of {_handles.Count} handles");
        Assert.All(Enum.GetValues<Kind>(), kind => Assert.Contains(_owners.Values, one => one.Kind == kind));
    }

    private static string CanaryOf(int tenant) => $"canary-of-tenant-{tenant}-0815";

    private async Task WorkAsync(Random random, int count)
    {
        List<string> own = [];
        for (int i = 0; i < count; i++)
        {
            int tenant = random.Next(Tenants);
            if (_handles.IsEmpty || random.Next(4) == 0)
            {
                if (await MakeAsync(random, tenant) is { } made)
                {
                    own.Add(made);
                }

                continue;
            }

            // One's own things one by one, in this flow alone; anybody's else at any time.
            bool isOwn = random.Next(3) == 0 && own.Count > 0;
            string handle = isOwn ? own[random.Next(own.Count)] : _handles.ElementAt(random.Next(Math.Min(_handles.Count, 200)));
            (int owner, Kind kind) = _owners[handle];
            tenant = isOwn ? owner : tenant;
            bool mayDelete = own.Contains(handle);
            if (owner == tenant && !mayDelete)
            {
                continue;
            }

            (string method, string path, string? body) = UseOf(random, handle, kind, tenant, mayDelete);
            (int status, string text) = await AskAsync(tenant, method, path, body);
            Judge(tenant, owner, $"{method} {path} {body}", status, text);
            if (owner == tenant && method == "DELETE")
            {
                own.Remove(handle);
            }
        }
    }

    private void Judge(int tenant, int owner, string what, int status, string text)
    {
        for (int other = 0; other < Tenants; other++)
        {
            if (other != tenant && text.Contains(CanaryOf(other), StringComparison.Ordinal))
            {
                _violations.Enqueue($"tenant {tenant} sees what tenant {other} wrote: {what}: {status} {text}");
            }
        }

        if (owner == tenant)
        {
            Interlocked.Increment(ref _own);
            if (status is 401 or 403 or >= 500)
            {
                _violations.Enqueue($"tenant {tenant} does not reach its own: {what}: {status} {text}");
            }

            return;
        }

        Interlocked.Increment(ref _foreign);
        if (status is < 400 or >= 500 or 401 or 403)
        {
            _violations.Enqueue($"tenant {tenant} at a handle of tenant {owner}: {what}: {status} {text}");
        }
    }

    private static (string Method, string Path, string? Body) UseOf(Random random, string handle, Kind kind, int tenant, bool mayDelete)
    {
        bool isDeletion = random.Next(8) == 0;
        string say = $$"""{"model":"priced","previous_response_id":"{{handle}}","input":"{{CanaryOf(tenant)}}"}""";
        return kind switch
        {
            Kind.File when isDeletion => ("DELETE", $"/v1/files/{handle}", null),
            Kind.File => random.Next(3) switch
            {
                0 => ("GET", $"/v1/files/{handle}", null),
                1 => ("GET", $"/v1/files/{handle}/content", null),
                _ => ("POST", "/v1/batches", $$"""{"input_file_id":"{{handle}}","endpoint":"/v1/chat/completions","completion_window":"24h"}"""),
            },
            Kind.Batch => random.Next(4) == 0 ? ("POST", $"/v1/batches/{handle}/cancel", "{}") : ("GET", $"/v1/batches/{handle}", null),
            Kind.Answer when isDeletion => ("DELETE", $"/v1/responses/{handle}", null),
            Kind.Answer => random.Next(3) switch
            {
                0 => ("GET", $"/v1/responses/{handle}", null),
                1 => ("GET", $"/v1/responses/{handle}/input_items", null),
                _ => ("POST", "/v1/responses", say),
            },
            Kind.MessageBatch => random.Next(5) switch
            {
                0 => ("POST", $"/v1/messages/batches/{handle}/cancel", null),
                1 when isDeletion => ("DELETE", $"/v1/messages/batches/{handle}", null),
                2 => ("GET", "/v1/messages/batches/" + handle, null),
                _ => ("GET", $"/v1/messages/batches/{handle}/results", null),
            },
            _ when isDeletion && mayDelete => ("DELETE", $"/v1/conversations/{handle}", null),
            _ => random.Next(4) switch
            {
                0 => ("GET", $"/v1/conversations/{handle}", null),
                1 => ("GET", $"/v1/conversations/{handle}/items", null),
                2 => ("POST", $"/v1/conversations/{handle}", $$$"""{"metadata":{"note":"{{{CanaryOf(tenant)}}}"}}"""),
                _ => ("POST", "/v1/responses", $$"""{"model":"priced","conversation":"{{handle}}","input":"{{CanaryOf(tenant)}}"}"""),
            },
        };
    }

    private async Task<string?> MakeAsync(Random random, int tenant)
    {
        Kind kind = (Kind)random.Next(5);
        (int status, string text) = kind switch
        {
            Kind.File or Kind.Batch => await UploadAsync(tenant, "{\"custom_id\":\"1\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{\"model\":\"openai/gpt-5-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"" + CanaryOf(tenant) + "\"}]}}\n"),
            Kind.Answer => await AskAsync(tenant, "POST", "/v1/responses", $$"""{"model":"priced","input":"{{CanaryOf(tenant)}}","store":true}"""),
            Kind.MessageBatch => await AskAsync(tenant, "POST", "/v1/messages/batches",
                "{\"requests\":[{\"custom_id\":\"1\",\"params\":{\"model\":\"claude\",\"max_tokens\":100,\"messages\":[{\"role\":\"user\",\"content\":\"Reply with exactly \\\"" + CanaryOf(tenant) + "\\\"\"}]}}]}"),
            _ => await AskAsync(tenant, "POST", "/v1/conversations", $$$"""{"metadata":{"note":"{{{CanaryOf(tenant)}}}"},"items":[{"type":"message","role":"user","content":"{{{CanaryOf(tenant)}}}"}]}"""),
        };
        if (kind == Kind.Batch && status == 200)
        {
            string file = JsonDocument.Parse(text).RootElement.GetProperty("id").GetString()!;
            (status, text) = await AskAsync(tenant, "POST", "/v1/batches", $$"""{"input_file_id":"{{file}}","endpoint":"/v1/chat/completions","completion_window":"24h"}""");
        }

        if (status != 200)
        {
            _violations.Enqueue($"tenant {tenant} could not make a {kind}: {status} {text}");
            return null;
        }

        string id = JsonDocument.Parse(text).RootElement.GetProperty("id").GetString()!;
        if (!_owners.TryAdd(id, (tenant, kind)))
        {
            _violations.Enqueue($"the handle {id} was given out twice");
        }

        _handles.Enqueue(id);
        return id;
    }

    private async Task<(int Status, string Text)> UploadAsync(int tenant, string content)
    {
        using MultipartFormDataContent form = new() { { new StringContent("batch"), "purpose" }, { new ByteArrayContent(Encoding.UTF8.GetBytes(content)), "file", "lines.jsonl" } };
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/files") { Content = form };
        return await SendAsync(tenant, request);
    }

    private async Task<(int Status, string Text)> AskAsync(int tenant, string method, string path, string? body)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        return await SendAsync(tenant, request);
    }

    private async Task<(int Status, string Text)> SendAsync(int tenant, HttpRequestMessage request)
    {
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _keys[tenant]);
        using HttpResponseMessage response = await _gateway.Http.SendAsync(request, Cancellation);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }
}
