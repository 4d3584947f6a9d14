using System.Globalization;
using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Tests.Wire;

/// <summary>A neutral request as stable text; every line ends with <c>@ pointer</c> of the thing it shows.</summary>
/// <example>
/// <code>
/// model gpt-x stream usage
/// max-tokens 100 @ /max_tokens          temperature, top-p, top-k, presence-penalty, frequency-penalty, seed, choices, stop, end-user,
///                                       parallel-tools, tool-choice, format, thinking likewise
/// tool get_weather "description" strict=true {"type":"object"} @ /tools/0
/// native-tool web_search @ /tools/1
/// custom-tool apply_patch "description" lark "start: …" @ /tools/2
/// tool crm__find crm/find … @ /tools/3/tools/0        (one declared in a group)
/// message user name=… @ /messages/0
///   text "Hello" @ /messages/0/content
///     cache 5m @ /messages/0/content/0/cache_control
///   image url=… detail=low @ …          image type=image/png base64=…
///   call call_1 get_weather "{}" @ …    custom-call likewise, of a tool of free text
///   result call_1 error @ …
///     text "sunny" @ …                  (parts of a result are indented once more)
/// extra logit_bias @ /logit_bias        (below the thing that holds it)
/// </code>
/// </example>
public static class RequestText
{
    public static string Of(ChatRequest request)
    {
        StringBuilder text = new();
        text.Append("model ").Append(request.Model).Append(request.Stream ? " stream" : "").Append(request.StreamUsage ? " usage" : "").Append('\n');
        Setting(text, "max-tokens", request.MaxOutputTokens);
        Setting(text, "temperature", request.Temperature);
        Setting(text, "top-p", request.TopP);
        Setting(text, "top-k", request.TopK);
        Setting(text, "presence-penalty", request.PresencePenalty);
        Setting(text, "frequency-penalty", request.FrequencyPenalty);
        Setting(text, "seed", request.Seed);
        Setting(text, "choices", request.ChoiceCount);
        Setting(text, "end-user", request.EndUser);
        Setting(text, "parallel-tools", request.ParallelToolCalls);
        if (request.StopSequences is { } stop)
        {
            Line(text, 0, "stop " + string.Join(' ', stop.Value.Select(EventText.Quote)), stop.Pointer);
        }

        if (request.ToolChoice is { } choice)
        {
            Line(text, 0, "tool-choice " + choice.Mode + (choice.Name is null ? "" : " " + choice.Name) + (choice.Allowed is null ? "" : " of " + string.Join(' ', choice.Allowed)), choice.Pointer);
        }

        if (request.ResponseFormat is { } format)
        {
            Line(text, 0, $"format {format.Kind}{Field("name", format.Name)}{Quoted(format.Description)}{Strict(format.Strict)}{Raw(format.Schema)}", format.Pointer);
        }

        if (request.Thinking is { } thinking)
        {
            Line(text, 0, $"thinking {thinking.Mode}{Field("budget", thinking.BudgetTokens?.ToString())}{Field("effort", thinking.Effort)}", thinking.Pointer);
            Extras(text, 1, thinking.Extras);
        }

        foreach (Tool tool in request.Tools)
        {
            Line(text, 0, Of(tool), tool.Pointer);
            Cache(text, 1, tool.CacheControl);
            Extras(text, 1, tool.Extras);
        }

        foreach (Message message in request.Messages)
        {
            Line(text, 0, $"message {message.Role.ToString().ToLowerInvariant()}{Field("name", message.Name?.Value)}", message.Pointer);
            Parts(text, 1, message.Parts);
            Extras(text, 1, message.Extras);
        }

        Extras(text, 0, request.Extras);
        return text.ToString().TrimEnd('\n');
    }

    private static void Parts(StringBuilder text, int depth, IReadOnlyList<Part> parts)
    {
        foreach (Part part in parts)
        {
            Line(text, depth, Of(part), part.Pointer);
            Cache(text, depth + 1, part.CacheControl);
            Extras(text, depth + 1, part.Extras);
            if (part is ToolResultPart result)
            {
                Parts(text, depth + 1, result.Content);
            }
        }
    }

    private static string Of(Tool tool)
    {
        string named = tool.Name + (tool.Place is null ? "" : $" {tool.Place.Group}/{tool.Place.Name}");
        return !tool.Native.IsEmpty ? $"native-tool {named}"
            : tool.FreeText is { } text ? $"custom-tool {named}{Quoted(tool.Description)}{(text.Syntax is null ? "" : " " + text.Syntax)}{Quoted(text.Definition)}"
            : $"tool {named}{Quoted(tool.Description)}{Strict(tool.Strict)}{Raw(tool.Parameters)}";
    }

    private static string Of(Part part) => part switch
    {
        TextPart p => "text " + EventText.Quote(p.Text),
        RefusalPart p => "refusal " + EventText.Quote(p.Text),
        ImagePart p => "image" + Of(p.Source) + Field("detail", p.Detail),
        DocumentPart p => "document" + Of(p.Source) + (p.Name is null ? "" : " name=" + EventText.Quote(p.Name)) + Quoted(p.Text),
        AudioPart p => $"audio {p.Format} {p.Base64}",
        ThinkingPart p => "thinking " + EventText.Quote(p.Text) + Field("issuer", p.Issuer) + Field("signature", p.Signature),
        RedactedThinkingPart p => "redacted " + EventText.Quote(p.Data) + Field("issuer", p.Issuer),
        ToolCallPart p => $"{(p.IsFreeText ? "custom-call" : "call")} {p.Id} {p.Name} {EventText.Quote(p.Arguments)}",
        ToolResultPart p => $"result {p.CallId}{(p.IsError ? " error" : "")}",
        OpaquePart p => $"opaque {p.Type}",
        _ => throw new InvalidOperationException(part.GetType().Name),
    };

    private static string Of(MediaSource source) =>
        Field("type", source.MediaType) + Field("base64", source.Base64) + Field("url", source.Url) + Field("file", source.FileId);

    private static void Cache(StringBuilder text, int depth, CacheControl? cache)
    {
        if (cache is not null)
        {
            Line(text, depth, "cache" + (cache.Ttl is null ? "" : " " + cache.Ttl), cache.Pointer);
        }
    }

    private static void Extras(StringBuilder text, int depth, IReadOnlyList<Extra> extras)
    {
        foreach (Extra extra in extras)
        {
            Line(text, depth, "extra " + extra.Name, extra.Pointer);
        }
    }

    private static void Setting<T>(StringBuilder text, string name, Setting<T>? setting)
    {
        if (setting is not null)
        {
            Line(text, 0, string.Create(CultureInfo.InvariantCulture, $"{name} {setting.Value}"), setting.Pointer);
        }
    }

    private static void Line(StringBuilder text, int depth, string line, string pointer) =>
        text.Append(' ', depth * 2).Append(line).Append(" @ ").Append(pointer).Append('\n');

    private static string Field(string name, string? value) => value is null ? "" : $" {name}={value}";

    private static string Quoted(string? value) => value is null ? "" : " " + EventText.Quote(value);

    private static string Strict(bool? value) => value is null ? "" : value.Value ? " strict=true" : " strict=false";

    private static string Raw(RawJson json) => json.IsEmpty ? "" : " " + CanonicalJson.Of(json.Utf8);
}
