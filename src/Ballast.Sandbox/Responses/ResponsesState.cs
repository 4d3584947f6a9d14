using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Responses;

/// <summary>An answer that the platform keeps, done or still at work in the background.</summary>
internal sealed class KeptAnswer(ResponsesReply reply, IReadOnlyList<StreamEvent> events, DateTimeOffset? endsAt)
{
    public ResponsesReply Reply => reply;

    /// <summary>The whole stream, for whoever takes it up again.</summary>
    public IReadOnlyList<StreamEvent> Events => events;

    /// <summary>When work in the background is done; null for an answer that its request waited for.</summary>
    public DateTimeOffset? EndsAt => endsAt;

    public Lock Turn { get; } = new();

    public bool IsCancelled { get; set; }

    /// <summary>Its tokens are on the bill.</summary>
    public bool IsBilled { get; set; }

    /// <summary>The row of the request that began work in the background.</summary>
    public Billing.BillingEntry? Row { get; init; }

    /// <summary>Ends work in the background, whether or not anybody looks.</summary>
    public ITimer? Clock { get; set; }
}

/// <summary>A conversation that the platform keeps: its items, each as JSON with its id.</summary>
internal sealed class KeptConversation(string id, long createdAt)
{
    public string Id => id;
    public long CreatedAt => createdAt;
    public Lock Turn { get; } = new();
    public JsonNode Metadata { get; set; } = new JsonObject();
    public List<(string Id, string Json)> Items { get; } = [];
}

/// <summary>What one account keeps of the Responses API, in memory.</summary>
internal sealed class ResponsesState
{
    private readonly ConcurrentDictionary<string, KeptAnswer> _answers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, KeptConversation> _conversations = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _items = new(StringComparer.Ordinal);

    /// <summary>Call and the reasoning that has to come back with it.</summary>
    private readonly ConcurrentDictionary<string, string> _partners = new(StringComparer.Ordinal);

    public KeptAnswer? FindAnswer(string id) => _answers.GetValueOrDefault(id);

    public KeptConversation? FindConversation(string id) => _conversations.GetValueOrDefault(id);

    /// <summary>An item of an answer that is kept; null where there is none.</summary>
    public string? FindItem(string id) => _items.GetValueOrDefault(id);

    /// <summary>The reasoning without which a kept item is not taken back.</summary>
    public string? PartnerOf(string itemId) => _partners.GetValueOrDefault(itemId);

    public void Keep(KeptAnswer answer)
    {
        _answers[answer.Reply.Id] = answer;
        string? reasoning = null;
        foreach (OutputItem item in answer.Reply.Items)
        {
            _items[item.Id] = answer.Reply.Describe(item).ToJsonString(Generation.RelaxedJson.Options);
            reasoning = item.Kind == OutputKind.Reasoning ? item.Id : reasoning;
            if (reasoning is not null && item.Kind is OutputKind.Function or OutputKind.Custom)
            {
                _partners[item.Id] = reasoning;
            }
        }
    }

    public void Keep(KeptConversation conversation) => _conversations[conversation.Id] = conversation;

    public bool ForgetAnswer(string id) => _answers.TryRemove(id, out _);

    public bool ForgetConversation(string id) => _conversations.TryRemove(id, out _);
}
