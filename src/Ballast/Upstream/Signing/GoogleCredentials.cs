using System.Buffers;
using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Configuration;
using Ballast.Upstream.Framework;

namespace Ballast.Upstream.Signing;

/// <summary>
/// Access tokens of Google Cloud: for a service account by a signed assertion (RFC 7523), for another party's workload by exchange of its token (RFC 8693, workload identity
/// federation), for a user's own credentials by their refresh token, and on Google's own machines from the metadata server. Where and how is in the credentials file as
/// Google writes it, read anew for every token.
/// </summary>
/// <param name="File">The credentials file; null asks the metadata server.</param>
/// <param name="MetadataHost">Where the metadata server is, on this machine or its link; null means its usual address.</param>
/// <param name="AllowPrivate">Token endpoints may lie in private address space, and be of plain http.</param>
/// <param name="Ca">Trusted beside what the machine trusts.</param>
public sealed record GoogleCredentials(string? File, string? MetadataHost, bool AllowPrivate, CertificateAuthority? Ca) : CredentialSource
{
    /// <summary>What all of Vertex AI is asked with.</summary>
    private const string Scope = "https://www.googleapis.com/auth/cloud-platform";

    private const string DefaultTokenUrl = "https://oauth2.googleapis.com/token";

    private const string MetadataAddress = "169.254.169.254";

    private const string MetadataPath = "/computeMetadata/v1/instance/service-accounts/default/token";

    /// <summary>Clocks that differ by less are not why a token is refused.</summary>
    private static readonly TimeSpan SkewMin = TimeSpan.FromSeconds(30);

    /// <summary>Largest answer and file taken, in bytes.</summary>
    private const int BytesMax = 256 * 1024;

    private const int AssertionSeconds = 3600;

    private readonly Lock _lock = new();
    private HttpClient? _http;

    /// <summary>How far Google's clock is ahead of this machine's, in ticks: learned from a refusal, since assertions bear the hour.</summary>
    private long _skewTicks;

    public bool Equals(GoogleCredentials? other) => other is not null && other.File == File && other.MetadataHost == MetadataHost && other.AllowPrivate == AllowPrivate && Equals(other.Ca, Ca);

    public override int GetHashCode() => HashCode.Combine(File, MetadataHost, AllowPrivate, Ca);

    public override async Task<Credential> FetchAsync(TimeSpan connectTimeout, CancellationToken cancellation)
    {
        try
        {
            HttpClient http = Client(connectTimeout);
            if (File is null)
            {
                using HttpRequestMessage request = new(HttpMethod.Get, $"http://{MetadataHost ?? MetadataAddress}{MetadataPath}");
                request.Headers.Add("Metadata-Flavor", "Google");
                return await AskAsync(http, request, cancellation).ConfigureAwait(false);
            }

            using JsonDocument file = await ReadAsync(File, cancellation).ConfigureAwait(false);
            return Text(file.RootElement, "type") switch
            {
                "service_account" => await SignedAsync(http, file.RootElement, cancellation).ConfigureAwait(false),
                "external_account" => await ExchangedAsync(http, file.RootElement, cancellation).ConfigureAwait(false),
                "authorized_user" => await RefreshedAsync(http, file.RootElement, cancellation).ConfigureAwait(false),
                _ => throw new CredentialsUnavailableException("credentials file of an unknown type", isRefused: true),
            };
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or CryptographicException or ArgumentException or KeyNotFoundException)
        {
            throw new CredentialsUnavailableException("credentials file or answer unreadable", isRefused: false);
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CredentialsUnavailableException("credentials file unreadable", isRefused: false);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException and not CredentialsUnavailableException)
        {
            throw new CredentialsUnavailableException("unreachable", isRefused: false);
        }
    }

    /// <summary>Where an assertion is refused and the answer shows another hour than this machine's clock, it is made once more for that hour.</summary>
    private async Task<Credential> SignedAsync(HttpClient http, JsonElement file, CancellationToken cancellation)
    {
        string tokenUrl = Text(file, "token_uri") ?? DefaultTokenUrl;
        try
        {
            return await GrantAsync().ConfigureAwait(false);
        }
        catch (CredentialsUnavailableException refused) when (refused is { Reason: "invalid_grant", Date: { } date } && Learns(date))
        {
            return await GrantAsync().ConfigureAwait(false);
        }

        Task<Credential> GrantAsync() => PostAsync(
            http, tokenUrl, cancellation, ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", Assertion(file, tokenUrl)));
    }

    private bool Learns(DateTimeOffset date)
    {
        TimeSpan skew = date - TimeProvider.System.GetUtcNow();
        bool isNew = (skew - TimeSpan.FromTicks(Interlocked.Read(ref _skewTicks))).Duration() > SkewMin;
        if (isNew)
        {
            Interlocked.Exchange(ref _skewTicks, skew.Ticks);
        }

        return isNew;
    }

    private string Assertion(JsonElement file, string tokenUrl)
    {
        long now = (TimeProvider.System.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _skewTicks))).ToUnixTimeSeconds();
        JsonObject head = new() { ["alg"] = "RS256", ["typ"] = "JWT", ["kid"] = Text(file, "private_key_id") };
        JsonObject claims = new()
        {
            ["iss"] = Required(file, "client_email"), ["scope"] = Scope, ["aud"] = tokenUrl, ["iat"] = now, ["exp"] = now + AssertionSeconds,
        };
        string signed = $"{Encode(head)}.{Encode(claims)}";
        using RSA key = RSA.Create();
        key.ImportFromPem(Required(file, "private_key"));
        return $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    private Task<Credential> RefreshedAsync(HttpClient http, JsonElement file, CancellationToken cancellation) => PostAsync(
        http, Text(file, "token_uri") ?? DefaultTokenUrl, cancellation, ("grant_type", "refresh_token"), ("client_id", Required(file, "client_id")),
        ("client_secret", Required(file, "client_secret")), ("refresh_token", Required(file, "refresh_token")));

    private async Task<Credential> ExchangedAsync(HttpClient http, JsonElement file, CancellationToken cancellation)
    {
        string subject = await SubjectAsync(file.GetProperty("credential_source"), cancellation).ConfigureAwait(false);
        Credential federated = await PostAsync(
            http, Required(file, "token_url"), cancellation, ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("audience", Required(file, "audience")),
            ("scope", Scope), ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"), ("subject_token", subject),
            ("subject_token_type", Required(file, "subject_token_type"))).ConfigureAwait(false);
        if (Text(file, "service_account_impersonation_url") is not { } url)
        {
            return federated;
        }

        // The workload's own token may act as a service account: a second token, for that account.
        using HttpRequestMessage request = new(HttpMethod.Post, Checked(url))
        {
            Content = new StringContent($$"""{"scope":["{{Scope}}"]}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = AuthenticationHeaderValue.Parse(((BearerToken)federated).Authorization.Reveal());
        return await AskAsync(http, request, cancellation).ConfigureAwait(false);
    }

    /// <summary>The other party's token: a file, as text or as a field of JSON.</summary>
    private static async Task<string> SubjectAsync(JsonElement source, CancellationToken cancellation)
    {
        if (Text(source, "file") is not { } path)
        {
            throw new CredentialsUnavailableException("credential_source is not a file", isRefused: true);
        }

        bool isJson = source.TryGetProperty("format", out JsonElement format) && Text(format, "type") == "json";
        if (!isJson)
        {
            return (await System.IO.File.ReadAllTextAsync(path, cancellation).ConfigureAwait(false)).Trim();
        }

        using JsonDocument held = await ReadAsync(path, cancellation).ConfigureAwait(false);
        return Required(held.RootElement, Required(format, "subject_token_field_name"));
    }

    private async Task<Credential> PostAsync(HttpClient http, string url, CancellationToken cancellation, params (string Name, string Value)[] form)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, Checked(url))
        {
            Content = new FormUrlEncodedContent(form.Select(static field => new KeyValuePair<string, string>(field.Name, field.Value))),
        };
        return await AskAsync(http, request, cancellation).ConfigureAwait(false);
    }

    private static async Task<Credential> AskAsync(HttpClient http, HttpRequestMessage request, CancellationToken cancellation)
    {
        using HttpResponseMessage answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        await answer.Content.LoadIntoBufferAsync(BytesMax, cancellation).ConfigureAwait(false);
        int status = (int)answer.StatusCode;
        byte[] body = await answer.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
        if (status is < 200 or >= 300)
        {
            throw new CredentialsUnavailableException(CodeOf(body) ?? $"status {status}", isRefused: status is >= 400 and < 500 and not (408 or 429)) { Date = answer.Headers.Date };
        }

        using JsonDocument document = JsonDocument.Parse(body);
        JsonElement root = document.RootElement;
        if (Text(root, "accessToken") is { } impersonated)
        {
            // An hour of Google's clock: it is that clock's distance to it that counts.
            DateTimeOffset now = answer.Headers.Date ?? TimeProvider.System.GetUtcNow();
            return new BearerToken(impersonated, root.GetProperty("expireTime").GetDateTimeOffset() - now);
        }

        return new BearerToken(Required(root, "access_token"), TimeSpan.FromSeconds(root.GetProperty("expires_in").GetDouble()));
    }

    /// <summary>The error's own word, where it is one: messages repeat what was sent.</summary>
    private static string? CodeOf(byte[] body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            string? word = Text(document.RootElement, "error")
                ?? (document.RootElement.TryGetProperty("error", out JsonElement error) ? Text(error, "status") : null);
            return word is { Length: > 0 and <= 64 } && word.All(static letter => char.IsAsciiLetter(letter) || letter == '_') ? word : null;
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private Uri Checked(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out Uri? address) && (address.Scheme == Uri.UriSchemeHttps || (AllowPrivate && address.Scheme == Uri.UriSchemeHttp))
            ? address
            : throw new CredentialsUnavailableException("token endpoint without https", isRefused: true);

    private HttpClient Client(TimeSpan connectTimeout)
    {
        lock (_lock)
        {
            // The metadata server has an address that no provider may have, so only there.
            Func<IPAddress, bool> isAllowed = File is null ? AddressPolicy.IsIdentityEndpoint : address => AddressPolicy.IsAllowed(address, AllowPrivate);
            return _http ??= new HttpClient(FrameworkPool.NewHandler(isAllowed, Ca, connectTimeout));
        }
    }

    private static async Task<JsonDocument> ReadAsync(string path, CancellationToken cancellation)
    {
        byte[] text = await System.IO.File.ReadAllBytesAsync(path, cancellation).ConfigureAwait(false);
        return text.Length <= BytesMax ? JsonDocument.Parse(text) : throw new CredentialsUnavailableException("credentials file too large", isRefused: true);
    }

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Required(JsonElement element, string name) =>
        Text(element, name) ?? throw new CredentialsUnavailableException($"'{name}' is missing", isRefused: false);

    private static string Encode(JsonObject part)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter json = new(bytes))
        {
            part.WriteTo(json);
        }

        return Base64Url.EncodeToString(bytes.WrittenSpan);
    }
}
