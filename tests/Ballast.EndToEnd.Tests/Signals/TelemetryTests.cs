using System.Globalization;
using System.Text;
using System.Text.Json;
using Ballast.EndToEnd.Tests.Faults;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.Ledger;
using Ballast.Sandbox;
using Ballast.Server;

namespace Ballast.EndToEnd.Tests.Signals;

/// <summary>Traces and metrics as a collector gets them, read field by field, through failover, streams, refusals and outages of the collector itself.</summary>
[Collection("Faults")]
public sealed class TelemetryTests
{
    private const string CallersTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string CallersSpan = "00f067aa0ba902b7";
    private const string CollectorsToken = "Bearer canary-of-the-collector-4711";
    private const string PromptCanary = "canary-in-the-prompt-0815";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Trace_StreamThatFailedOver_IsOneServerAndTwoClientSpans()
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync();
        await using RawUpstream broken = new(visit => visit.RespondAsync("500 Internal Server Error", "content-type: application/json\r\n", """{"error":{"message":"no"}}"""));
        await using FaultGateway gateway = await StartAsync(collector, "trusted_callers: [faults]", broken);

        ClientAnswer answer = await AskAsync(gateway, stream: true, CallersTrace);
        OtlpSpan[] spans = await SpansAsync(collector, CallersTrace, 3);
        LedgerEntry[] rows = await gateway.RowsAsync(answer);

        OtlpSpan server = Assert.Single(spans, span => span.Kind == 2);
        OtlpSpan[] attempts = [.. spans.Where(span => span.Kind == 3).OrderBy(span => span.Start)];
        Assert.Equal((CallersSpan, "chat m", 0, "ballast"), (server.ParentId, server.Name, server.Status, server.Scope));
        Assert.Equal("vendor=one", server.State);
        Assert.Equal(("tests-of-telemetry", "eu-test"), (server.Resource["service.name"], server.Resource["deployment.environment.name"]));
        Assert.Equal((answer.Id, "faults", "faults", "openai-chat"), Four(server, "ballast.request.id", "ballast.app", "ballast.key.id", "ballast.protocol"));
        Assert.Equal(("POST", 200L, "chat", "m"), Four(server, "http.request.method", "http.response.status_code", "gen_ai.operation.name", "gen_ai.request.model"));
        Assert.All(attempts, span => Assert.Equal(server.SpanId, span.ParentId));
        Assert.True(server.Start <= attempts[0].Start && attempts[0].End <= attempts[1].End && server.End >= attempts[1].End - 1_000_000);

        OtlpSpan failed = attempts[0];
        Assert.Equal(("chat gpt-raw", 2, "upstream_status_500", 500L), (failed.Name, failed.Status, failed.Attributes["error.type"], failed.Attributes["http.response.status_code"]));
        Assert.Equal(("openai", "127.0.0.1", (long)broken.Address.Port, rows[0].AttemptId), Four(failed, "gen_ai.provider.name", "server.address", "server.port", "ballast.attempt.id"));
        OtlpSpan done = attempts[1];
        Assert.Equal(("chat gpt-5-mini", 0, false), (done.Name, done.Status, done.Attributes.ContainsKey("error.type")));
        Assert.Equal(("azure.ai.openai", "gpt-5-mini", "azure/m", rows[1].AttemptId), Four(done, "gen_ai.provider.name", "gen_ai.request.model", "ballast.deployment", "ballast.attempt.id"));
        Assert.Equal(rows[1].ServedModel, done.Attributes["gen_ai.response.model"]);
        Assert.Equal((rows[1].InputTokens + rows[1].CacheReadTokens, rows[1].OutputTokens), ((long)done.Attributes["gen_ai.usage.input_tokens"], (long)done.Attributes["gen_ai.usage.output_tokens"]));
        Assert.Equal(["stop"], (object[])done.Attributes["gen_ai.response.finish_reasons"]);
        Assert.Equal(true, done.Attributes["gen_ai.request.stream"]);
        Assert.Equal(rows[1].TimeToFirstToken!.Value.TotalSeconds, (double)done.Attributes["ballast.time_to_first_token"], tolerance: 0.000002);

        // What the provider was told is the attempt's own span, below the caller's trace.
        string head = Assert.Single(broken.Visits).Head;
        Assert.Contains($"traceparent: 00-{CallersTrace}-{failed.SpanId}-01", head, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("tracestate: vendor=one", head, StringComparison.OrdinalIgnoreCase);
        AssertNoSecret(collector.Everything);
        Assert.Equal(CollectorsToken, collector.Requests.First().Headers["authorization"]);
    }

    [Fact]
    public async Task Trace_OfACallerWhoIsNotTrusted_BeginsAnewUnderTheRequestsOwnId()
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync();
        await using FaultGateway gateway = await StartAsync(collector, "trusted_callers: [somebody]");

        ClientAnswer answer = await AskAsync(gateway, stream: false, CallersTrace);
        OtlpSpan[] spans = await SpansAsync(collector, answer.Id["req_".Length..], 2);

        Assert.Equal("", Assert.Single(spans, span => span.Kind == 2).ParentId);
        Assert.DoesNotContain(collector.Spans, span => span.TraceId == CallersTrace);
    }

    [Fact]
    public async Task Trace_OfARefusedRequest_IsFoundByTheIdThatItsCallerGot()
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync();
        await using FaultGateway gateway = await StartAsync(collector, "trusted_callers: ['*']");

        using HttpRequestMessage request = Caller.OpenAI.NewRequest("m", stream: false);
        request.Headers.Remove("authorization");
        request.Headers.TryAddWithoutValidation("authorization", "Bearer canary-of-a-wrong-key-99");
        request.Headers.TryAddWithoutValidation("traceparent", $"00-{CallersTrace}-{CallersSpan}-01");
        ClientAnswer answer = await ClientAnswer.SendAsync(gateway.Http, Caller.OpenAI, stream: false, request);

        OtlpSpan span = Assert.Single(await SpansAsync(collector, answer.Id["req_".Length..], 1));
        Assert.Equal(("ballast_invalid_key", 401L), (span.Attributes["error.type"], span.Attributes["http.response.status_code"]));
        Assert.DoesNotContain("canary-of-a-wrong-key", collector.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain(collector.Spans, one => one.TraceId == CallersTrace);
    }

    [Fact]
    public async Task Trace_NotSampled_IsNotSentAndTheCallersIsPassedOn()
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync();
        await using RawUpstream broken = new(visit => visit.RespondAsync("500 Internal Server Error", "content-type: application/json\r\n", "{}"));
        await using FaultGateway gateway = await StartAsync(collector, "trusted_callers: [faults]\n  sample: 0", broken);

        ClientAnswer silent = await AskAsync(gateway, stream: false);
        ClientAnswer unsampled = await AskAsync(gateway, stream: false, CallersTrace, flags: "00");
        await AskAsync(gateway, stream: false, "aaaabbbbccccddddaaaabbbbccccdddd");
        await SpansAsync(collector, "aaaabbbbccccddddaaaabbbbccccdddd", 3);

        Assert.DoesNotContain(collector.Spans, span => span.TraceId == CallersTrace || span.TraceId == silent.Id["req_".Length..] || span.TraceId == unsampled.Id["req_".Length..]);
        Assert.DoesNotContain("traceparent", broken.Visits.First().Head, StringComparison.OrdinalIgnoreCase);
        Assert.Contains($"traceparent: 00-{CallersTrace}-{CallersSpan}-00", broken.Visits.ElementAt(1).Head, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Content_StandsInSpansOnlyWhereItsAppAllowsIt(bool isAllowed, bool stream)
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync();
        await using FaultGateway gateway = await StartAsync(collector, $"content: [{(isAllowed ? "faults" : "another")}]");

        string prompt = $"{Caller.Prompt} ({PromptCanary})";
        foreach (Caller caller in Caller.All)
        {
            // One passes the bytes on, the other is translated.
            ClientAnswer answer = await gateway.AskAsync(caller, "m", stream, prompt);
            OtlpSpan span = (await SpansAsync(collector, answer.Id["req_".Length..], 2)).Single(one => one.Kind == 3);
            Assert.Equal(isAllowed, span.Attributes.ContainsKey("gen_ai.input.messages"));
            if (isAllowed)
            {
                Assert.Contains("\"role\":\"user\"", (string)span.Attributes["gen_ai.input.messages"], StringComparison.Ordinal);
                Assert.Contains(PromptCanary, (string)span.Attributes["gen_ai.input.messages"], StringComparison.Ordinal);
                JsonElement said = JsonDocument.Parse((string)span.Attributes["gen_ai.output.messages"]).RootElement[0];
                Assert.Equal(("assistant", "stop"), (said.GetProperty("role").GetString(), said.GetProperty("finish_reason").GetString()));
                Assert.Equal(("text", answer.Text.ToString()), (said.GetProperty("parts")[0].GetProperty("type").GetString(), said.GetProperty("parts")[0].GetProperty("content").GetString()));
            }
        }

        Assert.Equal(isAllowed, collector.Everything.Contains(PromptCanary, StringComparison.Ordinal));
    }

    /// <summary>An app that allows content and redacts: placeholders alone, of what its caller wrote and of what the model made up.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Content_OfAnAppThatRedacts_HoldsPlaceholdersOnly(bool stream)
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync();
        await using FaultGateway gateway = await StartAsync(collector, "content: [faults]", sections: "apps:\n  faults: { redact: [email] }\n");

        foreach (Caller caller in Caller.All)
        {
            ClientAnswer answer = await gateway.AskAsync(caller, "m", stream, "Reply with exactly 'ask joe.doe@example.com or the made-up person'");
            Assert.Contains("joe.doe@example.com", answer.Text.ToString(), StringComparison.Ordinal); // put back for its caller
            OtlpSpan span = (await SpansAsync(collector, answer.Id["req_".Length..], 2)).Single(static one => one.Kind == 3);
            Assert.Contains("EMAIL-", (string)span.Attributes["gen_ai.input.messages"], StringComparison.Ordinal);
            Assert.Contains("EMAIL-", (string)span.Attributes["gen_ai.output.messages"], StringComparison.Ordinal);
        }

        // A value that the model itself writes is given to the caller, who wants it so, and kept nowhere.
        await using RawUpstream model = new(static visit => visit.RespondAsync(
            "200 OK", "content-type: application/json\r\n",
            """{"id":"c","object":"chat.completion","created":1,"model":"gpt-raw","choices":[{"index":0,"message":{"role":"assistant","content":"try jane.roe@example.org"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"""));
        await using FaultGateway inventive = await StartAsync(collector, "content: [faults]", model, "apps:\n  faults: { redact: [email] }\n");
        ClientAnswer own = await inventive.AskAsync(Caller.OpenAI, "m", stream: false, "Hello");
        OtlpSpan written = (await SpansAsync(collector, own.Id["req_".Length..], 2)).Single(static one => one.Kind == 3);
        Assert.Contains("jane.roe@example.org", own.Text.ToString(), StringComparison.Ordinal);
        Assert.Contains("try EMAIL-", (string)written.Attributes["gen_ai.output.messages"], StringComparison.Ordinal);
        foreach (string value in (string[])["joe.doe", "jane.roe"])
        {
            Assert.DoesNotContain(value, collector.Everything, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Metrics_AtTheCollectorAndOnThePage_AreTheSame()
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync();
        await using FaultGateway gateway = await StartAsync(collector, "metrics_interval: 1s");
        gateway.Sandbox.Faults.Add(new FaultRule { Platform = "openai", Kind = FaultKind.Error503, Count = 1 });

        ClientAnswer[] answers = [await AskAsync(gateway, stream: true), await AskAsync(gateway, stream: true), await AskAsync(gateway, stream: false)];
        List<LedgerEntry> rows = [];
        foreach (ClientAnswer answer in answers)
        {
            rows.AddRange(await gateway.RowsAsync(answer));
        }

        Assert.Equal(4, rows.Count);
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(Of(collector, "gen_ai.client.operation.duration").Sum(point => point.Count) == rows.Count), Patience), "the measurements do not arrive");
        string page = MetricsText.Of(gateway.Server);
        foreach ((string name, string unit, int buckets) in new[]
        {
            ("gen_ai.client.token.usage", "{token}", 15), ("gen_ai.client.operation.duration", "s", 15), ("gen_ai.server.request.duration", "s", 15),
            ("gen_ai.server.time_to_first_token", "s", 17), ("gen_ai.server.time_per_output_token", "s", 14),
        })
        {
            OtlpPoint[] points = Of(collector, name);
            Assert.NotEmpty(points);
            foreach (OtlpPoint point in points)
            {
                Assert.Equal((unit, buckets, buckets - 1), (point.Unit, point.Buckets.Length, point.Bounds.Length));
                string line = PageLine(name, unit, point);
                Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"{line.Replace("SUFFIX", "count", StringComparison.Ordinal)} {point.Count}\n"), page, StringComparison.Ordinal);
            }
        }

        OtlpPoint error = Assert.Single(Of(collector, "gen_ai.client.operation.duration"), point => point.Attributes.ContainsKey("error.type"));
        Assert.Equal(("upstream_status_503", "openai/m", 1), (error.Attributes["error.type"], error.Attributes["ballast.deployment"], error.Count));
        Assert.Equal(rows.Sum(row => row.OutputTokens), Of(collector, "gen_ai.client.token.usage").Where(point => (string)point.Attributes["gen_ai.token.type"] == "output").Sum(point => point.Sum));
        Assert.Equal(rows.Sum(row => row.InputTokens + row.CacheReadTokens), Of(collector, "gen_ai.client.token.usage").Where(point => (string)point.Attributes["gen_ai.token.type"] == "input").Sum(point => point.Sum));
        Assert.Equal(3, Of(collector, "gen_ai.server.request.duration").Sum(point => point.Count));
        Assert.Equal(2, Of(collector, "gen_ai.server.time_to_first_token").Sum(point => point.Count));
        AssertNoSecret(collector.Everything);
        AssertNoSecret(page);
    }

    [Fact]
    public async Task Export_OverGrpc_BringsTheSame()
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync(isGrpc: true);
        await using FaultGateway gateway = await StartAsync(collector, "protocol: grpc\n  metrics_interval: 1s");

        ClientAnswer answer = await AskAsync(gateway, stream: true);
        OtlpSpan[] spans = await SpansAsync(collector, answer.Id["req_".Length..], 2);

        Assert.Equal(["chat gpt-5-mini", "chat m"], spans.Select(span => span.Name).Order());
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(Of(collector, "gen_ai.server.request.duration").Sum(point => point.Count) == 1), Patience), "no metrics");
        Assert.Equal(CollectorsToken, collector.Requests.First().Headers["authorization"]);
    }

    [Fact]
    public async Task Collector_Refuses_NoRequestSuffersAndDropsAreCounted()
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync();
        collector.Refusal = 503;
        await using FaultGateway gateway = await StartAsync(collector, "queue_max: 64");

        ClientAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 600).Select(_ => AskAsync(gateway, stream: false)));

        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        await gateway.SettleAsync();
        Assert.True(await GatewayHost.UntilAsync(() => Task.FromResult(gateway.Server.Export!.SpansDropped > 0), Patience), "nothing was dropped");
        Assert.Contains("ballast_telemetry_spans_dropped_total ", MetricsText.Of(gateway.Server), StringComparison.Ordinal);
        Assert.Equal(0, gateway.Server.Export!.SpansSent);
    }

    private static async Task<FaultGateway> StartAsync(OtlpReceiver collector, string more, RawUpstream? first = null, string sections = "") => await FaultGateway.StartAsync(new FaultSetup
    {
        Raw = first is null ? [] : [("raw", "openai", first)],
        Models = [("m", first is null ? ["openai/m=gpt-5-mini", "azure/m=gpt-5-mini"] : ["raw/m=gpt-raw", "azure/m=gpt-5-mini"])],
        Variables = new Dictionary<string, string> { ["COLLECTOR_TOKEN"] = CollectorsToken },
        More = $$"""
            telemetry:
              endpoint: {{collector.Address}}
              headers: { authorization: "${COLLECTOR_TOKEN}" }
              service_name: tests-of-telemetry
              resource: { deployment.environment.name: eu-test }
              {{more}}

            {{sections}}
            """,
    });

    private static async Task<ClientAnswer> AskAsync(FaultGateway gateway, bool stream, string? trace = null, string flags = "01")
    {
        using HttpRequestMessage request = Caller.OpenAI.NewRequest("m", stream);
        if (trace is not null)
        {
            request.Headers.TryAddWithoutValidation("traceparent", $"00-{trace}-{CallersSpan}-{flags}");
            request.Headers.TryAddWithoutValidation("tracestate", "vendor=one");
        }

        return await ClientAnswer.SendAsync(gateway.Http, Caller.OpenAI, stream, request);
    }

    private static async Task<OtlpSpan[]> SpansAsync(OtlpReceiver collector, string trace, int count)
    {
        OtlpSpan[] spans = [];
        await GatewayHost.UntilAsync(
            () =>
            {
                spans = [.. collector.Spans.Where(span => span.TraceId == trace)];
                return Task.FromResult(spans.Length >= count);
            },
            Patience);
        Assert.Equal(count, spans.Length);
        return spans;
    }

    private static OtlpPoint[] Of(OtlpReceiver collector, string name) => [.. collector.Points.Where(point => point.Name == name)];

    private static (object, object, object, object) Four(OtlpSpan span, string one, string two, string three, string four) =>
        (span.Attributes[one], span.Attributes[two], span.Attributes[three], span.Attributes[four]);

    /// <summary>The line's name and labels on the administration port.</summary>
    private static string PageLine(string name, string unit, OtlpPoint point)
    {
        StringBuilder labels = new();
        foreach (string label in (string[])["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "server.address", "server.port", "ballast.deployment", "error.type", "gen_ai.token.type"])
        {
            labels.Append(point.Attributes.TryGetValue(label, out object? value) ? $"{(labels.Length > 0 ? "," : "")}{label.Replace('.', '_')}=\"{value}\"" : "");
        }

        return $"{name.Replace('.', '_')}{(unit == "s" ? "_seconds" : "")}_SUFFIX{{{labels}}}";
    }

    private static void AssertNoSecret(string text)
    {
        foreach (string secret in (string[])[FaultSetup.Key, CollectorsToken, "canary-of-the-collector", Caller.Answer])
        {
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        }
    }
}
