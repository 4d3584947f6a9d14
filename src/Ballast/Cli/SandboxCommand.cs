using System.CommandLine;
using Ballast.Sandbox;

namespace Ballast.Cli;

/// <summary><c>ballast sandbox</c>: simulated platforms on loopback, for trying out and for tests.</summary>
public static class SandboxCommand
{
    public static Command Create()
    {
        Option<int> port = new("--port") { HelpName = "PORT", Description = "Port of the control API; the platforms take the ports after it. 0 takes any free ones.", DefaultValueFactory = _ => 9100 };
        Option<int> seed = new("--seed") { HelpName = "N", Description = "Answers, latencies and faults repeat with the same seed.", DefaultValueFactory = _ => 1 };
        Option<string?> billing = new("--billing") { HelpName = "FILE", Description = "File to append the billing log to, one JSON line for each request." };
        Option<double> latency = new("--latency") { HelpName = "SCALE", Description = "Scale of the simulated latencies; 0 answers at once.", DefaultValueFactory = _ => 1.0 };
        Option<bool> tls = new("--tls") { Description = "Platforms and token endpoint speak TLS, with a certificate of a throw-away authority." };
        Option<string> ca = new("--ca") { HelpName = "FILE", Description = "File that this authority's certificate is written to, for clients.", DefaultValueFactory = _ => "sandbox-ca.pem" };
        Command command = new("sandbox",
            """
            Run simulated platforms on loopback, to try and test applications without an account.

            OpenAI, Azure OpenAI, AWS Bedrock, Anthropic, a local Llama server, Gemini and Vertex AI. They speak the real wire
            protocols, so any official SDK can be pointed at them; answers are made up and seeded. Addresses and keys are printed
            at the start, on standard error. Ctrl-C or SIGTERM ends it.

            Exit code: 0 ended by a signal, 2 a port is taken or an argument is wrong.

            Faults are set over the control API. Examples:
              curl -X POST http://127.0.0.1:9100/platforms/azure/disappear
              curl -X POST http://127.0.0.1:9100/faults -d '{"platform":"openai","kind":"rate-limit","count":3}'
            """)
        {
            port, seed, billing, latency, tls, ca,
        };
        command.SetAction(async (parsed, _) =>
        {
            using StopSignal stop = new();
            SandboxOptions options = new()
            {
                BasePort = parsed.GetValue(port),
                Seed = parsed.GetValue(seed),
                BillingLogPath = parsed.GetValue(billing),
                LatencyScale = parsed.GetValue(latency),
                Tls = parsed.GetValue(tls),
                CaPath = parsed.GetValue(tls) ? parsed.GetValue(ca) : null,
            };
            try
            {
                await using SandboxHost sandbox = await SandboxHost.StartAsync(options, stop.Token).ConfigureAwait(false);
                Console.Error.WriteLine($"control    {sandbox.Control}");
                foreach (SandboxPlatform platform in sandbox.Platforms.Values)
                {
                    Console.Error.WriteLine($"{platform.Name,-10} {platform.Address}  key {platform.ApiKey}");
                }

                Console.Error.WriteLine($"entra      {sandbox.Entra.Authority}  tenant {SandboxEntra.TenantId}  client {SandboxEntra.ClientId}  secret {SandboxEntra.ClientSecret}");
                Console.Error.WriteLine($"google     {sandbox.Google.Address}  project {SandboxGoogle.ProjectId}  credentials file at {sandbox.Control}google/service-account");
                await stop.WaitAsync().ConfigureAwait(false);
                return 0;
            }
            catch (SandboxPortInUseException busy)
            {
                Console.Error.WriteLine($"error: port {busy.Port} is already in use by another program. Choose another with --port, or 0 for any free one.");
                return CommandLine.UsageError;
            }
        });
        return command;
    }
}
