using Ballast.Exchanges;
using Ballast.Protocols.Conversation;

namespace Ballast.Guards.Leases;

/// <summary>This gateway's part of a limit or budget is used up, and the whole may not be: whoever can wait may try again once the part was asked to be made larger.</summary>
/// <param name="error">What the caller is told where there was not enough.</param>
/// <param name="code">Its code.</param>
/// <param name="unanswered">What it is told where nobody could be asked; null for the same.</param>
public sealed class LeaseShortException(ChatError error, string code, GatewayException? unanswered = null) : GatewayException(error, code)
{
    public GatewayException Unanswered => unanswered ?? this;
}
