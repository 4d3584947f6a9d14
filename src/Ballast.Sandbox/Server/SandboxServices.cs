using Ballast.Sandbox.Aws;
using Ballast.Sandbox.Entra;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Server;

/// <summary>What all platforms of one sandbox share.</summary>
internal sealed class SandboxServices(SandboxOptions options, FaultBook faults, BillingLog billing)
{
    private readonly string _run = options.Time.GetUtcNow().UtcTicks.ToString("x", System.Globalization.CultureInfo.InvariantCulture);
    private long _drawn;

    public SandboxOptions Options => options;

    public FaultBook Faults => faults;

    public BillingLog Billing => billing;

    public TimeProvider Time => options.Time;

    /// <summary>The token endpoint as others see it.</summary>
    public SandboxEntra Entra { get; } = new();

    /// <summary>Google's token endpoints as others see them.</summary>
    public SandboxGoogle Google { get; } = new(options.Time);

    public TokenIssuer Tokens { get; } = new(options.Time);

    /// <summary>The account at AWS as others see it.</summary>
    public SandboxAws Aws => AwsKeys.Account;

    public AwsKeyRing AwsKeys { get; } = new(new SandboxAws(), options.Time);

    public Author Author { get; } = new(options.Seed);

    /// <summary>Dice for what is unique to a request, as ids and latencies are: another run of the same seed draws others.</summary>
    public Dice NextRequestDice(string platform)
    {
        long number = Interlocked.Increment(ref _drawn);
        return new Dice(options.Seed, platform, _run, number.ToString("x", System.Globalization.CultureInfo.InvariantCulture));
    }
}
