using System.Net;
using Ballast.Upstream;

namespace Ballast.Tests.Upstream;

public class AddressPolicyTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.8.9.10")]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("10.1.2.3")]
    [InlineData("100.64.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.1.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("fc00::1")]
    [InlineData("fe80::1")]
    [InlineData("ff02::1")]
    [InlineData("::127.0.0.1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("2001:0:1:2:3:4:80ff:fffe")]
    [InlineData("fec0::1")]
    public void IsAllowed_PrivateAddress_OnlyWhereConfigured(string address)
    {
        Assert.False(AddressPolicy.IsAllowed(IPAddress.Parse(address), allowPrivate: false));
    }

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("fd00:ec2::254")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("2002:a9fe:a9fe::")]
    [InlineData("168.63.129.16")]
    public void IsAllowed_MetadataService_Never(string address)
    {
        Assert.False(AddressPolicy.IsAllowed(IPAddress.Parse(address), allowPrivate: true));
    }

    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("172.32.0.1")]
    [InlineData("100.128.0.1")]
    [InlineData("2606:4700::1111")]
    public void IsAllowed_PublicAddress_Is(string address)
    {
        Assert.True(AddressPolicy.IsAllowed(IPAddress.Parse(address), allowPrivate: false));
    }

    [Fact]
    public async Task ConnectAsync_LoopbackName_IsRefusedBeforeAnyConnection()
    {
        await Assert.ThrowsAsync<AddressRefusedException>(async () =>
            await AddressPolicy.ConnectAsync(new DnsEndPoint("localhost", 9), address => AddressPolicy.IsAllowed(address, allowPrivate: false), TestContext.Current.CancellationToken));
    }
}
