namespace Ballast.Sandbox;

/// <summary>The interfaces whose recorded exchanges can be replayed, by the names that recordings give them.</summary>
public static class WireApi
{
    public const string Chat = "chat_completions";

    public const string Messages = "messages";

    public static bool IsKnown(string api) => api is Chat or Messages;

    /// <summary>The other of the two.</summary>
    public static string Other(string api) => api == Messages ? Chat : Messages;
}
