namespace Ballast.Gateway;

/// <summary>What of the state a path means: an answer or a conversation, the whole of it or its items, or one of them.</summary>
/// <param name="IsAnswer">An answer; else a conversation.</param>
/// <param name="Id">Which one; null where a new conversation is made.</param>
/// <param name="Part"><c>input_items</c>, <c>items</c>, <c>cancel</c>, or null for the whole.</param>
/// <param name="ItemId">One of the items, or null.</param>
public sealed record StatePath(bool IsAnswer, string? Id, string? Part, string? ItemId)
{
    private static readonly string[] s_prefixes = ["/v1/", "/openai/v1/", "/openai/", "/"];

    /// <summary>The methods that the path takes, for a caller who used another.</summary>
    public string Methods => (IsAnswer, Id, Part, ItemId) switch
    {
        (true, _, "input_items", _) => "GET",
        (true, _, "cancel", _) => "POST",
        (true, _, _, _) => "GET, DELETE",
        (false, null, _, _) => "POST",
        (false, _, null, _) => "GET, POST, DELETE",
        (false, _, _, null) => "GET, POST",
        _ => "GET, DELETE",
    };

    /// <summary>Every route with a path that takes it.</summary>
    internal static IEnumerable<(string Method, string Path)> Samples() =>
        from prefix in s_prefixes
        from path in (string[])["responses/r", "responses/r/input_items", "responses/r/cancel", "conversations", "conversations/c", "conversations/c/items", "conversations/c/items/i"]
        from method in Find(prefix + path)!.Methods.Split(", ")
        select (method, prefix + path);

    /// <summary>Null where the path is another one.</summary>
    public static StatePath? Find(string path)
    {
        foreach (string prefix in s_prefixes)
        {
            if (path.StartsWith(prefix, StringComparison.Ordinal) && Of(path[prefix.Length..].Split('/')) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private static StatePath? Of(string[] steps) => steps switch
    {
        ["responses", "input_tokens" or "compact"] => null,
        ["responses", { Length: > 0 } id] => new StatePath(true, id, null, null),
        ["responses", { Length: > 0 } id, "input_items" or "cancel"] => new StatePath(true, id, steps[2], null),
        ["conversations"] => new StatePath(false, null, null, null),
        ["conversations", { Length: > 0 } id] => new StatePath(false, id, null, null),
        ["conversations", { Length: > 0 } id, "items"] => new StatePath(false, id, "items", null),
        ["conversations", { Length: > 0 } id, "items", { Length: > 0 } item] => new StatePath(false, id, "items", item),
        _ => null,
    };
}
