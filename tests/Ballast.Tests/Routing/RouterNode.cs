using Ballast.Routing;
using Ballast.Routing.Metering;
using Ballast.Routing.Shares;

namespace Ballast.Tests.Routing;

/// <summary>What one gateway routes by, put together as <c>serve</c> does it; a test is its clock and its requests.</summary>
internal sealed class RouterNode
{
    public RouterNode(TimeProvider time, int seed)
    {
        Health = new HealthBook(time);
        Quotas = new QuotaBook(time);
        Control = new ShareControl(time);
        Router = new Router(Health, new Random(seed), Control, Quotas);
    }

    public HealthBook Health { get; }
    public QuotaBook Quotas { get; }
    public ShareControl Control { get; }
    public Router Router { get; }
}
