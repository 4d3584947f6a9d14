using Ballast.Protocols.Conversation;

namespace Ballast.Prices;

/// <summary>The words for service tiers in files and reports.</summary>
public static class ServiceTierName
{
    public static string Of(ServiceTier tier) => tier switch
    {
        ServiceTier.Batch => "batch",
        ServiceTier.Flex => "flex",
        ServiceTier.Priority => "priority",
        _ => "standard",
    };

    /// <exception cref="FormatException">It is none of them.</exception>
    public static ServiceTier Read(string name) =>
        Enum.GetValues<ServiceTier>().Where(tier => Of(tier) == name).Select(static tier => (ServiceTier?)tier).FirstOrDefault()
            ?? throw new FormatException($"'{name}' is no service tier: standard, batch, flex or priority");
}
