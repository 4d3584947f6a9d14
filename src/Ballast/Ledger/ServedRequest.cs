using Ballast.Protocols.Conversation;

namespace Ballast.Ledger;

/// <summary>What has to be known of an answered request to route it once more.</summary>
public sealed record ServedRequest(DateTimeOffset At, string KeyId, string RequestedModel, string Protocol, string Deployment, Usage Usage);
