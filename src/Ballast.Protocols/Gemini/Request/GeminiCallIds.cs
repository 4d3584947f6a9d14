namespace Ballast.Protocols.Gemini;

/// <summary>
/// Ids of calls, which this protocol may leave out. A missing one is made of where the call stands, so that it is the same in every request of a conversation; one that was
/// made here is left out again on the way back, and calls and results are told together by name and order.
/// </summary>
internal sealed class GeminiCallIds
{
    /// <summary>Every id that is made here begins with this.</summary>
    public const string MadePrefix = "gemini_call_";

    /// <summary>Longest name of a function that the API takes.</summary>
    public const int NameLengthMax = 64;

    private readonly List<(string Id, string Name)> _open = [];
    private int _calls;
    private int _results;

    public static bool IsMade(string id) => id.StartsWith(MadePrefix, StringComparison.Ordinal);

    /// <summary>The id of the n-th call of an answer.</summary>
    public static string OfAnswer(string? responseId, int index) => $"{MadePrefix}{responseId ?? "answer"}_{index}";

    public string OfCall(string? id, string name)
    {
        string known = id is { Length: > 0 } ? id : $"{MadePrefix}{_calls}";
        _calls++;
        _open.Add((known, name));
        return known;
    }

    /// <summary>The call that a result belongs to: the one of its id, or the first open one of its name; and what was called, null where there is no such call.</summary>
    public string OfResult(string? id, string name, out string? callee)
    {
        int at = id is { Length: > 0 }
            ? _open.FindIndex(call => call.Id == id)
            : _open.FindIndex(call => call.Name == name);
        if (at < 0)
        {
            callee = null;
            return id is { Length: > 0 } ? id : $"{MadePrefix}unknown_{_results++}";
        }

        (string found, callee) = _open[at];
        _open.RemoveAt(at);
        return found;
    }
}
