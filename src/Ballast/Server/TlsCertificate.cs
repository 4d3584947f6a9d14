using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ballast.Configuration;
using Ballast.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ballast.Server;

/// <summary>
/// The certificate that the ports prove themselves with. Its files are looked at every second; a change is read once it has stood still for one look, and whatever cannot be used
/// leaves the last good one in use. Connections that stand go on with the one they began with.
/// </summary>
public sealed class TlsCertificate : IDisposable
{
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>One that ends sooner earns a warning at the start and at every change.</summary>
    public static readonly TimeSpan ExpiryNotice = TimeSpan.FromDays(14);

    private const int FileBytesMax = 1024 * 1024;

    private readonly TlsOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private volatile SslStreamCertificateContext _current;
    private volatile X509Certificate2Collection? _clientAuthorities;
    private string _loaded;
    private string _seen;
    private long _failures;

    private TlsCertificate(TlsOptions options, TimeProvider time, ILogger log)
    {
        (_options, _time, _log) = (options, time, log);
        _loaded = _seen = Look();
        _current = Read(options);
        _clientAuthorities = ReadAuthorities(options);
        Tell(_current.TargetCertificate);
        _timer = time.CreateTimer(static state => ((TlsCertificate)state!).LookAgain(), this, LookEvery, LookEvery);
    }

    /// <summary>For the next handshake.</summary>
    public SslStreamCertificateContext Current => _current;

    /// <summary>Those that clients' certificates must come from, on the ports that ask for one; null asks for none.</summary>
    public X509Certificate2Collection? ClientAuthorities => _clientAuthorities;

    /// <summary>When the one in use ends.</summary>
    public DateTimeOffset NotAfter => new(_current.TargetCertificate.NotAfter.ToUniversalTime());

    /// <summary>Changes that could not be used.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <exception cref="TlsException">The files hold no certificate with its key.</exception>
    public static TlsCertificate Open(TlsOptions options, TimeProvider time, ILogger log) => new(options, time, log);

    public void Dispose() => _timer.Dispose();

    private static SslStreamCertificateContext Read(TlsOptions options)
    {
        try
        {
            Check(options.CertificatePath);
            X509Certificate2Collection chain = [];
            X509Certificate2 leaf = IsPkcs12(options.CertificatePath) ? ReadPkcs12(options, chain) : ReadPem(options, chain);
            return leaf.HasPrivateKey
                ? SslStreamCertificateContext.Create(leaf, chain, offline: true)
                : throw new TlsException($"{options.CertificatePath} holds no private key: name it with 'key'.");
        }
        catch (CryptographicException fault)
        {
            throw new TlsException($"{options.CertificatePath} cannot be used: it holds no certificate, its key is another's, or the password is wrong.", fault);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new TlsException($"{options.CertificatePath}{(options.KeyPath is { } key ? " or " + key : "")} cannot be read: {fault.GetType().Name}.", fault);
        }
    }

    private static X509Certificate2Collection? ReadAuthorities(TlsOptions options)
    {
        if (options.ClientAuthorityPath is not { } path)
        {
            return null;
        }

        try
        {
            Check(path);
            X509Certificate2Collection authorities = [];
            authorities.ImportFromPemFile(path);
            return authorities.Count > 0 ? authorities : throw new TlsException($"{path} holds no certificate.");
        }
        catch (Exception fault) when (fault is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new TlsException($"{path} cannot be used: {fault.GetType().Name}.", fault);
        }
    }

    private static X509Certificate2 ReadPkcs12(TlsOptions options, X509Certificate2Collection chain)
    {
        chain.AddRange(X509CertificateLoader.LoadPkcs12CollectionFromFile(options.CertificatePath, options.Password?.Reveal()));
        X509Certificate2 leaf = chain.FirstOrDefault(static one => one.HasPrivateKey) ?? throw new TlsException($"{options.CertificatePath} holds no certificate with a private key.");
        chain.Remove(leaf);
        return leaf;
    }

    private static X509Certificate2 ReadPem(TlsOptions options, X509Certificate2Collection chain)
    {
        string key = options.KeyPath ?? options.CertificatePath;
        Check(key);
        X509Certificate2 leaf = options.Password is { } password
            ? X509Certificate2.CreateFromEncryptedPemFile(options.CertificatePath, password.Reveal(), key)
            : X509Certificate2.CreateFromPemFile(options.CertificatePath, key);
        chain.ImportFromPemFile(options.CertificatePath);
        chain.RemoveAt(0);
        return leaf;
    }

    private static void Check(string path)
    {
        FileInfo file = new(path);
        if (!file.Exists)
        {
            throw new TlsException($"there is no file {path}.");
        }

        if (file.Length > FileBytesMax)
        {
            throw new TlsException($"{path} is larger than {FileBytesMax / 1024} KiB.");
        }
    }

    private static bool IsPkcs12(string path) => Path.GetExtension(path).ToLowerInvariant() is ".pfx" or ".p12";

    private void LookAgain()
    {
        lock (_gate)
        {
            string now = Look();
            if (now != _loaded && now == _seen)
            {
                _loaded = now;
                Reload();
            }

            _seen = now;
        }
    }

    private void Reload()
    {
        try
        {
            SslStreamCertificateContext next = Read(_options);
            _clientAuthorities = ReadAuthorities(_options);
            _current = next;
            _log.TlsReloaded(next.TargetCertificate.Subject, NotAfter);
            Tell(next.TargetCertificate);
        }
        catch (TlsException fault)
        {
            Interlocked.Increment(ref _failures);
            _log.TlsRefused(fault.Message);
        }
    }

    private void Tell(X509Certificate2 certificate)
    {
        DateTimeOffset end = new(certificate.NotAfter.ToUniversalTime());
        if (end <= _time.GetUtcNow())
        {
            _log.TlsExpired(end);
        }
        else if (end - _time.GetUtcNow() < ExpiryNotice)
        {
            _log.TlsExpires(end);
        }
    }

    private string Look() => string.Join('|', ((string?[])[_options.CertificatePath, _options.KeyPath, _options.ClientAuthorityPath]).Where(static path => path is not null).Select(static path =>
        new FileInfo(path!) is { Exists: true } file ? $"{file.LastWriteTimeUtc.Ticks},{file.Length}" : "-1"));
}

/// <summary>TLS was asked for and cannot be had; the message names the file, never what stands in it.</summary>
public sealed class TlsException(string message, Exception? inner = null) : Exception(message, inner);
