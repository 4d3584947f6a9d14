using System.Reflection;
using Ballast.Exchanges;

namespace Ballast.Tests.Exchanges;

public sealed class GatewayErrorListTests
{
    [Fact]
    public void Find_EveryErrorThereIs_IsFoundByItsCode()
    {
        GatewayError[] all = [.. typeof(GatewayError).GetFields(BindingFlags.Public | BindingFlags.Static).Select(static field => field.GetValue(null)).OfType<GatewayError>()];

        Assert.NotEmpty(all);
        Assert.All(all, static error => Assert.Same(error, GatewayError.Find(error.Code)));
        Assert.Null(GatewayError.Find("upstream_status_503"));
    }
}
