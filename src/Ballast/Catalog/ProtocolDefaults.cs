using Ballast.Protocols;

namespace Ballast.Catalog;

/// <summary>Which protocols an endpoint is taken to speak unless the configuration says otherwise, the preferred one first; the table is in <c>docs/providers.md</c>.</summary>
internal static class ProtocolDefaults
{
    private static readonly Protocol[] s_chat = [ProtocolList.OpenAIChat];
    private static readonly Protocol[] s_messages = [ProtocolList.AnthropicMessages];

    public static IReadOnlyList<Protocol> Of(ProviderKind kind, string vendor) => kind switch
    {
        ProviderKind.Anthropic => s_messages,
        _ => s_chat,
    };

    /// <summary>Those written for a deployment, else those of its provider, else the kind's own.</summary>
    public static IReadOnlyList<Protocol> Choose(Provider provider, string vendor, IReadOnlyList<Protocol> written) =>
        written.Count > 0 ? written : provider.Protocols.Count > 0 ? provider.Protocols : Of(provider.Kind, vendor);

    /// <summary>The protocols of these names, which validation has checked.</summary>
    public static IReadOnlyList<Protocol> Named(IReadOnlyList<string> names) =>
        names.Count == 0
            ? []
            : [.. names.Select(static name => ProtocolList.Find(name) ?? throw new InvalidOperationException($"Protocol '{name}' is not in the list."))];
}
