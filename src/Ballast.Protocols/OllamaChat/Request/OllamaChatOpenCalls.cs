using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.OllamaChat;

/// <summary>Tool calls of a conversation that have no result yet, in their order; each is given away once.</summary>
internal sealed class OllamaChatOpenCalls
{
    private readonly HashSet<ToolCallPart> _taken = new(ReferenceEqualityComparer.Instance);
    private readonly Queue<ToolCallPart> _all = [];
    private readonly Dictionary<string, Queue<ToolCallPart>> _byId = [];
    private readonly Dictionary<string, Queue<ToolCallPart>> _byName = [];

    public void Add(IEnumerable<ToolCallPart> calls)
    {
        foreach (ToolCallPart call in calls)
        {
            _all.Enqueue(call);
            Add(_byId, call.Id, call);
            Add(_byName, call.Name, call);
        }
    }

    /// <summary>The first open call of this id; where a result names none, of this tool; where it names neither, of all. Null where there is none.</summary>
    public ToolCallPart? Take(string? id, string? name)
    {
        Queue<ToolCallPart>? queue = id is not null ? _byId.GetValueOrDefault(id) : name is not null ? _byName.GetValueOrDefault(name) : _all;
        while (queue is not null && queue.TryDequeue(out ToolCallPart? call))
        {
            if (_taken.Add(call))
            {
                return call;
            }
        }

        return null;
    }

    private static void Add(Dictionary<string, Queue<ToolCallPart>> queues, string key, ToolCallPart call)
    {
        if (!queues.TryGetValue(key, out Queue<ToolCallPart>? queue))
        {
            queues.Add(key, queue = []);
        }

        queue.Enqueue(call);
    }
}
