using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Ballast.Sandbox.Aws;

/// <summary>
/// Checks Signature Version 4 as AWS does (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html): the canonical request is put together
/// anew from what came over the wire.
/// </summary>
internal sealed class SignatureCheck(AwsKeyRing keys)
{
    private const string Algorithm = "AWS4-HMAC-SHA256";
    private const string Host = "host";

    /// <summary>What HTTP/2 calls the host.</summary>
    private const string Authority = ":authority";

    private const string InstantForm = "yyyyMMdd'T'HHmmss'Z'";

    /// <summary>A signature is good for so long before and after its time.</summary>
    private static readonly TimeSpan s_skewMax = TimeSpan.FromMinutes(5);

    public static bool IsSigned(HttpRequest request) =>
        request.Headers.Authorization.ToString().StartsWith(Algorithm, StringComparison.Ordinal);

    /// <param name="request">As it came.</param>
    /// <param name="body">All of it.</param>
    /// <param name="region">For which it must be signed; null takes any.</param>
    /// <param name="services">For one of which it must be signed.</param>
    /// <exception cref="VendorErrorException">The request is not signed as it should be.</exception>
    public void Check(HttpRequest request, ReadOnlySpan<byte> body, string? region, IReadOnlyList<string> services)
    {
        Claim claim = Claim.Parse(request.Headers.Authorization.ToString());
        string instant = request.Headers["x-amz-date"].ToString();
        if (!DateTimeOffset.TryParseExact(instant, InstantForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset signedAt))
        {
            throw Incomplete($"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization={Algorithm}");
        }

        AwsKey key = keys.Find(claim.KeyId) ?? throw Unknown();
        string token = request.Headers["x-amz-security-token"].ToString();
        if (token != (key.SessionToken ?? ""))
        {
            throw Unknown();
        }

        if (key.Expires <= keys.Now)
        {
            throw AwsErrors.Forbidden("ExpiredTokenException", "The security token included in the request is expired");
        }

        CheckScope(claim, instant, region, services);
        CheckTime(instant, signedAt);
        CheckHeaders(claim, request);
        string wanted = Sign(key.Secret, claim, Text(claim, instant, Canonical(claim, request, body)));
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(wanted), Encoding.ASCII.GetBytes(claim.Signature)))
        {
            throw Invalid(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. "
                + "Consult the service documentation for details.");
        }
    }

    private static void CheckScope(Claim claim, string instant, string? region, IReadOnlyList<string> services)
    {
        if (claim.Day != instant[..8])
        {
            throw Invalid($"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{claim.Day}' != '{instant[..8]}', from '{instant}'.");
        }

        if (region is not null && claim.Region != region)
        {
            throw Invalid("Credential should be scoped to a valid region. ");
        }

        if (!services.Contains(claim.Service))
        {
            throw Invalid($"Credential should be scoped to correct service: '{services[0]}'. ");
        }
    }

    private void CheckTime(string instant, DateTimeOffset signedAt)
    {
        DateTimeOffset now = keys.Now;
        string told = now.UtcDateTime.ToString(InstantForm, CultureInfo.InvariantCulture);
        string limit = (signedAt < now ? now - s_skewMax : now + s_skewMax).UtcDateTime.ToString(InstantForm, CultureInfo.InvariantCulture);
        if (signedAt < now - s_skewMax)
        {
            throw Invalid($"Signature expired: {instant} is now earlier than {limit} ({told} - 5 min.)");
        }

        if (signedAt > now + s_skewMax)
        {
            throw Invalid($"Signature not yet current: {instant} is still later than {limit} ({told} + 5 min.)");
        }
    }

    private static void CheckHeaders(Claim claim, HttpRequest request)
    {
        IEnumerable<string> must = request.Headers.Keys.Select(static name => name.ToLowerInvariant())
            .Where(static name => name.StartsWith("x-amz-", StringComparison.Ordinal)).Append(Host);
        string[] missing = [.. must.Where(name => !claim.Headers.Contains(name) && !(name == Host && claim.Headers.Contains(Authority)))];
        if (missing.Length > 0)
        {
            throw Invalid($"'{missing[0]}' must be a 'SignedHeader' in the AWS Authorization.");
        }
    }

    private static string Canonical(Claim claim, HttpRequest request, ReadOnlySpan<byte> body)
    {
        string[] target = request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?', 2);
        string hash = Convert.ToHexStringLower(SHA256.HashData(body));
        string told = request.Headers["x-amz-content-sha256"].ToString();
        if (told.Length > 0 && told != hash)
        {
            throw Invalid("The provided 'x-amz-content-sha256' header does not match what was computed.");
        }

        StringBuilder text = new();
        text.Append(request.Method).Append('\n').Append(Escape(target[0], keepSlash: true)).Append('\n');
        text.Append(target.Length < 2 ? "" : Query(target[1])).Append('\n');
        foreach (string name in claim.Headers)
        {
            IEnumerable<string?> values = name is Host or Authority ? [request.Host.Value] : request.Headers[name];
            text.Append(name).Append(':').AppendJoin(',', values.Select(static value => Squeeze(value ?? ""))).Append('\n');
        }

        return text.Append('\n').AppendJoin(';', claim.Headers).Append('\n').Append(hash).ToString();
    }

    private static string Query(string query) => string.Join(
        '&',
        query.Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(static pair => pair.Split('=', 2))
            .Select(static pair => (Name: Escape(Uri.UnescapeDataString(pair[0]), false), Value: pair.Length < 2 ? "" : Escape(Uri.UnescapeDataString(pair[1]), false)))
            .OrderBy(static pair => pair.Name, StringComparer.Ordinal).ThenBy(static pair => pair.Value, StringComparer.Ordinal)
            .Select(static pair => $"{pair.Name}={pair.Value}"));

    private static string Squeeze(string value)
    {
        StringBuilder text = new();
        foreach (char next in value.Trim())
        {
            if (next != ' ' || text[^1] != ' ')
            {
                text.Append(next);
            }
        }

        return text.ToString();
    }

    /// <summary>Everything but letters, digits and four signs becomes <c>%XX</c>: a path that came escaped is escaped once more.</summary>
    private static string Escape(string text, bool keepSlash)
    {
        StringBuilder escaped = new();
        foreach (byte next in Encoding.UTF8.GetBytes(text))
        {
            char letter = (char)next;
            bool isPlain = char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.' or '_' or '~' || (letter == '/' && keepSlash);
            escaped.Append(isPlain ? letter.ToString() : "%" + next.ToString("X2", CultureInfo.InvariantCulture));
        }

        return escaped.ToString();
    }

    private static string Text(Claim claim, string instant, string canonical) =>
        $"{Algorithm}\n{instant}\n{claim.Day}/{claim.Region}/{claim.Service}/aws4_request\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";

    private static string Sign(string secret, Claim claim, string text)
    {
        byte[] ofDay = Mac(Encoding.UTF8.GetBytes("AWS4" + secret), claim.Day);
        byte[] ofRegion = Mac(ofDay, claim.Region);
        byte[] ofService = Mac(ofRegion, claim.Service);
        byte[] ofRequest = Mac(ofService, "aws4_request");
        return Convert.ToHexStringLower(Mac(ofRequest, text));
    }

    private static byte[] Mac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    private static VendorErrorException Invalid(string message) => AwsErrors.Forbidden("InvalidSignatureException", message);

    private static VendorErrorException Incomplete(string message) => new(new VendorError(403, "IncompleteSignatureException", message));

    private static VendorErrorException Unknown() =>
        AwsErrors.Forbidden("UnrecognizedClientException", "The security token included in the request is invalid.");

    /// <summary>What the <c>Authorization</c> header says.</summary>
    private sealed record Claim(string KeyId, string Day, string Region, string Service, IReadOnlyList<string> Headers, string Signature)
    {
        public static Claim Parse(string header)
        {
            Dictionary<string, string> parts = header[Algorithm.Length..].Split(',', StringSplitOptions.TrimEntries)
                .Select(static part => part.Split('=', 2)).Where(static part => part.Length == 2)
                .ToDictionary(static part => part[0], static part => part[1]);
            string[] scope = parts.GetValueOrDefault("Credential", "").Split('/');
            if (!parts.TryGetValue("SignedHeaders", out string? headers) || !parts.TryGetValue("Signature", out string? signature) || scope is not [var key, var day, var region, var service, "aws4_request"])
            {
                throw Incomplete($"Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters. Authorization={Algorithm}");
            }

            return new Claim(key, day, region, service, headers.Split(';'), signature);
        }
    }
}
