using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ballast.Catalog;

namespace Ballast.Upstream.Signing;

/// <summary>
/// AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html): a request's method, path, query, some headers and body are
/// put into one canonical text, whose hash is signed with a key made of the secret, the day, the region and the service.
/// </summary>
public static class AwsSignature
{
    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>Adds <c>X-Amz-Date</c>, for temporary keys <c>X-Amz-Security-Token</c>, and <c>Authorization</c>. Host, content type and AWS's own headers are signed.</summary>
    /// <param name="request">Complete but for these.</param>
    /// <param name="keys">With which it is signed.</param>
    /// <param name="region">Where it is sent.</param>
    /// <param name="service">The service's name in signatures.</param>
    /// <param name="now">A signature is good for some minutes.</param>
    public static void Sign(UpstreamMessage request, AwsKeys keys, string region, string service, DateTimeOffset now)
    {
        string instant = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        HeaderWriter.Add(request.Headers, "X-Amz-Date", instant);
        if (keys.SessionToken is { } token)
        {
            HeaderWriter.Add(request.Headers, "X-Amz-Security-Token", token.Reveal());
        }

        SortedDictionary<string, string> signed = Signed(request);
        string names = string.Join(';', signed.Keys);
        StringBuilder canonical = new();
        canonical.Append(request.Method).Append('\n').Append(CanonicalPath(request.Address)).Append('\n').Append(CanonicalQuery(request.Address)).Append('\n');
        foreach ((string name, string value) in signed)
        {
            canonical.Append(name).Append(':').Append(value).Append('\n');
        }

        canonical.Append('\n').Append(names).Append('\n').Append(Convert.ToHexStringLower(SHA256.HashData(request.Body.Span)));
        string day = instant[..8];
        string scope = $"{day}/{region}/{service}/aws4_request";
        string text = $"{Algorithm}\n{instant}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical.ToString())))}";
        byte[] key = Encoding.UTF8.GetBytes("AWS4" + keys.SecretAccessKey.Reveal());
        foreach (string part in (ReadOnlySpan<string>)[day, region, service, "aws4_request"])
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        }

        string signature = Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
        HeaderWriter.Add(request.Headers, "Authorization", $"{Algorithm} Credential={keys.AccessKeyId}/{scope}, SignedHeaders={names}, Signature={signature}");
    }

    private static SortedDictionary<string, string> Signed(UpstreamMessage request)
    {
        SortedDictionary<string, string> signed = new(StringComparer.Ordinal)
        {
            ["host"] = request.Address.IsDefaultPort ? request.Address.IdnHost : $"{request.Address.IdnHost}:{request.Address.Port}",
        };
        foreach ((string name, string value) in request.Headers)
        {
            string lower = name.ToLowerInvariant();
            if (lower == "content-type" || lower.StartsWith("x-amz", StringComparison.Ordinal))
            {
                string trimmed = Collapse(value);
                signed[lower] = signed.TryGetValue(lower, out string? known) ? $"{known},{trimmed}" : trimmed;
            }
        }

        return signed;
    }

    /// <summary>Without spaces around it, and single ones within.</summary>
    private static string Collapse(string value) => string.Join(' ', value.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>What is sent is escaped once; all services but S3 sign it escaped once more.</summary>
    private static string CanonicalPath(Uri address)
    {
        string path = address.AbsolutePath;
        return path.Length == 0 ? "/" : string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
    }

    private static string CanonicalQuery(Uri address)
    {
        if (address.Query.Length < 2)
        {
            return "";
        }

        IEnumerable<string> pairs = address.Query[1..].Split('&').Select(static pair => pair.Contains('=', StringComparison.Ordinal) ? pair : pair + "=");
        return string.Join('&', pairs.Order(StringComparer.Ordinal));
    }
}
