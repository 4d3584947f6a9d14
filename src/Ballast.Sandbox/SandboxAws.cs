namespace Ballast.Sandbox;

/// <summary>The simulated AWS account: its keys, the endpoints that give out temporary ones, and how often they were asked.</summary>
public sealed class SandboxAws
{
    private long _calls;
    private long _issued;

    /// <summary>Where its runtime is: requests must be signed for it.</summary>
    public const string Region = "eu-west-1";

    public const string AccessKeyId = "AKIASANDBOXBALLAST00";

    public const string SecretAccessKey = "sandbox/secret+access/key/of/the/account";

    public const string RoleArn = "arn:aws:iam::123456789012:role/ballast";

    /// <summary>The role of the machine, as its metadata service names it.</summary>
    public const string InstanceRole = "ballast-instance";

    /// <summary>What a container must send to be given credentials.</summary>
    public const string ContainerToken = "sandbox-container-authorization";

    /// <summary>The access token of a person who is signed on.</summary>
    public const string SsoAccessToken = "sandbox-sso-access-token";

    /// <summary>The audience that a workload's own token must have.</summary>
    public const string WebIdentityAudience = "sts.amazonaws.com";

    /// <summary>STS, the sign-on portal and the metadata services of containers and machines, all at one address.</summary>
    public Uri Endpoint { get; internal set; } = new("http://127.0.0.1");

    /// <summary>Of temporary keys that are given out from now on.</summary>
    public TimeSpan KeyLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How far AWS's clock is ahead of this machine's.</summary>
    public TimeSpan ClockOffset { get; set; }

    /// <summary>Requests for credentials, refused ones included.</summary>
    public long Calls => Interlocked.Read(ref _calls);

    /// <summary>Temporary keys given out.</summary>
    public long Issued => Interlocked.Read(ref _issued);

    internal void CountCall() => Interlocked.Increment(ref _calls);

    internal void CountIssued() => Interlocked.Increment(ref _issued);
}
