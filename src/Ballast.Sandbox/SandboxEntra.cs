namespace Ballast.Sandbox;

/// <summary>The simulated token endpoint of Entra ID: whom it knows, how long its tokens last, how often it was asked.</summary>
public sealed class SandboxEntra
{
    private long _calls;
    private long _issued;

    public const string TenantId = "5a4d0b0c-0000-4000-8000-00000000e472";

    public const string ClientId = "c11e47ab-0000-4000-8000-00000000ba11";

    public const string ClientSecret = "sandbox-entra-secret~0123456789";

    /// <summary>Where tokens are asked for: <c>Authority/TenantId/oauth2/v2.0/token</c>.</summary>
    public Uri Authority { get; internal set; } = new("http://127.0.0.1");

    /// <summary>Of tokens that are issued from now on.</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Requests for a token, refused ones included.</summary>
    public long Calls => Interlocked.Read(ref _calls);

    /// <summary>Tokens given out.</summary>
    public long Issued => Interlocked.Read(ref _issued);

    internal void CountCall() => Interlocked.Increment(ref _calls);

    internal void CountIssued() => Interlocked.Increment(ref _issued);
}
