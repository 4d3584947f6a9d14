using System.Net;
using System.Net.Sockets;
using Ballast.Catalog;
using Ballast.Configuration.Policies;
using Ballast.Routing.Shares;

namespace Ballast.Balance;

/// <summary>Where an account's address really lies, by the ranges that the user has of clouds.</summary>
/// <param name="Provider">The account.</param>
/// <param name="Host">Its endpoint's name.</param>
/// <param name="Found">Components in whose ranges an address of it lies; empty where none does.</param>
/// <param name="Fault">Why it is not known; null where it is.</param>
public sealed record ObservedPlace(Provider Provider, string Host, IReadOnlyList<Component> Found, string? Fault)
{
    /// <summary>How long one name may take.</summary>
    public static readonly TimeSpan ResolveTimeout = TimeSpan.FromSeconds(3);

    /// <summary>A platform or region in whose range it lies, and that the configuration names otherwise.</summary>
    public IEnumerable<Component> Mismatches => Found.Where(found => found.Kind switch
    {
        ComponentKind.Platform => found.Name != Provider.Platform,
        ComponentKind.Region => found.Name != Provider.Region,
        _ => false,
    });

    /// <summary>As links of the component graph.</summary>
    public IEnumerable<ComponentLink> ToLinks() =>
        Found.Select(found => new ComponentLink(new Component(ComponentKind.Provider, Provider.Name), found, Provenance.Observed, $"an address of {Host} lies in its range"));

    /// <summary>Reads the range files that the component graph names; paths are relative to the folder.</summary>
    /// <exception cref="FormatException">A file cannot be read, or holds no range.</exception>
    public static IReadOnlyList<(Component Component, CloudRanges Ranges)> ReadRanges(PolicyFolder folder)
    {
        List<(Component, CloudRanges)> read = [];
        foreach (WrittenRange written in folder.ReadRanges())
        {
            string path = Path.Combine(folder.Path, written.File);
            try
            {
                CloudRanges ranges = new FileInfo(path) is { Exists: true, Length: > CloudRanges.FileBytesMax } ? throw new FormatException($"{path} is larger than {CloudRanges.FileBytesMax / 1024 / 1024} MiB") : CloudRanges.Parse(File.ReadAllText(path));
                read.Add((ComponentMapBuilder.Of(written.Component), ranges.Count > 0 ? ranges : throw new FormatException($"{path} holds no address range such as 192.0.2.0/24")));
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                throw new FormatException($"the range file {path} cannot be read: {fault.Message}");
            }
        }

        return read;
    }

    /// <summary>Looks every account's address up; none where there are no ranges.</summary>
    /// <param name="catalog">The accounts.</param>
    /// <param name="ranges">See <see cref="ReadRanges"/>.</param>
    /// <param name="resolve">A name's addresses.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<IReadOnlyList<ObservedPlace>> FindAsync(
        CatalogSnapshot catalog, IReadOnlyList<(Component Component, CloudRanges Ranges)> ranges, Func<string, CancellationToken, Task<IPAddress[]>> resolve, CancellationToken cancellation)
    {
        return ranges.Count == 0 ? [] : await Task.WhenAll(
            catalog.Providers.Values.OrderBy(static provider => provider.Name, StringComparer.Ordinal).Select(provider => LookAsync(provider, ranges, resolve, cancellation))).ConfigureAwait(false);
    }

    private static async Task<ObservedPlace> LookAsync(
        Provider provider, IReadOnlyList<(Component Component, CloudRanges Ranges)> ranges, Func<string, CancellationToken, Task<IPAddress[]>> resolve, CancellationToken cancellation)
    {
        string host = provider.BaseAddress.IdnHost;
        try
        {
            IPAddress[] addresses = IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? literal) ? [literal]
                : await resolve(host, cancellation).WaitAsync(ResolveTimeout, TimeProvider.System, cancellation).ConfigureAwait(false);
            return new ObservedPlace(provider, host, [.. ranges.Where(range => addresses.Any(range.Ranges.Contains)).Select(static range => range.Component).Distinct()], null);
        }
        catch (Exception fault) when (fault is SocketException or TimeoutException or ArgumentException)
        {
            return new ObservedPlace(provider, host, [], "its address could not be found");
        }
    }
}
