using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.OpenAIShape;
using Ballast.Sandbox.Server;

namespace Ballast.Sandbox.Responses;

/// <summary>Conversations that the platform keeps (https://platform.openai.com/docs/api-reference/conversations).</summary>
internal static class ConversationsEndpoint
{
    private const int PageMax = 100;
    private const int PageUsual = 20;

    /// <param name="visit">The request.</param>
    /// <param name="steps">What follows <c>conversations</c> in the path.</param>
    /// <param name="state">What the account keeps.</param>
    public static Task AnswerAsync(Visit visit, string[] steps, ResponsesState state) => (visit.Http.Request.Method, steps) switch
    {
        ("POST", []) => CreateAsync(visit, state),
        ("GET", [var id]) => SendAsync(visit, Find(state, id)),
        ("POST", [var id]) => RelabelAsync(visit, Find(state, id)),
        ("DELETE", [var id]) => DeleteAsync(visit, state, id),
        ("GET", [var id, "items"]) => SendPageAsync(visit, Snapshot(Find(state, id))),
        ("POST", [var id, "items"]) => AddAsync(visit, Find(state, id)),
        ("GET", [var id, "items", var item]) => AnswerPlayer.SendAsync(visit, 200, JsonNode.Parse(FindItem(Find(state, id), item))!),
        ("DELETE", [var id, "items", var item]) => RemoveAsync(visit, Find(state, id), item),
        (var method, _) => throw new VendorErrorException(new VendorError(404, "invalid_request_error", $"Invalid URL ({method} {visit.Path})")),
    };

    /// <summary>A page of items, the newest first unless the query says otherwise.</summary>
    public static Task SendPageAsync(Visit visit, IReadOnlyList<string> items)
    {
        Microsoft.AspNetCore.Http.IQueryCollection query = visit.Http.Request.Query;
        int limit = int.TryParse(query["limit"].FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out int asked) ? Math.Clamp(asked, 1, PageMax) : PageUsual;
        List<(string Id, string Json)> all = [.. items.Select(WithId)];
        if (query["order"].FirstOrDefault() != "asc")
        {
            all.Reverse();
        }

        string? after = query["after"].FirstOrDefault();
        int start = after is null ? 0 : all.FindIndex(item => item.Id == after) + 1;
        List<(string Id, string Json)> page = all[start..Math.Min(all.Count, start + limit)];
        return AnswerPlayer.SendAsync(visit, 200, new JsonObject
        {
            ["object"] = "list",
            ["data"] = new JsonArray([.. page.Select(static item => JsonNode.Parse(item.Json))]),
            ["first_id"] = page.Count > 0 ? page[0].Id : null,
            ["last_id"] = page.Count > 0 ? page[^1].Id : null,
            ["has_more"] = start + page.Count < all.Count,
        });
    }

    public static (string Id, string Json) WithId(string item) => ((string)JsonNode.Parse(item)!["id"]!, item);

    private static async Task CreateAsync(Visit visit, ResponsesState state)
    {
        using JsonDocument document = Body(visit);
        KeptConversation made = new(ResponsesRequestReader.NewId(visit, "conv_"), visit.Time.GetUtcNow().ToUnixTimeSeconds());
        if (ChatFields.Object(document.RootElement, "metadata", "metadata") is { } metadata)
        {
            made.Metadata = JsonNode.Parse(metadata.GetRawText())!;
        }

        made.Items.AddRange(ReadItems(visit, document.RootElement, isRequired: false));
        state.Keep(made);
        await SendAsync(visit, made).ConfigureAwait(false);
    }

    private static async Task RelabelAsync(Visit visit, KeptConversation conversation)
    {
        using JsonDocument document = Body(visit);
        JsonElement metadata = ChatFields.Object(document.RootElement, "metadata", "metadata") ?? throw ChatErrors.Missing("metadata");
        conversation.Metadata = JsonNode.Parse(metadata.GetRawText())!;
        await SendAsync(visit, conversation).ConfigureAwait(false);
    }

    private static Task DeleteAsync(Visit visit, ResponsesState state, string id)
    {
        _ = Find(state, id);
        state.ForgetConversation(id);
        return AnswerPlayer.SendAsync(visit, 200, new JsonObject { ["id"] = id, ["object"] = "conversation.deleted", ["deleted"] = true });
    }

    private static async Task AddAsync(Visit visit, KeptConversation conversation)
    {
        using JsonDocument document = Body(visit);
        List<(string Id, string Json)> added = ReadItems(visit, document.RootElement, isRequired: true);
        lock (conversation.Turn)
        {
            conversation.Items.AddRange(added);
        }

        await AnswerPlayer.SendAsync(visit, 200, new JsonObject
        {
            ["object"] = "list",
            ["data"] = new JsonArray([.. added.Select(static item => JsonNode.Parse(item.Json))]),
            ["first_id"] = added.Count > 0 ? added[0].Id : null,
            ["last_id"] = added.Count > 0 ? added[^1].Id : null,
            ["has_more"] = false,
        }).ConfigureAwait(false);
    }

    private static Task RemoveAsync(Visit visit, KeptConversation conversation, string item)
    {
        _ = FindItem(conversation, item);
        lock (conversation.Turn)
        {
            conversation.Items.RemoveAll(kept => kept.Id == item);
        }

        return SendAsync(visit, conversation);
    }

    private static List<(string Id, string Json)> ReadItems(Visit visit, JsonElement body, bool isRequired)
    {
        if (ChatFields.List(body, "items", "an array of objects", "items") is not { } list)
        {
            return isRequired ? throw ChatErrors.Missing("items") : [];
        }

        return [.. list.EnumerateArray().Select((item, i) => item.ValueKind == JsonValueKind.Object
            ? WithId(ResponsesRequestReader.Normal(item, visit))
            : throw ChatErrors.WrongType($"items[{i}]", "an object", item))];
    }

    private static Task SendAsync(Visit visit, KeptConversation conversation) => AnswerPlayer.SendAsync(visit, 200, new JsonObject
    {
        ["id"] = conversation.Id,
        ["object"] = "conversation",
        ["created_at"] = conversation.CreatedAt,
        ["metadata"] = conversation.Metadata.DeepClone(),
    });

    private static IReadOnlyList<string> Snapshot(KeptConversation conversation)
    {
        lock (conversation.Turn)
        {
            return [.. conversation.Items.Select(static item => item.Json)];
        }
    }

    private static KeptConversation Find(ResponsesState state, string id) => state.FindConversation(id) ?? throw ResponsesErrors.ConversationNotFound(id);

    private static string FindItem(KeptConversation conversation, string id)
    {
        lock (conversation.Turn)
        {
            return conversation.Items.Find(item => item.Id == id).Json
                ?? throw new VendorErrorException(new VendorError(404, "invalid_request_error", $"Conversation item with id '{id}' not found."));
        }
    }

    private static JsonDocument Body(Visit visit)
    {
        JsonDocument document = visit.Body.Length == 0 ? JsonDocument.Parse("{}") : visit.ParseBody() ?? throw ChatErrors.Malformed();
        if (document.RootElement.ValueKind == JsonValueKind.Object)
        {
            return document;
        }

        document.Dispose();
        throw ChatErrors.Malformed();
    }
}
