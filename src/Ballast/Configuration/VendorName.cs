namespace Ballast.Configuration;

/// <summary>Tells who makes a model from the model's name, for providers that accept any model. Written deployments always name their vendor.</summary>
public static class VendorName
{
    /// <summary>As a provider's <c>vendor</c>: tell it from the model's name.</summary>
    public const string ByName = "by-name";

    /// <summary>Where the name tells nothing.</summary>
    public const string Unknown = "unknown";

    /// <summary>Beginnings of model names, after any <c>org/</c> or <c>region.</c> prefix.</summary>
    private static readonly (string Start, string Vendor)[] Families =
    [
        ("gpt-", "openai"), ("o1", "openai"), ("o3", "openai"), ("o4", "openai"), ("chatgpt", "openai"), ("text-embedding-", "openai"), ("openai", "openai"),
        ("claude", "anthropic"), ("anthropic", "anthropic"), ("llama", "meta"), ("meta", "meta"),
        ("gemini", "google"), ("gemma", "google"), ("google", "google"),
        ("mistral", "mistral"), ("mixtral", "mistral"), ("codestral", "mistral"), ("ministral", "mistral"), ("magistral", "mistral"),
        ("devstral", "mistral"), ("pixtral", "mistral"), ("qwen", "alibaba"), ("qwq", "alibaba"), ("deepseek", "deepseek"), ("grok", "xai"), ("x-ai", "xai"),
        ("xai", "xai"), ("command", "cohere"), ("cohere", "cohere"), ("kimi", "moonshot"), ("moonshot", "moonshot"), ("glm", "zai"), ("nova", "amazon"),
        ("amazon", "amazon"), ("phi", "microsoft"), ("microsoft", "microsoft"), ("nemotron", "nvidia"), ("granite", "ibm"),
    ];

    /// <summary>The vendor as written or, for <see cref="ByName"/>, as the model's name tells.</summary>
    public static string Of(string? written, string model) => written is null or ByName ? FromModel(model) : written;

    private static string FromModel(string model)
    {
        foreach (string part in model.ToLowerInvariant().Split('/', '.'))
        {
            foreach ((string start, string vendor) in Families)
            {
                if (part.StartsWith(start, StringComparison.Ordinal))
                {
                    return vendor;
                }
            }
        }

        return Unknown;
    }
}
