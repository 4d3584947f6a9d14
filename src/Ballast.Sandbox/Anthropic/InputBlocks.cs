using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Anthropic;

/// <summary>Collects the input block by block, with its tokens and cache breakpoints.</summary>
internal sealed class InputBlocks
{
    public const int FiveMinutes = 300;
    public const int OneHour = 3600;

    private const int MaxBreakpoints = 4;

    private readonly List<InputBlock> _blocks = [];

    public IReadOnlyList<InputBlock> All => _blocks;

    /// <param name="block">As the request has it; its <c>cache_control</c> marks a breakpoint.</param>
    /// <param name="text">What it costs tokens for.</param>
    /// <param name="extraTokens">What it costs beside, as images do.</param>
    /// <param name="path">Where it stands in the request.</param>
    public void Add(JsonElement block, string text, int extraTokens, string path)
    {
        int? seconds = null;
        string identity = text;
        if (block.ValueKind == JsonValueKind.Object)
        {
            seconds = ReadTtl(block, path);
            JsonObject bare = JsonNode.Parse(block.GetRawText())!.AsObject();
            bare.Remove("cache_control");
            identity = bare.ToJsonString();
        }

        if (seconds is not null && _blocks.Count(earlier => earlier.CacheSeconds is not null) == MaxBreakpoints)
        {
            throw MessagesErrors.Invalid(
                $"A maximum of {MaxBreakpoints} blocks with cache_control may be provided. Found {MaxBreakpoints + 1}.");
        }

        _blocks.Add(new InputBlock(identity, Tokens.Count(text) + extraTokens, seconds));
    }

    /// <summary>A breakpoint of the request as a whole falls on its last block.</summary>
    public void MarkLast(JsonElement body)
    {
        if (ReadTtl(body, "cache_control") is { } seconds && _blocks.Count > 0)
        {
            _blocks[^1] = _blocks[^1] with { CacheSeconds = seconds };
        }
    }

    private static int? ReadTtl(JsonElement owner, string path)
    {
        if (MessagesFields.Object(owner, "cache_control", path + ".cache_control") is not { } control)
        {
            return null;
        }

        string type = MessagesFields.RequiredText(control, "type", path + ".cache_control.type");
        return type != "ephemeral"
            ? throw MessagesErrors.Invalid(
                path + ".cache_control", $"Input tag '{type}' found using 'type' does not match any of the expected tags: 'ephemeral'")
            : MessagesFields.Text(control, "ttl", path + ".cache_control.ephemeral.ttl") switch
            {
                null or "5m" => FiveMinutes,
                "1h" => OneHour,
                _ => throw MessagesErrors.Invalid(path + ".cache_control.ephemeral.ttl", "Input should be '5m' or '1h'"),
            };
    }
}
