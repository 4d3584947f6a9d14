using Ballast.Cli.Conformance;
using Ballast.EndToEnd.Tests.Faults;
using Ballast.EndToEnd.Tests.Fixtures;
using Ballast.EndToEnd.Tests.Sdk;
using Ballast.Sandbox;

namespace Ballast.EndToEnd.Tests.Conformance;

/// <summary>
/// The gateway, to every platform, and the simulated vendors themselves pass the checks that <c>ballast conformance</c> holds any server to. They have a gateway of
/// their own: large prompts would use up the rate limits that others look at.
/// </summary>
public sealed class ConformanceTests(ConformanceTests.Own own, SandboxFixture sandboxes) : IClassFixture<ConformanceTests.Own>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const string ClaudeOnBedrock = "eu.anthropic.claude-haiku-4-5-20251001-v1:0";

    /// <summary>Compares the tokens of two answers, which two vendors count differently: a model that goes to any of them may draw one of each.</summary>
    private const string ComparesTwoAnswers = "usage-equal";

    public static TheoryData<string, string> Models =>
        SdkTier.Kept([.. Surface.All.SelectMany(surface => GatewayTargets.All.Select(at => new TheoryDataRow<string, string>(at.Model, surface.Name)))]);

    /// <summary>What a server answers to whatever it is asked.</summary>
    private static readonly Dictionary<string, string> s_blanks = new()
    {
        ["yes"] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        ["nothing"] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ["a page"] = "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>",
        ["no"] = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    };

    public static TheoryData<string, string> Blanks =>
        [.. from said in s_blanks.Keys from surface in Surface.All select new TheoryDataRow<string, string>(said, surface.Name)];

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Gateway_ToAnyPlatform_FailsNoCheck(string model, string surface)
    {
        using Subject subject = new(own.Gateway.Server.Address, own.Gateway.KeyOf("raw"), model, [], Patience);
        IReadOnlyList<CheckResult> results = await RunAsync(subject, surface);
        bool isOfAnyVendor = GatewayTargets.All.Any(at => at.Model == model && at.Vendor == GatewayTargets.AnyVendor);
        AssertNoneFailed(isOfAnyVendor ? [.. results.Where(result => result.Check.Name != ComparesTwoAnswers)] : results);
    }

    [Theory]
    [InlineData("openai", "chat")]
    [InlineData("anthropic", "messages")]
    [InlineData("openai", "responses")]
    [InlineData("gemini", "gemini")]
    [InlineData("bedrock", "bedrock")]
    public async Task Sandbox_Itself_FailsNoCheck(string platform, string surface)
    {
        using Subject subject = SubjectAt(sandboxes.Fast.Platforms[platform], surface);
        AssertNoneFailed(await RunAsync(subject, surface));
    }

    /// <summary>Whom the gateway speaks to in the page's columns, as they are written there.</summary>
    private static readonly Dictionary<string, string> s_columns = new(StringComparer.Ordinal)
    {
        ["Ballast → OpenAI"] = "openai/gpt-5-mini", ["Ballast → Claude"] = "anthropic/claude-haiku-4-5", ["Ballast → Gemini"] = "gemini/gemini-3.5-flash",
        ["Ballast → Bedrock"] = "bedrock-converse/claude-haiku-4-5", ["sandbox: OpenAI"] = "openai", ["sandbox: Anthropic"] = "anthropic", ["sandbox: Gemini"] = "gemini",
        ["sandbox: Bedrock"] = "bedrock",
    };

    public static TheoryData<string> Surfaces => [.. Surface.All.Select(static surface => surface.Name)];

    /// <summary>The page's cells on the gateway and on the sandbox are what the checks find here; <c>BALLAST_WRITE_DOCS=1</c> writes them.</summary>
    [Theory]
    [MemberData(nameof(Surfaces))]
    public async Task Page_Tables_SayWhatIsFound(string surface)
    {
        string path = Path.GetFullPath(Path.Combine(NodeRun.FolderOf("suite.mjs"), "..", "..", "..", "docs", "compatibility.md"));
        string text = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        ConformancePage page = new(text);
        foreach (string column in page.Columns(surface))
        {
            string name = s_columns[column];
            using Subject subject = column.StartsWith("sandbox", StringComparison.Ordinal)
                ? SubjectAt(sandboxes.Fast.Platforms[name], surface)
                : new Subject(own.Gateway.Server.Address, own.Gateway.KeyOf("raw"), name, [], Patience);
            page.Fill(surface, column, await RunAsync(subject, surface));
        }

        if (Environment.GetEnvironmentVariable("BALLAST_WRITE_DOCS") == "1")
        {
            await File.WriteAllTextAsync(path, page.Text, TestContext.Current.CancellationToken);
            return;
        }

        Assert.Equal(text, page.Text);
        Assert.Equal(ConformanceRun.ChecksOf(SurfaceOf(surface)).Select(static check => check.Name), page.Rows(surface));
    }

    [Fact]
    public async Task Run_SurfaceThatIsNotThere_IsNotOffered()
    {
        SandboxPlatform platform = sandboxes.Fast.Platforms["openai"];
        using Subject subject = new(
            platform.Address, platform.ApiKey, platform.Models[0].Name, [new("Authorization", $"Bearer {platform.ApiKey}")], Patience);
        Assert.All(await RunAsync(subject, "messages"), result => Assert.Equal(CheckOutcome.NotOffered, result.Outcome));
    }

    [Theory]
    [InlineData(FaultKind.MissingUsage, "chat", "openai", "text")]
    [InlineData(FaultKind.MissingUsage, "chat", "openai", "stream-usage")]
    [InlineData(FaultKind.Cut, "chat", "openai", "stream")]
    [InlineData(FaultKind.Cut, "messages", "anthropic", "stream")]
    [InlineData(FaultKind.HtmlError, "chat", "openai", "tools")]
    [InlineData(FaultKind.WrongContentType, "messages", "anthropic", "text")]
    [InlineData(FaultKind.StreamErrorFirst, "messages", "anthropic", "tools-stream")]
    [InlineData(FaultKind.Error500, "chat", "openai", "error-malformed")]
    [InlineData(FaultKind.Cut, "responses", "openai", "stream")]
    [InlineData(FaultKind.NeverFinishes, "responses", "openai", "stream")]
    [InlineData(FaultKind.MissingUsage, "responses", "openai", "text")]
    [InlineData(FaultKind.MissingUsage, "responses", "openai", "stream")]
    [InlineData(FaultKind.StreamErrorFirst, "responses", "openai", "tools-parallel-stream")]
    [InlineData(FaultKind.StreamErrorAfter, "responses", "openai", "stream-pieces")]
    [InlineData(FaultKind.TruncatedJson, "responses", "openai", "json-schema")]
    [InlineData(FaultKind.Cut, "gemini", "gemini", "stream")]
    [InlineData(FaultKind.NeverFinishes, "gemini", "gemini", "stream")]
    [InlineData(FaultKind.NeverFinishes, "gemini", "gemini", "stream-array")]
    [InlineData(FaultKind.MissingUsage, "gemini", "gemini", "text")]
    [InlineData(FaultKind.MissingUsage, "gemini", "gemini", "stream")]
    [InlineData(FaultKind.StreamErrorFirst, "gemini", "gemini", "tools-stream")]
    [InlineData(FaultKind.WrongContentType, "gemini", "gemini", "image")]
    [InlineData(FaultKind.Cut, "bedrock", "bedrock", "stream")]
    [InlineData(FaultKind.NeverFinishes, "bedrock", "bedrock", "stream")]
    [InlineData(FaultKind.MissingUsage, "bedrock", "bedrock", "text")]
    [InlineData(FaultKind.MissingUsage, "bedrock", "bedrock", "http2")]
    [InlineData(FaultKind.StreamErrorFirst, "bedrock", "bedrock", "tools-stream")]
    [InlineData(FaultKind.StreamErrorAfter, "bedrock", "bedrock", "thinking")]
    [InlineData(FaultKind.HtmlError, "bedrock", "bedrock", "error-unknown-model")]
    public async Task Run_ServerAtFault_FailsThatCheck(FaultKind fault, string surface, string platform, string check)
    {
        await using SandboxHost sandbox = await SandboxHost.StartAsync(
            new SandboxOptions { BasePort = 0, LatencyScale = 0 }, TestContext.Current.CancellationToken);
        sandbox.Faults.Add(new FaultRule { Kind = fault, Platform = platform });
        using Subject subject = SubjectAt(sandbox.Platforms[platform], surface);

        CheckResult result = await ConformanceRun.TryAsync(
            ConformanceRun.ChecksOf(SurfaceOf(surface)).Single(known => known.Name == check), subject, TestContext.Current.CancellationToken);

        Assert.Equal(CheckOutcome.Failed, result.Outcome);
        Assert.NotEmpty(result.Detail!);
    }

    [Theory]
    [MemberData(nameof(Blanks))]
    public async Task Run_ServerThatAnswersEverythingAlike_PassesNoCheck(string said, string surface)
    {
        await using RawUpstream server = new(visit => visit.WriteAsync(s_blanks[said]));
        using Subject subject = new(server.Address, "key", "model", [], Patience);
        IReadOnlyList<CheckResult> results = await RunAsync(subject, surface);
        Assert.Equal([], results.Where(static result => result.Outcome == CheckOutcome.Passed).Select(static result => result.Check.Name));
        Assert.Contains(results, static result => result.Outcome == CheckOutcome.Failed);
    }

    private static Subject SubjectAt(SandboxPlatform platform, string surface) =>
        new(platform.Address, platform.ApiKey, surface == "bedrock" ? ClaudeOnBedrock : platform.Models[0].Name, [], Patience);

    private static Surface SurfaceOf(string name) => Surface.All.First(surface => surface.Name == name);

    private static Task<IReadOnlyList<CheckResult>> RunAsync(Subject subject, string surface) =>
        ConformanceRun.RunAsync(subject, [SurfaceOf(surface)], static _ => { }, TestContext.Current.CancellationToken);

    private static void AssertNoneFailed(IReadOnlyList<CheckResult> results)
    {
        string[] failed = [.. results.Where(result => result.Outcome == CheckOutcome.Failed).Select(result => $"{result.Check.Name}: {result.Detail}")];
        Assert.True(failed.Length == 0, string.Join('\n', failed));
        Assert.True(results.Count(result => result.Outcome == CheckOutcome.Passed) > results.Count / 2, "Most checks found nothing to try.");
    }

    /// <summary>One gateway before platforms that answer at once.</summary>
    public sealed class Own : IAsyncLifetime
    {
        private GatewayHost? _gateway;

        public GatewayHost Gateway => _gateway ?? throw new InvalidOperationException("The fixture has not been started.");

        public async ValueTask InitializeAsync() => _gateway = await GatewayHost.StartAsync(latencyScale: 0);

        public ValueTask DisposeAsync() => _gateway?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
