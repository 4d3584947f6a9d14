using System.Net;
using System.Net.Sockets;

namespace Ballast.Upstream;

/// <summary>Which addresses an upstream may have. Checked where the connection is made, on the address that is dialled: a name cannot resolve differently afterwards.</summary>
public static class AddressPolicy
{
    private static readonly IPNetwork[] Private =
    [
        IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("100.64.0.0/10"), IPNetwork.Parse("127.0.0.0/8"),
        IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("172.16.0.0/12"), IPNetwork.Parse("192.0.0.0/24"), IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("192.88.99.0/24"), IPNetwork.Parse("198.18.0.0/15"), IPNetwork.Parse("224.0.0.0/3"), IPNetwork.Parse("::/96"),
        IPNetwork.Parse("64:ff9b::/96"), IPNetwork.Parse("64:ff9b:1::/48"), IPNetwork.Parse("100::/64"), IPNetwork.Parse("2001::/32"),
        IPNetwork.Parse("2002::/16"), IPNetwork.Parse("fc00::/7"), IPNetwork.Parse("fe80::/10"), IPNetwork.Parse("fec0::/10"), IPNetwork.Parse("ff00::/8"),
    ];

    /// <summary>Instance metadata services: refused even where private addresses are allowed.</summary>
    private static readonly IPAddress[] Metadata =
    [
        IPAddress.Parse("169.254.169.254"), IPAddress.Parse("169.254.170.2"), IPAddress.Parse("169.254.170.23"), IPAddress.Parse("168.63.129.16"),
        IPAddress.Parse("100.100.100.200"), IPAddress.Parse("fd00:ec2::254"), IPAddress.Parse("fd00:ec2::23"), IPAddress.Parse("fd20:ce::254"),
    ];

    public static bool IsAllowed(IPAddress address, bool allowPrivate)
    {
        // A scope (fe80::1%2) makes two addresses unequal that are the same.
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : new IPAddress(address.GetAddressBytes());
        if (Array.IndexOf(Metadata, plain) >= 0 || (Embedded(plain) is { } inner && Array.IndexOf(Metadata, inner) >= 0))
        {
            return false;
        }

        return allowPrivate || !Array.Exists(Private, network => network.BaseAddress.AddressFamily == plain.AddressFamily && network.Contains(plain));
    }

    /// <summary>Where a platform tells the machines on it who they are: its metadata service, or an agent on this machine.</summary>
    public static bool IsIdentityEndpoint(IPAddress address) => IPAddress.IsLoopback(address) || address.Equals(Metadata[0]);

    /// <summary>The IPv4 address that a translator takes out of this one (NAT64, 6to4, IPv4-compatible); null where there is none.</summary>
    private static IPAddress? Embedded(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return null;
        }

        ReadOnlySpan<byte> bytes = address.GetAddressBytes();
        bool is6To4 = bytes is [0x20, 0x02, ..];
        bool isLast = bytes.StartsWith((ReadOnlySpan<byte>)[0x00, 0x64, 0xff, 0x9b]) || !bytes[..12].ContainsAnyExcept((byte)0);
        return is6To4 ? new IPAddress(bytes.Slice(2, 4)) : isLast ? new IPAddress(bytes.Slice(12, 4)) : null;
    }

    /// <summary>Resolves a name and checks every address.</summary>
    /// <exception cref="AddressRefusedException">An address is not allowed.</exception>
    public static async ValueTask<IPAddress[]> ResolveAsync(string host, Func<IPAddress, bool> isAllowed, CancellationToken cancellation)
    {
        // The resolver throws on 0.0.0.0 and ::, which are to be refused like any other address.
        IPAddress[] addresses = IPAddress.TryParse(host, out IPAddress? literal)
            ? [literal]
            : await Dns.GetHostAddressesAsync(host, cancellation).ConfigureAwait(false);
        return Array.TrueForAll(addresses, address => isAllowed(address)) ? addresses : throw new AddressRefusedException();
    }

    /// <summary>Resolves, checks every address, connects to a checked one.</summary>
    /// <exception cref="AddressRefusedException">An address is not allowed.</exception>
    public static async ValueTask<Stream> ConnectAsync(DnsEndPoint endPoint, Func<IPAddress, bool> isAllowed, CancellationToken cancellation)
    {
        IPAddress[] addresses = await ResolveAsync(endPoint.Host, isAllowed, cancellation).ConfigureAwait(false);
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, endPoint.Port, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>An upstream's name resolves to an address that is not allowed. The message names none.</summary>
public sealed class AddressRefusedException() : IOException("The upstream's address is not allowed.");
