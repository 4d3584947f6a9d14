namespace Ballast.Protocols.Tests.Wire;

/// <summary>What the address of a request says, for protocols that have model and streaming there.</summary>
public static class Addresses
{
    public static RequestAddress Of(string protocol, string model, bool stream = true) =>
        protocol is "gemini" or "bedrock-converse" or "bedrock-invoke" ? new RequestAddress(model, stream ? StreamForm.Events : StreamForm.Whole) : default;
}
