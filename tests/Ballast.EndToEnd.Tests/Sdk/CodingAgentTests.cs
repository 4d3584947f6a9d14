using System.Diagnostics;
using Ballast.EndToEnd.Tests.Fixtures;

namespace Ballast.EndToEnd.Tests.Sdk;

/// <summary>
/// Coding agents as people use them, each speaking a protocol of its own, at models of three vendors. They are large and change by the week: where
/// <c>BALLAST_AGENTS</c> names a folder in which <c>npm install @anthropic-ai/claude-code @openai/codex @google/gemini-cli @qwen-code/qwen-code</c> was run, they are tried.
/// </summary>
public sealed class CodingAgentTests(GatewayFixture gateways)
{
    private const string FolderVariable = "BALLAST_AGENTS";

    private const string Prompt = "Say in one sentence what the tide does.";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);

    /// <summary>Agent, and the model that it asks for.</summary>
    public static TheoryData<string, string> Pairs =>
    [
        .. from agent in (string[])["claude", "codex", "gemini", "qwen"]
           from model in (string[])["anthropic/claude-haiku-4-5", "openai/gpt-5-mini", "gemini/gemini-3.5-flash", "bedrock-converse/claude-haiku-4-5"]
           select (agent, model),
    ];

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Agent_AtAnyVendorsModel_EndsItsWork(string agent, string model)
    {
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        Assert.SkipUnless(folder is { Length: > 0 } && File.Exists(Program(folder, agent)), $"{FolderVariable} names no folder with {agent}");
        using TemporaryFolder home = new();
        ProcessStartInfo start = new(Program(folder!, agent))
        {
            WorkingDirectory = Directory.CreateDirectory(home.File("work")).FullName, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        };
        start.Environment["HOME"] = home.File("");
        Prepare(start, agent, model, home);
        int before = gateways.Fast.Sandbox.Billing.Rows.Count;

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        late.CancelAfter(s_patience);
        Task<string> told = process.StandardOutput.ReadToEndAsync(late.Token);
        Task<string> errors = process.StandardError.ReadToEndAsync(late.Token);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }

        Assert.True(process.ExitCode == 0 && (await told).Trim().Length > 0, $"{agent} at {model} ended with {process.ExitCode}:\n{await told}\n{await errors}");
        Assert.True(gateways.Fast.Sandbox.Billing.Rows.Count > before, "no platform was asked");
    }

    private static string Program(string folder, string agent) => Path.Combine(folder, "node_modules", ".bin", agent);

    private void Prepare(ProcessStartInfo start, string agent, string model, TemporaryFolder home)
    {
        string root = gateways.Fast.Server.Address.ToString().TrimEnd('/');
        string key = gateways.Fast.KeyOf("raw");
        switch (agent)
        {
            case "claude":
                (start.Environment["ANTHROPIC_BASE_URL"], start.Environment["ANTHROPIC_API_KEY"]) = (root, key);
                start.Environment["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] = "1";
                Add(start, "-p", Prompt, "--model", model, "--output-format", "json");
                break;
            case "codex":
                start.Environment["BALLAST_KEY"] = key;
                string folder = Directory.CreateDirectory(home.File(".codex")).FullName;
                File.WriteAllText(
                    Path.Combine(folder, "config.toml"),
                    $"""
                    model_provider = "ballast"
                    [model_providers.ballast]
                    name = "Ballast"
                    base_url = "{root}/v1"
                    env_key = "BALLAST_KEY"
                    wire_api = "responses"
                    """);
                Add(start, "exec", "--skip-git-repo-check", "-m", model, Prompt);
                break;
            case "gemini":
                (start.Environment["GOOGLE_GEMINI_BASE_URL"], start.Environment["GEMINI_API_KEY"]) = (root, key);
                File.WriteAllText(Path.Combine(Directory.CreateDirectory(home.File(".gemini")).FullName, "settings.json"), """{"security":{"auth":{"selectedType":"gemini-api-key"}}}""");
                Add(start, "-m", model, "-p", Prompt, "--skip-trust");
                break;
            default:
                (start.Environment["OPENAI_BASE_URL"], start.Environment["OPENAI_API_KEY"], start.Environment["OPENAI_MODEL"]) = (root + "/v1", key, model);
                Add(start, "--auth-type", "openai", "-p", Prompt);
                break;
        }
    }

    private static void Add(ProcessStartInfo start, params IReadOnlyList<string> arguments)
    {
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
    }
}
