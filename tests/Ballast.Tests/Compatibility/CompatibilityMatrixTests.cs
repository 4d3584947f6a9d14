using System.Text;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Exchanges;
using Ballast.Protocols;
using Ballast.Protocols.Clouds;
using Ballast.Tests.Configuration;
using Ballast.Upstream;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Compatibility;

/// <summary>
/// The table of <c>docs/compatibility.md</c>: what becomes of each feature of each protocol on each platform, as the product itself builds the request. Set
/// <c>BALLAST_WRITE_DOCS=1</c> to write the page anew.
/// </summary>
public class CompatibilityMatrixTests
{
    private const string Page = "docs/compatibility.md";
    private const string Begin = "<!-- matrix: written by CompatibilityMatrixTests -->";
    private const string End = "<!-- end of the matrix -->";

    /// <summary>Column, kind, vendor, further lines of the provider.</summary>
    private static readonly (string Name, string Kind, string Vendor, string More)[] s_platforms =
    [
        ("openai", "openai", "openai", ""),
        ("azure", "azure-openai", "openai", "base_url: https://a.openai.azure.com"),
        ("foundry (Claude)", "azure-foundry", "anthropic", "base_url: https://a.services.ai.azure.com"),
        ("anthropic", "anthropic", "anthropic", ""),
        ("gemini", "gemini", "google", ""),
        ("vertex (Claude)", "vertex", "anthropic", "project: a-project"),
        ("bedrock (Claude)", "aws-bedrock", "anthropic", ""),
        ("bedrock (Converse)", "aws-bedrock", "amazon", ""),
        ("cohere", "cohere", "cohere", ""),
        ("ollama", "ollama", "alibaba", ""),
        ("own machines", "openai-compatible", "meta", "base_url: https://a.example.com/v1"),
    ];

    /// <summary>All but those that are another protocol in a cloud's wrapping.</summary>
    private static IEnumerable<Protocol> Protocols() => ProtocolList.All.Where(static protocol => protocol is not BedrockInvoke);

    [Fact]
    public void Page_Matrix_SaysWhatTheProductDoes()
    {
        string path = RepositoryFile.Find(Page);
        string text = File.ReadAllText(path);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        int end = text.IndexOf(End, StringComparison.Ordinal);
        string written = text[begin..end].Trim('\n');
        string made = Make();
        if (Environment.GetEnvironmentVariable("BALLAST_WRITE_DOCS") == "1")
        {
            File.WriteAllText(path, text[..begin] + "\n" + made + "\n" + text[end..]);
            return;
        }

        Assert.Equal(written, made);
    }

    [Fact]
    public void Samples_EveryProtocol_HasThemAndTheyAreRequests()
    {
        foreach (Protocol protocol in Protocols())
        {
            Assert.Contains(protocol.Name, FeatureSamples.Plain.Keys);
            Assert.True(FeatureSamples.All.Count(row => row.Bodies.ContainsKey(protocol.Name)) >= 10, protocol.Name);
        }

        foreach ((string feature, IReadOnlyDictionary<string, string> bodies) in FeatureSamples.All)
        {
            foreach ((string name, string body) in bodies)
            {
                if (ProtocolList.Find(name) is { } protocol)
                {
                    Assert.Null(Record.Exception(() => ReadOf(protocol, body)) is { } broken ? $"{feature}, {name}: {broken.Message}" : null);
                }
            }
        }
    }

    private static void ReadOf(Protocol protocol, string body)
    {
        RequestAddress address = new("m", StreamForm.Whole);
        protocol.Peek(Encoding.UTF8.GetBytes(body), address);
        protocol.ReadRequest(Encoding.UTF8.GetBytes(body), address);
    }

    private static string Make()
    {
        CatalogSnapshot catalog = Catalog();
        StringBuilder page = new();
        foreach (Protocol protocol in Protocols())
        {
            page.Append($"\n### From `{protocol.Name}`\n\n| feature |");
            page.AppendJoin("", s_platforms.Select(platform => $" {platform.Name} |"));
            page.Append("\n|---|").Append(string.Concat(Enumerable.Repeat("---|", s_platforms.Length))).Append('\n');
            foreach ((string feature, IReadOnlyDictionary<string, string> bodies) in FeatureSamples.All)
            {
                if (bodies.TryGetValue(protocol.Name, out string? body))
                {
                    page.Append($"| {feature} |");
                    page.AppendJoin("", s_platforms.Select((_, index) => $" {Cell(catalog, protocol, body, $"p{index}/m")} |")).Append('\n');
                }
            }
        }

        return page.ToString().Trim('\n');
    }

    private static string Cell(CatalogSnapshot catalog, Protocol protocol, string body, string deployment)
    {
        Exchange exchange = new(protocol, Operation.Chat, catalog, new FakeTimeProvider()) { Address = new RequestAddress("m", StreamForm.Whole) };
        exchange.Envelope = protocol.Peek(Encoding.UTF8.GetBytes(body), exchange.Address);
        exchange.Model = catalog.FindModel(deployment)!;
        Attempt attempt = exchange.BeginAttempt(catalog.Deployments[deployment]);
        try
        {
            using UpstreamMessage message = UpstreamRequest.Build(exchange, attempt);
            string losses = string.Join(" ", attempt.Losses.Losses.Select(loss => $"`{loss.Pointer}`").Order(StringComparer.Ordinal));
            return losses.Length > 0 ? losses : UpstreamRequest.IsPassthrough(exchange, attempt.Deployment, attempt.Protocol) ? "=" : "yes";
        }
        catch (ProtocolException)
        {
            return "refused";
        }
    }

    private static CatalogSnapshot Catalog()
    {
        StringBuilder yaml = new("providers:\n");
        for (int i = 0; i < s_platforms.Length; i++)
        {
            (_, string kind, string vendor, string more) = s_platforms[i];
            yaml.Append($"  p{i}:\n    kind: {kind}\n    platform: x\n    region: eu-central-1\n    api_key: key-of-a-test\n    vendor: {vendor}\n");
            yaml.Append(more.Length > 0 ? "    " + more + "\n" : "").Append("    data: { geo: eu, retention_days: 0, training: false }\n    deployments: { m: {} }\n");
        }

        yaml.Append("keys:\n  k: { key: key-of-a-client, app: a }\n");
        LoadResult loaded = OptionsLoader.Load(yaml.ToString().Replace("api_key: key-of-a-test", "api_key_env: KEY", StringComparison.Ordinal), "matrix.yaml", static _ => "key-of-a-test");
        return CatalogBuilder.Build(loaded.Options ?? throw new InvalidOperationException(ValidConfiguration.Print(loaded)), revision: 1);
    }
}
