namespace Ballast.Sandbox;

/// <summary>The interfaces whose recorded exchanges can be replayed, by the names that recordings give them. Which provider answered says nothing of how the bytes look.</summary>
public static class WireApi
{
    public const string Chat = "chat_completions";

    public const string Messages = "messages";

    public const string Responses = "responses";

    public const string Gemini = "generate_content";

    public const string GeminiStream = "stream_generate_content";

    public const string Converse = "converse";

    public const string ConverseStream = "converse_stream";

    /// <summary>Bedrock's InvokeModel: a vendor's own bodies. Those of Claude are Messages.</summary>
    public const string Invoke = "invoke_model";

    public const string Ollama = "ollama_chat";

    public const string Cohere = "cohere_chat";

    /// <summary>How bodies of an interface look: several interfaces may share one form, which has the name of one of them.</summary>
    public static string FormOf(string api) => api switch
    {
        GeminiStream => Gemini,
        ConverseStream => Converse,
        Invoke => Messages,
        _ => api,
    };

    /// <summary>It is an interface of chat, which is translated.</summary>
    public static bool IsKnown(string api) => FormOf(api) is Chat or Messages or Responses or Gemini or Converse or Ollama or Cohere;

    /// <summary>The form into which it is brought, and back.</summary>
    public static string Other(string api) => FormOf(api) == Chat ? Messages : Chat;

    /// <summary>The form's name for people.</summary>
    public static string TitleOf(string api) => FormOf(api) switch
    {
        Chat => "Chat Completions",
        Messages => "Messages",
        Responses => "Responses",
        Gemini => "Gemini",
        Converse => "Converse",
        Ollama => "Ollama's chat",
        Cohere => "Cohere's chat",
        _ => api,
    };
}
