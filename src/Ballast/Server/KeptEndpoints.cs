using Ballast.Exchanges;

namespace Ballast.Server;

/// <summary>The paths of files and batches: <c>/files</c>, <c>/files/ID</c>, <c>/files/ID/content</c>, <c>/batches</c>, <c>/batches/ID</c>, <c>/batches/ID/cancel</c>,
/// and the same of <c>/messages/batches</c> with <c>/results</c>.</summary>
internal static class KeptEndpoints
{
    private sealed record Row(string Method, string Root, string? Action, Operation Operation);

    private const string Messages = "/messages/batches";

    /// <summary>The longer one first: the one is the beginning of the other.</summary>
    private static readonly string[] s_prefixes = ["/openai/v1", "/openai", "/v1", ""];

    private static readonly string[] s_messagesPrefixes = ["/anthropic/v1", "/v1"];

    private static readonly string[] s_actions = ["/content", "/cancel", "/results"];

    private static readonly Row[] s_rows =
    [
        new("POST", "/files", null, Operation.FileUpload),
        new("GET", "/files", null, Operation.FileList),
        new("GET", "/files", "", Operation.FileRetrieve),
        new("DELETE", "/files", "", Operation.FileDelete),
        new("GET", "/files", "/content", Operation.FileContent),
        new("POST", "/batches", null, Operation.BatchCreate),
        new("GET", "/batches", null, Operation.BatchList),
        new("GET", "/batches", "", Operation.BatchRetrieve),
        new("POST", "/batches", "/cancel", Operation.BatchCancel),
        new("POST", Messages, null, Operation.MessageBatchCreate),
        new("GET", Messages, null, Operation.MessageBatchList),
        new("GET", Messages, "", Operation.MessageBatchRetrieve),
        new("DELETE", Messages, "", Operation.MessageBatchDelete),
        new("POST", Messages, "/cancel", Operation.MessageBatchCancel),
        new("GET", Messages, "/results", Operation.MessageBatchResults),
    ];

    /// <summary>Every route with a path that takes it.</summary>
    public static IEnumerable<(string Method, string Path)> Samples() =>
        from row in s_rows from prefix in row.Root == Messages ? s_messagesPrefixes : s_prefixes
        select (row.Method, prefix + row.Root + (row.Action is null ? "" : "/" + (row.Root == "/files" ? "file-0" : row.Root == Messages ? "msgbatch_0" : "batch_0") + row.Action));

    /// <summary>Methods that the path takes, with what each does; none where the path is another one.</summary>
    /// <param name="path">As it was asked for.</param>
    /// <param name="handle">What stands where an id should, whatever it is.</param>
    public static IReadOnlyList<(string Method, Operation Operation)> Find(string path, out string? handle)
    {
        handle = null;
        foreach (string prefix in s_prefixes)
        {
            // Nearly every path is another one: it is looked at where it lies.
            ReadOnlySpan<char> rest = path.StartsWith(prefix, StringComparison.Ordinal) ? path.AsSpan(prefix.Length) : default;
            if (rest.StartsWith("/files", StringComparison.Ordinal) || rest.StartsWith("/batches", StringComparison.Ordinal))
            {
                return Match(path[prefix.Length..], out handle);
            }
        }

        foreach (string prefix in s_messagesPrefixes)
        {
            if (path.StartsWith(prefix, StringComparison.Ordinal) && path.AsSpan(prefix.Length).StartsWith(Messages, StringComparison.Ordinal))
            {
                return Match(path[prefix.Length..], out handle);
            }
        }

        return [];
    }

    private static IReadOnlyList<(string Method, Operation Operation)> Match(string path, out string? handle)
    {
        string root = path.StartsWith("/files", StringComparison.Ordinal) ? "/files" : path.StartsWith("/batches", StringComparison.Ordinal) ? "/batches" : Messages;
        string rest = path[root.Length..];
        handle = null;
        string? action = null;
        if (rest.Length > 0)
        {
            if (rest[0] != '/')
            {
                return [];
            }

            // What names the action stands behind an id, even an empty one.
            action = Array.Find(s_actions, known => rest.Length > known.Length && rest.EndsWith(known, StringComparison.Ordinal)) ?? "";
            handle = rest[1..(rest.Length - action.Length)];
        }

        return [.. s_rows.Where(row => row.Root == root && row.Action == action).Select(static row => (row.Method, row.Operation))];
    }
}
