using System.Security.Cryptography;
using System.Text;

namespace Ballast.Configuration;

/// <summary>Reads <c>keys:</c>. A client's key is turned into its digest at once; the key itself is not kept.</summary>
internal static class KeyReader
{
    /// <summary>Shortest client key, in characters.</summary>
    public const int LengthMin = 8;

    private static readonly string[] Sources = ["key", "key_env", "key_file"];

    public static List<KeyOptions> Read(LoadContext context, SectionReader file)
    {
        List<KeyOptions> keys = [];
        foreach ((string id, SectionReader section) in file.NamedSections("keys", "key", ConfiguredName.IsWord, ConfiguredName.WordRule))
        {
            bool isLiteral = false;
            SecretOptions? secret = SecretReader.Read(context, section, "key", ["key_sha256"], scalar =>
            {
                isLiteral = true;
                return new SecretOptions(scalar.Text, "the configuration file");
            });
            if (secret?.Reveal().Length < LengthMin)
            {
                section.Error(SourceOf(context, section), $"the key is shorter than {LengthMin} characters", "openssl rand -hex 24 makes a good one");
            }

            byte[] digest = ReadDigest(section) ?? (secret is null ? [] : SHA256.HashData(Encoding.UTF8.GetBytes(secret.Reveal())));
            keys.Add(new KeyOptions
            {
                Id = id,
                Digest = digest,
                IsLiteral = isLiteral,
                App = section.Word("app"),
                Allow = ReadAllow(section.Section("allow", "allow")),
                LossPolicy = section.OneOf("loss_policy", ["strict", "warn", "allow"]) ?? "warn",
                Models = ReadModels(section),
                ExpiresAt = ReadExpiry(section),
                Scopes = ReadScopes(section),
                RateLimits = TenancyReader.ReadRates(section.Section("rate_limits", "rate_limits")),
            });
            section.End();
        }

        return keys;
    }

    private static string SourceOf(LoadContext context, SectionReader section) =>
        Sources.First(key => context.Source.Has(section.PathOf(key)));

    private static byte[]? ReadDigest(SectionReader section)
    {
        if (section.Scalar("key_sha256")?.Text is not { } text)
        {
            return null;
        }

        if (text.Length == 64 && text.All(char.IsAsciiHexDigit))
        {
            return Convert.FromHexString(text);
        }

        section.Error("key_sha256", "'key_sha256' must be 64 hexadecimal digits", "printf %s \"$KEY\" | sha256sum");
        return null;
    }

    private static DateTimeOffset? ReadExpiry(SectionReader section)
    {
        if (section.Scalar("expires") is not { } scalar)
        {
            return null;
        }

        const System.Globalization.DateTimeStyles utc = System.Globalization.DateTimeStyles.AssumeUniversal | System.Globalization.DateTimeStyles.AdjustToUniversal;
        if (DateTimeOffset.TryParse(scalar.Text, System.Globalization.CultureInfo.InvariantCulture, utc, out DateTimeOffset expires))
        {
            return expires;
        }

        section.Fault(scalar, section.PathOf("expires"), "'expires' must be a moment", "2027-01-31, or 2027-01-31T12:00:00Z");
        return null;
    }

    private static List<string>? ReadScopes(SectionReader section)
    {
        if (section.Scalars("scopes") is not { } written)
        {
            return null;
        }

        foreach ((YamlScalar scalar, string path) in written.Where(static one => !KeyScopeName.All.Contains(one.Value.Text)))
        {
            section.Fault(scalar, path, "there is no such scope", $"one of {string.Join(", ", KeyScopeName.All)}");
        }

        return [.. written.Select(static one => one.Value.Text)];
    }

    public static AllowOptions? ReadAllow(SectionReader? section)
    {
        if (section is null)
        {
            return null;
        }

        List<string>? geos = null;
        foreach ((YamlScalar scalar, string path) in section.Scalars("geo") ?? [])
        {
            if (ConfiguredName.IsWord(scalar.Text))
            {
                (geos ??= []).Add(scalar.Text);
            }
            else
            {
                section.Fault(scalar, path, "a geography must be a lower-case word", "such as eu, us, global, local");
            }
        }

        AllowOptions options = new()
        {
            Geo = geos,
            RetentionDaysMax = section.Whole("retention_days_max", 0, 36_500),
            Training = section.Flag("training") ?? false,
        };
        section.End();
        return options;
    }

    public static List<string>? ReadModels(SectionReader section) =>
        section.Scalars("models") is { } names ? [.. names.Where(name => section.CheckName(name.Value, name.Path)).Select(static name => name.Value.Text)] : null;
}
