using System.Globalization;
using System.Security.Cryptography;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Sandbox;

namespace Ballast.Cli.Demo;

/// <summary>The demo's configuration: the embedded <c>demo.yaml</c> and the variables it needs, among them a new API key for each sample application.</summary>
internal sealed class DemoConfiguration
{
    /// <summary>The key that is open to everybody on this machine once the story is over.</summary>
    public const string OpenKey = "ballast-demo";

    /// <summary>The applications that are let in while the story plays.</summary>
    public static readonly IReadOnlySet<string> StoryApps = new HashSet<string>(StringComparer.Ordinal) { "support-chat", "contract-review", "code-assistant", "recorded" };

    private readonly Dictionary<string, string> _variables = new(StringComparer.Ordinal) { ["DEMO_KEY"] = OpenKey };

    /// <param name="sandbox">Where all providers are.</param>
    /// <param name="seconds">Length of the story.</param>
    /// <param name="folder">For the credentials file of the simulated Google Cloud, which lives no longer than the demo.</param>
    public DemoConfiguration(SandboxHost sandbox, int seconds, string folder)
    {
        string credentials = Path.Combine(folder, "google-credentials.json");
        File.WriteAllText(credentials, sandbox.Google.ServiceAccountFile());
        _variables["DEMO_GOOGLE_CREDENTIALS"] = credentials;
        foreach (SandboxPlatform platform in sandbox.Platforms.Values)
        {
            string name = platform.Name.ToUpperInvariant();
            _variables[$"DEMO_{name}_URL"] = platform.Address.GetLeftPart(UriPartial.Authority);
            _variables[$"DEMO_{name}_KEY"] = platform.ApiKey;
        }

        foreach (string app in StoryApps)
        {
            _variables[VariableOf(app)] = $"demo-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";
        }

        _variables["DEMO_BREAKER_OPEN"] = Milliseconds(seconds * 1000 / 45);
        _variables["DEMO_RAMP_UP"] = Milliseconds(seconds * 1000 / 9);
    }

    /// <summary>The configuration as written, comments included.</summary>
    public static string Text => Read("demo.yaml");

    /// <summary>The balance policy as written.</summary>
    public static string PolicyText => Read("demo-policy.yaml");

    /// <summary>For recorded requests, of which a single one may be larger than a minute of the sample applications.</summary>
    public static string PolicyTextForLarge => PolicyText.Replace("burst: 500", "burst: 20000", StringComparison.Ordinal);

    public string KeyOf(string app) => _variables[VariableOf(app)];

    public CatalogHolder Load()
    {
        LoadResult loaded = OptionsLoader.Load(Text, "demo.yaml", name => _variables.GetValueOrDefault(name));
        BallastOptions options = loaded.Options
            ?? throw new InvalidOperationException(string.Join('\n', loaded.Faults.Select(fault => fault.Print("demo.yaml"))));
        return new CatalogHolder(CatalogBuilder.Build(options, revision: 1), options);
    }

    private static string Read(string file)
    {
        using Stream stream = typeof(DemoConfiguration).Assembly.GetManifestResourceStream($"Ballast.Cli.Demo.{file}")!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }

    private static string VariableOf(string app) => $"DEMO_{app.ToUpperInvariant().Replace('-', '_')}_KEY";

    /// <summary>The shortest time that the limits take is 10 ms.</summary>
    private static string Milliseconds(int length) => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(length, 10)}ms");
}
