namespace Ballast.Bench;

/// <summary>One figure against its targets.</summary>
/// <param name="Figure">What was measured, in words.</param>
/// <param name="Value">Null where it was not measured.</param>
/// <param name="MustHold">The bound of this version.</param>
/// <param name="Aim">Where it is to go.</param>
/// <param name="Result"><c>aim</c>, <c>holds</c>, <c>missed</c>, <c>noise</c> or <c>not measured</c>.</param>
public sealed record Verdict(string Figure, double? Value, double MustHold, double Aim, string Unit, string Result)
{
    /// <summary>
    /// A machine on which nginx itself varies by more judges nobody. For the start, Ballast's own starts are what varies: nginx' first answer on a connection comes 40 ms late
    /// every other time, where its second piece waits for the client's word on the first, and that is no noise of the machine.
    /// </summary>
    public const double SpreadMax = 0.25;

    private sealed record Target(string Figure, string Sample, string? Against, double MustHold, double Aim, string Unit, bool IsFloor = false)
    {
        public double? ValueIn(Samples samples) => Against is null ? samples.Median(Sample) : samples.Ratio(Sample, Against);

        /// <summary>How far the rounds lie apart that say whether the machine is quiet enough: nginx' in the same scenario, where it takes part.</summary>
        public double? Noise(Samples samples) => Sample == "start.ballast" ? samples.MiddleSpread(Sample) : samples.Spread(Yardstick);

        private string Yardstick => Against is not null && Against.EndsWith(Candidate.Nginx, StringComparison.Ordinal) ? Against : $"{Sample[..Sample.IndexOf('.', StringComparison.Ordinal)]}.{Candidate.Nginx}";
    }

    private static readonly Target[] Targets =
    [
        new("CPU per request, JSON, against nginx", "json.ballast", "json.nginx", 2.0, 1.3, "×"),
        new("CPU per request, 48 kB prompt, against nginx", "prompt48k.ballast", "prompt48k.nginx", 2.4, 1.3, "×"),
        new("CPU per SSE chunk, against nginx", "sse.ballast", "sse.nginx", 1.6, 1.0, "×"),
        new("CPU per SSE chunk, Anthropic client on OpenAI, against nginx passing on", "to-openai.ballast", "sse.nginx", 3, 1.5, "×"),
        new("CPU per SSE chunk, OpenAI client on Anthropic, against nginx passing on", "to-anthropic.ballast", "sse.nginx", 3, 1.5, "×"),
        new("requests per core, against Portkey", "json-per-core.ballast", "json-per-core.portkey", 25, 50, "×", IsFloor: true),
        new("CPU per request, JSON, against YARP (which does no gateway work)", "json.ballast", "json.yarp", 0.8, 0.5, "×"),
        new("CPU per request, TLS 1.3 upstream, against nginx with TLS upstream", "tls.ballast", "tls.nginx", 1.8, 1.3, "×"),
        new("added time to first token p50, against nginx", "sse-added-ttft.ballast", "sse-added-ttft.nginx", 1.5, 1.1, "×"),
        new("chunk delay p50, against nginx", "sse-delay.ballast", "sse-delay.nginx", 1.5, 1.1, "×"),
        new("resident memory at 1,000 open streams", "resident.ballast", null, 100, 33, "MB"),
        new("start to first proxied answer", "start.ballast", null, 60, 30, "ms"),
    ];

    public static IReadOnlyList<Verdict> Judge(Samples samples) => [.. Targets.Select(target => Judge(target, samples))];

    private static Verdict Judge(Target target, Samples samples)
    {
        double? value = target.ValueIn(samples);
        bool Meets(double bound) => target.IsFloor ? value >= bound : value <= bound;
        string result = value is null ? "not measured"
            : target.Noise(samples) > SpreadMax ? "noise"
            : Meets(target.Aim) ? "aim"
            : Meets(target.MustHold) ? "holds"
            : "missed";
        return new Verdict(target.Figure, value, target.MustHold, target.Aim, (target.IsFloor ? "≥ " : "≤ ") + target.Unit, result);
    }
}
