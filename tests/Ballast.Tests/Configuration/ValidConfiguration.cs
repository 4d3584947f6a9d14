using Ballast.Configuration;

namespace Ballast.Tests.Configuration;

/// <summary>A configuration that uses every key there is, and the environment it needs.</summary>
internal static class ValidConfiguration
{
    public const string Secret = "sk-very-secret-0123456789";

    public const string EntraSecret = "entra-very-secret-0123456789";

    public const string Yaml = """
        server:
          listen: http://127.0.0.1:8080
          admin: http://127.0.0.1:8081
        ledger:
          path: ballast.db
        providers:
          azure:
            kind: azure-openai
            platform: azure
            region: swedencentral
            base_url: https://my-resource.openai.azure.com
            api_version: 2024-10-21
            api_key: ${AZURE_KEY}
            data: { geo: eu, retention_days: 30, training: false }
            headers: { OpenAI-Organization: org-1 }
            features: [-files]
            deployments:
              gpt-5-mini:
                vendor: openai
                model: my-deployment
                price: openai/gpt-5-mini
                max_output_tokens: 16384
                features: [+files, -images]
                region: norwayeast
                data: { retention_days: 0 }
                embedding: false
          bedrock:
            kind: aws-bedrock
            platform: aws
            region: eu-central-1
            api: runtime
            api_key_env: AZURE_KEY
            data: { geo: eu, retention_days: 0, training: false }
            deployments:
              gpt-5-mini: { vendor: openai, price: openai/gpt-5-mini }
          local:
            kind: openai-compatible
            platform: local
            region: local
            base_url: http://127.0.0.1:9100/v1
            allow_private_addresses: true
            data: { geo: local, retention_days: 0, training: false }
            any_model: true
            vendor: meta
        models:
          assistant:
            selection: weighted
            deployments: [azure/gpt-5-mini, { deployment: local/llama, weight: 2 }]
        keys:
          demo:
            key_sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
            app: demo
            allow: { geo: [eu, local], retention_days_max: 30, training: false }
            loss_policy: warn
            models: [assistant, azure/gpt-5-mini]
          other:
            key_env: OTHER_KEY
            allow: { geo: [eu] }
        prices:
          openai/gpt-5-mini: { input: 0.25, cache_read: 0.025, cache_write: 0.25, cache_write_1h: 0.5, output: 2.0, source: "a list" }
        limits:
          request_body_max: 16MiB
          connect_timeout: 3s
        balance: { policies: policies }
        conversations:
          store: sqlite
          path: talk.db
          retention_days: 7
          count_per_key_max: 100
          bytes_per_key_max: 8MiB
          pending_bytes_max: 4MiB
        tenancy: { path: tenants.db, stale_after: 10m, pepper_env: PEPPER }
        organisations:
          acme: { allow: { geo: [local, eu], training: false }, models: [azure/gpt-5-mini, assistant], rate_limits: { concurrent_requests: 1000 } }
        teams:
          research: { organisation: acme, allow: { geo: [local, eu] }, models: [azure/gpt-5-mini, assistant], rate_limits: { input_tokens_per_minute: 100000, output_tokens_per_minute: 50000 } }
        apps:
          demo:
            team: research
            owner: platform@example.com
            tier: 1
            data_class: confidential
            when_store_is_lost: serve
            redact: [email, secret]
            redact_patterns: { staff: 'EMP-[0-9]{6}' }
            redact_answers: redact
            redact_unreadable: pass
            allow: { geo: [local, eu], retention_days_max: 60 }
            models: [azure/gpt-5-mini, assistant]
            rate_limits: { requests_per_minute: 600 }
        budgets:
          demo-month: { app: demo, usd: 100, period: month, zone: Europe/Berlin, alert_at: [50, 80], hard: true, unpriced_request_usd: 0.5, unpriced_batch_usd: 10 }
          team-day: { team: research, tokens: 1000000, period: day }
        commitments:
          azure-2026: { platform: azure, amount: 100000, currency: EUR, usd_rate: 1.1, from: 2026-01-01, to: 2026-12-31, zone: Europe/Berlin }
        alerts: { webhook: "https://hooks.example.com/ballast", secret_env: PEPPER, allow_private_addresses: false }
        """;

    /// <summary>A further provider, with the credential that excludes the others.</summary>
    private const string TokensProvider = """
          signed:
            kind: "aws-bedrock"
            platform: "aws"
            region: eu-west-1
            aws: { access_key_id: "${OTHER_KEY}", secret_access_key: "${OTHER_KEY}", session_token: "${OTHER_KEY}" }
            data: { geo: eu, retention_days: 0, training: false }
            any_model: true
            vendor: by-name
          tokens:
            kind: "azure-openai"
            platform: "azure"
            region: francecentral
            base_url: https://other-resource.openai.azure.com
            http2: auto
            entra:
              tenant_id: contoso.example
              client_id: 66666666-7777-8888-9999-000000000000
              client_secret: ${ENTRA_SECRET}
              authority: https://login.microsoftonline.us
              scope: https://cognitiveservices.azure.us/.default
            data: { geo: eu, retention_days: 1, training: false }
            any_model: true
            vendor: openai
            quota: { requests_per_minute: 600, tokens_per_minute: 900000 }
            deployments:
              gpt-4: { deprecated: 2026-12-01, end_of_life: 2027-03-01, quota: { requests_per_minute: 60 }, price: openai/gpt-5 }
        """;

    /// <summary>All of <see cref="Yaml"/> and a provider that fetches tokens.</summary>
    public static string YamlWithTokens => Yaml
        .Replace("\nmodels:\n", $"\n{TokensProvider}\nmodels:\n", StringComparison.Ordinal)
        .Replace("server:\n", "server:\n  cors: { origins: [https://app.example.com, \"chrome-extension://abcdefgh\"] }\n", StringComparison.Ordinal)
        .Replace("\nlimits:\n", $"\n{TieredPrice}\n{Telemetry}\nlimits:\n", StringComparison.Ordinal);

    private const string Telemetry = """
        tls: { certificate: server.pem, key: server.key, password: "${AZURE_KEY}", client_ca: clients.pem, client_ca_on: admin }
        log: { format: json }
        telemetry:
          endpoint: http://127.0.0.1:4318
          headers: { authorization: "${AZURE_KEY}" }
          resource: { deployment.environment.name: test }
          trusted_callers: ["*"]
          content: [search]
        """;

    private const string TieredPrice = """
          openai/gpt-5:
            input: 1.25
            output: 10
            tiers: [{ above: 272000, input: 2.5, output: 15 }]
            priority: { input: 2.5, output: 20 }
        """;

    public static string? Environment(string name) => name switch
    {
        "AZURE_KEY" => Secret,
        "ENTRA_SECRET" => EntraSecret,
        "PEPPER" => "pepper-of-thirty-two-characters-00",
        "OTHER_KEY" => "another-secret-key",
        _ => null,
    };

    public static LoadResult Load(string yaml) => OptionsLoader.Load(yaml.ReplaceLineEndings("\n"), "ballast.yaml", Environment);

    /// <summary>The valid configuration with one piece replaced; fails where the piece is not there exactly once.</summary>
    public static string With(string piece, string replacement)
    {
        int at = Yaml.IndexOf(piece, StringComparison.Ordinal);
        Assert.True(at >= 0 && Yaml.IndexOf(piece, at + 1, StringComparison.Ordinal) < 0, $"'{piece}' must occur once");
        return Yaml.Replace(piece, replacement, StringComparison.Ordinal);
    }

    public static string Print(LoadResult result) => string.Join('\n', result.Faults.Select(static fault => fault.Print("ballast.yaml")));
}
