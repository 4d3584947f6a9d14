using Microsoft.AspNetCore.Http.Features;

namespace Ballast.Sandbox.Bedrock;

/// <summary>What a path of the runtime says: the model, and what is wanted of it. The model's id may hold a slash or a colon, raw or escaped.</summary>
internal sealed record RuntimePath(string Model, string Operation)
{
    public const string Prefix = "/model/";

    public bool IsStream => Operation is "converse-stream" or "invoke-with-response-stream";

    public bool IsInvoke => Operation is "invoke" or "invoke-with-response-stream";

    /// <param name="target">As the client sent it, query and all.</param>
    public static RuntimePath? Parse(string target)
    {
        string path = target.Split('?')[0];
        int end = path.LastIndexOf('/');
        if (!path.StartsWith(Prefix, StringComparison.Ordinal) || end <= Prefix.Length)
        {
            return null;
        }

        return new RuntimePath(Uri.UnescapeDataString(path[Prefix.Length..end]), path[(end + 1)..]);
    }

    public static RuntimePath? Of(Microsoft.AspNetCore.Http.HttpContext http) => Parse(http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);
}
