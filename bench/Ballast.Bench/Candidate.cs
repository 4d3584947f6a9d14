namespace Ballast.Bench;

/// <summary>Who is compared, and how each is started.</summary>
public static class Candidate
{
    public const string Ballast = "ballast";
    public const string Nginx = "nginx";
    public const string Yarp = "yarp";
    public const string Portkey = "portkey";

    public static readonly string[] All = [Nginx, Ballast, Yarp, Portkey];

    /// <summary>The command line for a port; null where the candidate is not installed.</summary>
    public static Func<int, IEnumerable<string>>? Command(string name, Field field, BenchOptions options)
    {
        string binary = Path.Combine(options.Root, "artifacts", "publish", "ballast");
        string yarp = Path.Combine(options.Root, "artifacts", "bin", "Yarp", "release", "Yarp.dll");
        string portkey = Path.Combine(options.Files, "portkey", "node_modules", "@portkey-ai", "gateway", "build", "start-server.js");
        string dotnet = Environment.ProcessPath is { } host && Path.GetFileName(host) == "dotnet" ? host : "dotnet";
        string compiledAtRun = Path.Combine(options.Root, "artifacts", "bin", "Ballast", "release", "ballast.dll");
        return name switch
        {
            Ballast when options.Counts is not null => port => [dotnet, compiledAtRun, "serve", "--config", field.Configure("bench.yaml", port)],
            Ballast => port => [binary, "serve", "--config", field.Configure("bench.yaml", port)],
            Nginx => port => ["nginx", "-p", options.Scratch, "-c", field.Configure("nginx.conf", port)],
            Yarp => File.Exists(yarp) ? port => [dotnet, yarp, $"{port}", $"{field.Platform.Port}"] : null,
            Portkey => File.Exists(portkey) ? port => ["node", portkey, $"--port={port}", "--headless"] : null,
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };
    }

    /// <summary>The key that the client shows, and what a candidate must be told with each request.</summary>
    public static IReadOnlyList<string> Headers(string name, Field field)
    {
        string authorization = $"Authorization: Bearer {Field.ClientKey}";
        return name == Portkey
            ? [authorization, "x-portkey-provider: openai", $"x-portkey-custom-host: http://127.0.0.1:{field.Platform.Port}/v1"]
            : [authorization];
    }
}
