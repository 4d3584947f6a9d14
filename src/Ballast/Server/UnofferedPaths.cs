namespace Ballast.Server;

/// <summary>Interfaces of the vendors' that their SDKs know and Ballast does not offer: who asks for one is told which it is, not that a path is unknown.</summary>
internal static class UnofferedPaths
{
    /// <summary>What may stand before an interface's own path.</summary>
    private static readonly string[] s_bases = ["/openai/v1/", "/anthropic/v1/", "/upload/v1beta/", "/openai/", "/v1beta/", "/v1alpha/", "/v1/", "/"];

    /// <summary>Where Google's models lie.</summary>
    private static readonly string[] s_models = ["/v1beta/models/", "/v1/models/", "/v1beta1/projects/", "/v1/projects/", "/v1beta1/publishers/", "/v1/publishers/"];

    /// <summary>First part of the path, and what lies there.</summary>
    private static readonly Dictionary<string, string> s_names = new(StringComparer.Ordinal)
    {
        ["assistants"] = "Assistants.",
        ["threads"] = "Threads of assistants.",
        ["vector_stores"] = "Vector stores.",
        ["fine_tuning"] = "Fine-tuning.",
        ["uploads"] = "Uploads in parts.",
        ["containers"] = "Containers.",
        ["evals"] = "Evaluations.",
        ["videos"] = "Videos.",
        ["realtime"] = "Realtime.",
        ["chatkit"] = "ChatKit.",
        ["organization"] = "Administration of a vendor's organisation.",
        ["organizations"] = "Administration of a vendor's organisation.",
        ["skills"] = "Skills.",
        ["agents"] = "Agents that a vendor runs.",
        ["sessions"] = "Agents that a vendor runs.",
        ["environments"] = "Agents that a vendor runs.",
        ["complete"] = "Text completions of Anthropic's.",
        ["files"] = "Files of this vendor's.",
        ["batches"] = "Batches of this vendor's.",
        ["cachedContents"] = "Cached contents.",
        ["tunedModels"] = "Tuned models.",
        ["interactions"] = "Interactions.",
        ["fileSearchStores"] = "File search stores.",
        ["auth_tokens"] = "Tokens for a vendor's live interface.",
        ["ws"] = "Live.",
        ["guardrail"] = "Guardrails.",
        ["async-invoke"] = "Asynchronous invocation.",
    };

    /// <summary>What <paramref name="path"/> is known for; null where it is known for nothing.</summary>
    public static string? Find(string path)
    {
        if (path.Contains("/chat/completions/", StringComparison.Ordinal))
        {
            return "Stored completions.";
        }

        // A verb behind a model's name, as Google writes it.
        if (path.LastIndexOf(':') > path.LastIndexOf('/') && s_models.Any(start => path.StartsWith(start, StringComparison.Ordinal)))
        {
            return "This method of a model.";
        }

        foreach (string start in s_bases)
        {
            if (path.StartsWith(start, StringComparison.Ordinal))
            {
                int end = path.IndexOf('/', start.Length);
                return s_names.GetValueOrDefault(end < 0 ? path[start.Length..] : path[start.Length..end]);
            }
        }

        return null;
    }
}
