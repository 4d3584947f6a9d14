using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Tests.Ledger;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Configuration;

public sealed class CertificateReaderTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(Start);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(15, null)]
    [InlineData(13, "a certificate of 'ca' expires on 2026-01-14")]
    [InlineData(-1, "a certificate of 'ca' expired on 2025-12-31")]
    public void Load_CertificateOfAnAuthority_WarnsInTime(int days, string? warning)
    {
        WriteAuthority("A", Start.AddDays(days));

        LoadResult result = Load();

        Assert.True(result.IsValid, ValidConfiguration.Print(result));
        Assert.Single(result.Options!.Providers[0].Ca!.Certificates);
        Assert.Equal(warning, result.Faults.FirstOrDefault(static fault => fault.Path.EndsWith(".ca", StringComparison.Ordinal))?.Message);
    }

    [Fact]
    public void Load_NoFile_WarnsAndTrustsNothingMore()
    {
        LoadResult result = Load();

        Assert.Null(result.Options!.Providers[0].Ca);
        ConfigurationFault fault = Assert.Single(result.Faults, static fault => fault.Path == "providers.own.ca");
        Assert.Equal((true, 7), (fault.IsWarning, fault.Line));
    }

    [Theory]
    [InlineData("no certificate at all")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    public void Load_AFileThatIsNone_IsAFault(string text)
    {
        File.WriteAllText(_folder.File("ca.pem"), text);

        LoadResult result = Load();

        Assert.Contains(result.Faults, static fault => fault is { IsWarning: false, Message: "the file of 'ca' holds no certificate" });
    }

    [Fact]
    public async Task Watcher_CertificateChanges_ReloadsAndTheAuthorityIsAnother()
    {
        WriteAuthority("A", Start.AddDays(100));
        File.WriteAllText(_folder.File("ballast.yaml"), Yaml);
        BallastOptions options = Load().Options!;
        CatalogHolder holder = new(CatalogBuilder.Build(options, 1), options);
        CertificateAuthority before = holder.Current.Providers["own"].Ca!;
        CatalogWatcher watcher = new(holder, _folder.File("ballast.yaml"), ValidConfiguration.Environment, _time);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        int reloads = 0;
        Task running = watcher.RunAsync(_ => reloads++, stop.Token);

        WriteAuthority("B with another length", Start.AddDays(100));
        for (int i = 0; i < 200 && Volatile.Read(ref reloads) == 0; i++)
        {
            _time.Advance(CatalogWatcher.Interval);
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, stop.Token);
        }

        for (int i = 0; i < 10; i++)
        {
            _time.Advance(CatalogWatcher.Interval);
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, stop.Token);
        }

        await stop.CancelAsync();
        await running;
        Assert.Equal(1, reloads);
        Assert.NotEqual(before, holder.Current.Providers["own"].Ca);
    }

    private const string Yaml = """
        providers:
          own:
            kind: openai-compatible
            platform: local
            region: local
            base_url: https://gpu.example
            ca: ca.pem
            data: { geo: eu, retention_days: 30, training: false }
            any_model: true
            vendor: meta
        keys:
          demo: { key_env: OTHER_KEY, allow: { geo: [eu] } }
        """;

    private LoadResult Load() => OptionsLoader.Load(Yaml.ReplaceLineEndings("\n"), _folder.File("ballast.yaml"), ValidConfiguration.Environment, _time);

    private void WriteAuthority(string name, DateTimeOffset end)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).CreateSelfSigned(Start.AddDays(-100), end);
        File.WriteAllText(_folder.File("ca.pem"), certificate.ExportCertificatePem());
    }
}
