using System.Buffers;
using System.Text.Json;

namespace Ballast.Protocols.Tests;

/// <summary>Lists of models, page by page as Anthropic and Google document them.</summary>
public sealed class ModelPageTests
{
    private static readonly ModelDescription[] s_models = [.. Enumerable.Range(1, 53).Select(static number => new ModelDescription($"team/model-{number}", "ballast", 1_760_000_000))];

    [Theory]
    [InlineData("", 1, 20, true)]
    [InlineData("limit=1", 1, 1, true)]
    [InlineData("limit=53", 1, 53, false)]
    [InlineData("limit=1000", 1, 53, false)]
    [InlineData("limit=3&after_id=team/model-50", 51, 53, false)]
    [InlineData("limit=2&after_id=team/model-50", 51, 52, true)]
    [InlineData("after_id=team/model-53", 0, 0, false)]
    [InlineData("limit=2&before_id=team/model-4", 2, 3, true)]
    [InlineData("before_id=team/model-4", 1, 3, false)]
    [InlineData("before_id=team/model-1", 0, 0, false)]
    public void Anthropic_WithCursorAndLimit_GivesThatPage(string query, int first, int last, bool hasMore)
    {
        JsonElement list = List(ProtocolList.AnthropicMessages, query);
        Assert.Equal(Names(first, last), list.GetProperty("data").EnumerateArray().Select(static model => model.GetProperty("id").GetString()));
        Assert.Equal(hasMore, list.GetProperty("has_more").GetBoolean());
        Assert.Equal(first == 0 ? null : $"team/model-{first}", list.GetProperty("first_id").GetString());
        Assert.Equal(first == 0 ? null : $"team/model-{last}", list.GetProperty("last_id").GetString());
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=1001", "limit")]
    [InlineData("limit=-1", "limit")]
    [InlineData("limit=many", "limit")]
    [InlineData("limit=", "limit")]
    [InlineData("limit=99999999999", "limit")]
    [InlineData("after_id=team/model-54", "after_id")]
    [InlineData("before_id=team/model-0", "before_id")]
    [InlineData("after_id=team/model-1&before_id=team/model-3", "before_id")]
    public void Anthropic_WithNoSuchPage_NamesTheParameter(string query, string param) =>
        Assert.Equal(param, Assert.Throws<ProtocolException>(() => List(ProtocolList.AnthropicMessages, query)).Error.Param);

    [Theory]
    [InlineData("", 50)]
    [InlineData("pageSize=0", 50)]
    [InlineData("pageSize=7", 7)]
    [InlineData("pageSize=53", 53)]
    [InlineData("pageSize=5000", 53)]
    public void Gemini_PageByPage_GivesEachModelOnce(string query, int size)
    {
        List<string?> names = [];
        string? token = "";
        while (token is not null)
        {
            JsonElement list = List(ProtocolList.Gemini, $"{query}&pageToken={token}");
            Assert.Equal(Math.Min(size, s_models.Length - names.Count), list.GetProperty("models").GetArrayLength());
            names.AddRange(list.GetProperty("models").EnumerateArray().Select(static model => model.GetProperty("name").GetString()));
            token = list.TryGetProperty("nextPageToken", out JsonElement next) ? next.GetString() : null;
        }

        Assert.Equal(Names(1, 53).Select(static name => "models/" + name), names);
    }

    [Theory]
    [InlineData("pageSize=-1", "pageSize")]
    [InlineData("pageSize=all", "pageSize")]
    [InlineData("pageToken=%", "pageToken")]
    [InlineData("pageToken=bm8tc3VjaC1tb2RlbA", "pageToken")]
    public void Gemini_WithNoSuchPage_NamesTheParameter(string query, string param) =>
        Assert.Equal(param, Assert.Throws<ProtocolException>(() => List(ProtocolList.Gemini, query)).Error.Param);

    /// <summary>OpenAI's list has no pages: what other vendors' clients would ask with is without effect.</summary>
    [Fact]
    public void OpenAI_WithALimit_GivesAll() =>
        Assert.Equal(53, List(ProtocolList.OpenAIChat, "limit=2&after=team/model-3").GetProperty("data").GetArrayLength());

    private static IEnumerable<string> Names(int first, int last) => first == 0 ? [] : Enumerable.Range(first, last - first + 1).Select(static number => $"team/model-{number}");

    private static JsonElement List(Protocol protocol, string query)
    {
        Dictionary<string, string> parts = query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(static part => part.Split('=')).ToDictionary(static part => part[0], static part => part[1]);
        ArrayBufferWriter<byte> output = new();
        protocol.WriteModels(s_models, parts.GetValueOrDefault, output);
        return JsonElement.Parse(output.WrittenSpan);
    }
}
