using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Google;

/// <summary>Checks that all calls of a turn are answered, and in the next turn alone.</summary>
internal static class GeminiPairing
{
    public static void Check(IReadOnlyList<GeminiContent> contents, bool isLenient)
    {
        for (int i = 0; i < contents.Count && !isLenient; i++)
        {
            List<ToolCall> calls = i == 0 ? [] : contents[i - 1].Calls;
            List<ToolResult> results = contents[i].Results;
            if (calls.Count == 0 && results.Count > 0)
            {
                throw GoogleErrors.Invalid("Please ensure that function response turn comes immediately after a function call turn.");
            }

            bool isUnanswered = contents[i].Calls.Count > 0 && i == contents.Count - 1;
            if (calls.Count != results.Count || isUnanswered)
            {
                throw GoogleErrors.Invalid(
                    "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.");
            }

            CheckNames(calls, results);
        }
    }

    private static void CheckNames(List<ToolCall> calls, List<ToolResult> results)
    {
        List<ToolCall> open = [.. calls];
        foreach (ToolResult result in results)
        {
            int at = open.FindIndex(call => call.Name == result.ToolName && (call.Id.Length == 0 || result.CallId.Length == 0 || call.Id == result.CallId));
            if (at < 0)
            {
                throw GoogleErrors.Invalid(
                    $"Please ensure that the function response parts match the function call parts of the function call turn: {result.ToolName} {result.CallId}.");
            }

            open.RemoveAt(at);
        }
    }
}
