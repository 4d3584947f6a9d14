using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

public sealed class TelemetryReaderTests
{
    [Fact]
    public void Load_EverythingWritten_IsRead()
    {
        TelemetryOptions options = Load("""
              endpoint: https://collector.example.com:4317
              protocol: grpc
              headers: { authorization: "${TOKEN}", x-team_env: TEAM }
              signals: [traces]
              sample: 0.25
              metrics_interval: 10s
              queue_max: 100
              service_name: gate
              resource: { deployment.environment.name: prod }
              trusted_callers: [search]
              tell_providers: false
              content: ["*"]
              content_max: 8KiB
            """).Options!.Telemetry;

        Assert.Equal(("https://collector.example.com:4317/", true, true, false, 0.25), (options.Endpoint!.AbsoluteUri, options.IsGrpc, options.SendsTraces, options.SendsMetrics, options.Sample));
        Assert.Equal([("authorization", "Bearer with-a-space"), ("x-team", "team-secret")], options.Headers.Select(static header => (header.Key, header.Value.Reveal())));
        Assert.Equal((TimeSpan.FromSeconds(10), 100, "gate", false, 8192), (options.MetricsInterval, options.QueueMax, options.ServiceName, options.TellsProviders, options.ContentBytesMax));
        Assert.Equal(("deployment.environment.name", "prod"), (options.Resource[0].Key, options.Resource[0].Value));
        Assert.True(TelemetryOptions.Names(options.TrustedCallers, "search") && !TelemetryOptions.Names(options.TrustedCallers, "other") && TelemetryOptions.Names(options.Content, "anybody"));
    }

    [Fact]
    public void Load_NothingWritten_SendsNothingAndTrustsNobody()
    {
        TelemetryOptions options = OptionsLoader.Load(ValidConfiguration.Yaml, "ballast.yaml", ValidConfiguration.Environment).Options!.Telemetry;

        Assert.Equal((null, 0, 0), (options.Endpoint, options.TrustedCallers.Count, options.Content.Count));
    }

    [Theory]
    [InlineData("headers: { authorization: Bearer-literal }", "must not hold the key itself")]
    [InlineData("headers: { authorization: \"${NOWHERE}\" }", "is not set")]
    [InlineData("headers: { 'a b': \"${TOKEN}\" }", "not a header's name")]
    [InlineData("signals: [logs]", "a signal is 'traces' or 'metrics'")]
    [InlineData("sample: 2", "'sample' is out of range")]
    [InlineData("content: [Not A Word]", "not a name")]
    [InlineData("resource: { 'a b': c }", "cannot be an attribute's name")]
    [InlineData("endpont: http://127.0.0.1", "unknown key 'endpont'")]
    public void Load_Faulty_IsRefusedWithItsPlace(string line, string message)
    {
        LoadResult result = Load("  " + line);

        ConfigurationFault fault = Assert.Single(result.Faults, static fault => !fault.IsWarning);
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
        Assert.True(fault.Line > 0);
        Assert.DoesNotContain("Bearer-literal", fault.Print("ballast.yaml"), StringComparison.Ordinal);
    }

    private static LoadResult Load(string telemetry) => OptionsLoader.Load(
        $"{ValidConfiguration.Yaml}\ntelemetry:\n{telemetry}\n", "ballast.yaml",
        static name => name switch { "TOKEN" => "Bearer with-a-space", "TEAM" => "team-secret", _ => ValidConfiguration.Environment(name) });
}
