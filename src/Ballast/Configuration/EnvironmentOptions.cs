using System.Net;
using System.Security.Cryptography;
using System.Text;
using Ballast.Prices;

namespace Ballast.Configuration;

/// <summary>
/// Options without a file: a provider for each well-known variable that is set. What a vendor does with data cannot be read from a variable, so the terms are
/// assumed at their widest (<c>global</c>, 30 days, no training); write a file to state better ones.
/// </summary>
public static class EnvironmentOptions
{
    /// <summary>Holds the key that clients show; without it the caller makes one up and passes it to <see cref="WithKey"/>.</summary>
    public const string KeyVariable = "BALLAST_API_KEY";

    /// <summary>Azure's version of the classic paths, as its SDK reads it.</summary>
    public const string AzureVersionVariable = "OPENAI_API_VERSION";

    private static readonly DataOptions AssumedTerms = new() { Geo = "global", RetentionDays = 30, Training = false };
    private static readonly DataOptions LocalTerms = new() { Geo = "local", RetentionDays = 0, Training = false };

    /// <summary>At least one provider's variable is set.</summary>
    public static bool IsWanted(Func<string, string?> environment) =>
        Variables.Any(variable => !string.IsNullOrEmpty(environment(variable))) || EntraEnvironment.IsWanted(environment);

    private static IEnumerable<string> Variables => WellKnownProviders.All.Select(static known => known.KeyVariable ?? known.AddressVariable!);

    /// <summary>False where no provider can be used; <see cref="Load"/> says why.</summary>
    public static bool TryBuild(Func<string, string?> environment, out BallastOptions? options)
    {
        options = Load(environment).Options;
        return options is not null;
    }

    /// <summary>Like <see cref="OptionsLoader.Load"/>, from variables. A provider whose variables do not suffice is left out with a warning. <see cref="BallastOptions.Keys"/> is empty where <see cref="KeyVariable"/> is not set.</summary>
    public static LoadResult Load(Func<string, string?> environment)
    {
        FaultList faults = new();
        List<ProviderOptions> providers = [];
        foreach (WellKnownProvider known in WellKnownProviders.All)
        {
            if (ReadProvider(known, environment, faults) is { } provider)
            {
                providers.Add(provider);
            }
        }

        BallastOptions options = new() { Providers = providers, PriceBook = PriceBook.Shipped };
        if (environment(KeyVariable) is { Length: > 0 } key)
        {
            CheckClientKey(key, faults);
            options = WithKey(options, key);
        }

        if (providers.Count == 0)
        {
            faults.Error("", 0, 0, "no provider's environment variables are set", $"set one of {string.Join(", ", Variables)}, or write a ballast.yaml");
        }
        else
        {
            OptionsValidator.ValidateWithoutLint(options, faults);
        }

        return new LoadResult { Options = faults.HasErrors ? null : options, Faults = faults.ToList() };
    }

    /// <summary>The same options with one client key that may ask for everything.</summary>
    public static BallastOptions WithKey(BallastOptions options, string key) =>
        options with { Keys = [new KeyOptions { Id = "default", Digest = SHA256.HashData(Encoding.UTF8.GetBytes(key)) }] };

    private static void CheckClientKey(string key, FaultList faults)
    {
        if (key.Length < KeyReader.LengthMin)
        {
            faults.Error($"${KeyVariable}", 0, 0, $"{KeyVariable} is shorter than {KeyReader.LengthMin} characters", "openssl rand -hex 24 makes a good one");
        }
    }

    private static ProviderOptions? ReadProvider(WellKnownProvider known, Func<string, string?> environment, FaultList faults)
    {
        string? key = known.KeyVariable is null ? null : environment(known.KeyVariable);
        string? written = known.AddressVariable is null ? null : environment(known.AddressVariable);
        string? region = known.RegionVariable is null ? "global" : environment(known.RegionVariable);
        bool isKeyed = !string.IsNullOrEmpty(known.KeyVariable is null ? written : key);
        EntraOptions? entra = !isKeyed && known.Kind == ProviderKindName.AzureOpenAI && EntraEnvironment.IsWanted(environment)
            ? EntraEnvironment.Read(environment, faults)
            : null;
        if (!isKeyed && entra is null)
        {
            return null;
        }

        if (isKeyed && key is not null && !SecretReader.IsSound(key))
        {
            faults.Warning($"${known.KeyVariable}", 0, 0, $"{known.KeyVariable} holds characters that no key has: the provider is left out", "look for line ends and spaces");
            return null;
        }

        if (string.IsNullOrEmpty(region) || !ConfiguredName.IsWord(region))
        {
            faults.Warning($"${known.RegionVariable}", 0, 0, $"{known.KeyVariable} is set, but {known.RegionVariable} names no region: the provider is left out", "such as us-east-1");
            return null;
        }

        if (!TryAddress(known, written, faults, out Uri? address))
        {
            return null;
        }

        return Build(known, isKeyed ? key : null, address, region, environment) with { Entra = entra };
    }

    private static ProviderOptions Build(WellKnownProvider known, string? key, Uri? address, string region, Func<string, string?> environment)
    {
        bool isOwn = address is not null && (address.IsLoopback || IsPrivate(address));
        bool isElsewhere = known.Kind == ProviderKindName.OpenAI && address is not null && address.Host != "api.openai.com";
        string platform = !isOwn && !isElsewhere ? known.Platform : isOwn ? "local" : PlatformOf(address!);
        return new ProviderOptions
        {
            Name = known.Name,
            Kind = isElsewhere ? ProviderKindName.OpenAICompatible : known.Kind,
            Platform = platform,
            Region = platform == "local" ? "local" : region,
            BaseUrl = address,
            ApiVersion = known.Kind == ProviderKindName.AzureOpenAI && environment(AzureVersionVariable) is { Length: > 0 } version ? version : null,
            ApiKey = key is null ? null : new SecretOptions(key, $"environment variable {known.KeyVariable}"),
            Data = platform == "local" ? LocalTerms : AssumedTerms,
            AllowPrivateAddresses = isOwn,
            AnyModel = true,
            Vendor = isElsewhere ? VendorName.ByName : known.Vendor,
            Deployments = isElsewhere ? [] : [.. known.Models.Select(model => new DeploymentOptions
            {
                Name = model.Name,
                Vendor = VendorName.Of(known.Vendor, model.Name),
                Embedding = model.Embedding,
            })],
        };
    }

    private static bool TryAddress(WellKnownProvider known, string? written, FaultList faults, out Uri? address)
    {
        address = known.Address is null ? null : new Uri(known.Address);
        if (string.IsNullOrEmpty(written))
        {
            if (known is { AddressVariable: not null, Address: null } && ProviderKindName.DefaultBaseUrl(known.Kind, null, null) is null)
            {
                faults.Warning($"${known.AddressVariable}", 0, 0, $"{known.KeyVariable} is set, but {known.AddressVariable} is not: the provider is left out", "https://…");
                return false;
            }

            return true;
        }

        // OLLAMA_HOST is host:port in Ollama's own words, and often the address that its server listens on.
        string text = known.Name == "ollama" ? OllamaAddress(written) : written;
        bool sound = Uri.TryCreate(text, UriKind.Absolute, out address) && address.Scheme is "http" or "https"
            && address!.UserInfo.Length == 0 && address.Query.Length == 0;
        if (!sound)
        {
            faults.Warning($"${known.AddressVariable}", 0, 0, $"{known.AddressVariable} is not an address: the provider is left out", "https://host/path, without user name and query");
        }

        return sound;
    }

    private static string OllamaAddress(string written)
    {
        string text = (written.Contains("://", StringComparison.Ordinal) ? written : $"http://{written}").TrimEnd('/').Replace("//0.0.0.0", "//127.0.0.1", StringComparison.Ordinal);
        bool hasPort = text.LastIndexOf(':') > text.IndexOf("://", StringComparison.Ordinal);
        return $"{text}{(hasPort ? "" : ":11434")}";
    }

    /// <summary>A private address by its digits; names are judged at connect.</summary>
    private static bool IsPrivate(Uri address)
    {
        if (!IPAddress.TryParse(address.Host.Trim('[', ']'), out IPAddress? ip))
        {
            return false;
        }

        byte[] bytes = ip.GetAddressBytes();
        return bytes.Length == 4
            ? bytes[0] == 10 || (bytes[0] == 172 && (bytes[1] & 0xF0) == 16) || (bytes[0] == 192 && bytes[1] == 168)
            : ip.IsIPv6UniqueLocal || ip.IsIPv6LinkLocal;
    }

    /// <summary>An address of somebody else's is a platform of its own: its host name.</summary>
    private static string PlatformOf(Uri address)
    {
        string host = address.IdnHost.ToLowerInvariant();
        return ConfiguredName.IsWord(host) ? host : "elsewhere";
    }
}
