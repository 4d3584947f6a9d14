using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ballast.Configuration;

/// <summary>
/// Reads the file of a provider's <c>ca:</c>. One that is missing is a warning only: it may be in the middle of being replaced, and without it the provider trusts
/// less, never more.
/// </summary>
internal static class CertificateReader
{
    /// <summary>Largest file taken, in bytes.</summary>
    public const int FileBytesMax = 1024 * 1024;

    /// <summary>An authority that ends sooner earns a warning.</summary>
    public static readonly TimeSpan ExpiryNotice = TimeSpan.FromDays(14);

    public static CertificateAuthority? Read(LoadContext context, SectionReader provider)
    {
        if (provider.Text("ca") is not { } written)
        {
            return null;
        }

        if (ReadFile(context, provider, written) is not { } text)
        {
            return null;
        }

        X509Certificate2Collection certificates = [];
        try
        {
            certificates.ImportFromPem(text);
        }
        catch (CryptographicException)
        {
            certificates.Clear();
        }

        if (certificates.Count == 0)
        {
            provider.Error("ca", "the file of 'ca' holds no certificate", "PEM, with -----BEGIN CERTIFICATE-----");
            return null;
        }

        foreach (X509Certificate2 certificate in certificates)
        {
            CheckTime(context, provider, certificate);
        }

        return new CertificateAuthority(certificates);
    }

    private static string? ReadFile(LoadContext context, SectionReader provider, string written)
    {
        string path = context.Locate(written);
        context.Watch(path);
        try
        {
            FileInfo file = new(path);
            if (!file.Exists)
            {
                provider.Warning("ca", "the file of 'ca' does not exist: only what the machine trusts is trusted", "paths are taken from beside the configuration file");
                return null;
            }

            if (file.Length <= FileBytesMax)
            {
                return File.ReadAllText(path);
            }

            provider.Error("ca", $"the file of 'ca' is larger than {FileBytesMax / 1024} KiB", "name the few authorities that this provider needs");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            provider.Error("ca", $"the file of 'ca' cannot be read: {error.GetType().Name}", "paths are taken from beside the configuration file");
        }

        return null;
    }

    private static void CheckTime(LoadContext context, SectionReader provider, X509Certificate2 certificate)
    {
        DateTimeOffset now = context.Time.GetUtcNow();
        DateTimeOffset end = new(certificate.NotAfter.ToUniversalTime());
        string day = end.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        if (end <= now)
        {
            provider.Warning("ca", $"a certificate of 'ca' expired on {day}", "servers that lead back to it are refused");
        }
        else if (end - now < ExpiryNotice)
        {
            provider.Warning("ca", $"a certificate of 'ca' expires on {day}", "replace the file in time; it is read again by itself");
        }
    }
}
