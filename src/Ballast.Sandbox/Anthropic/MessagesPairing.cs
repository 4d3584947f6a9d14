using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Anthropic;

/// <summary>Checks that every tool call is answered in the next turn, and that nothing else is; names the tool of each result.</summary>
internal static class MessagesPairing
{
    public static void Check(IReadOnlyList<MessageBlocks> messages, bool acceptsForeignIds)
    {
        List<ToolCall> open = [];
        int callerIndex = 0;
        for (int i = 0; i < messages.Count;)
        {
            // Neighbours of the same role count as one turn.
            string role = messages[i].Role;
            List<MessageBlocks> turn = [];
            while (i < messages.Count && messages[i].Role == role)
            {
                turn.Add(messages[i++]);
            }

            if (role == "user")
            {
                IEnumerable<ToolResult> results = turn.SelectMany(message => message.Results);
                if (!acceptsForeignIds || results.All(result => open.Exists(call => call.Id == result.CallId)))
                {
                    CheckResults(turn, open, callerIndex);
                }

                open = [];
            }
            else
            {
                open = [.. turn.SelectMany(message => message.Calls)];
                callerIndex = turn[^1].Index;
                bool isLast = i == messages.Count;
                if (isLast && open.Count > 0)
                {
                    throw Unanswered(callerIndex, open);
                }
            }
        }
    }

    private static void CheckResults(List<MessageBlocks> turn, List<ToolCall> open, int callerIndex)
    {
        HashSet<string> answered = [];
        foreach (MessageBlocks message in turn)
        {
            for (int i = 0; i < message.Results.Count; i++)
            {
                ToolResult result = message.Results[i];
                ToolCall call = open.Find(candidate => candidate.Id == result.CallId)
                    ?? throw MessagesErrors.Invalid(
                        $"messages.{message.Index}.content.{i}: unexpected `tool_use_id` found in `tool_result` blocks: {result.CallId}. "
                        + "Each `tool_result` block must have a corresponding `tool_use` block in the previous message.");
                if (!answered.Add(result.CallId))
                {
                    throw MessagesErrors.Invalid(
                        $"messages.{message.Index}.content.{i}: each tool_use must have a single result. "
                        + $"Found multiple `tool_result` blocks with id: {result.CallId}");
                }

                message.Results[i] = result with { ToolName = call.Name };
            }
        }

        List<ToolCall> unanswered = [.. open.Where(call => !answered.Contains(call.Id))];
        if (unanswered.Count > 0)
        {
            throw Unanswered(callerIndex, unanswered);
        }
    }

    private static Server.VendorErrorException Unanswered(int index, List<ToolCall> calls) => MessagesErrors.Invalid(
        $"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: "
        + $"{string.Join(", ", calls.Select(call => call.Id))}. Each `tool_use` block must have a corresponding "
        + "`tool_result` block in the next message.");
}
