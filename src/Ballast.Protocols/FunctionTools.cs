using System.Text.Encodings.Web;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols;

/// <summary>
/// Brings what only OpenAI's protocols know of tools into the form that all protocols have: a tool of free text becomes a function of one argument, and of tools that may not be
/// called none is offered. <see cref="FreeTextReader"/> knows the way back.
/// </summary>
internal static class FunctionTools
{
    private static readonly RawJson s_schema = RawJson.From(
        """{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}""");

    /// <summary>The request with functions alone; the same one where it has nothing else.</summary>
    /// <param name="request">Of another protocol.</param>
    /// <param name="losses">Takes what cannot cross.</param>
    /// <param name="knowsCustom">The endpoint has <see cref="TargetFeatures.CustomTools"/>: only groups are taken apart.</param>
    public static ChatRequest Of(ChatRequest request, LossReport losses, bool knowsCustom = false)
    {
        bool hasCustom = !knowsCustom && (request.ToolChoice?.Allowed is not null || request.Tools.Any(static tool => tool.FreeText is not null) || request.Messages.Any(HasFreeText));
        if (!hasCustom)
        {
            return request.Tools.Any(static tool => tool.Place is not null) ? request with { Tools = Alone(request.Tools, request.Tools, losses) } : request;
        }

        List<Tool> offered = Offered(request, losses);
        return request with
        {
            Tools = [.. Alone(request.Tools, offered, losses).Select(tool => tool.FreeText is null ? tool : FunctionOf(tool, tool.FreeText, losses))],
            ToolChoice = request.ToolChoice is null ? null : request.ToolChoice with { Allowed = null },
            Messages = [.. request.Messages.Select(static message => HasFreeText(message) ? message with { Parts = [.. message.Parts.Select(CallOf)] } : message)],
        };
    }

    private static bool HasFreeText(Message message) => message.Parts.Any(static part => part is ToolCallPart { IsFreeText: true });

    private static List<Tool> Offered(ChatRequest request, LossReport losses)
    {
        if (request.ToolChoice is not { Allowed: { } allowed } choice)
        {
            return [.. request.Tools];
        }

        HashSet<string> names = [.. allowed];
        List<Tool> offered = [];
        foreach (Tool tool in request.Tools)
        {
            if (names.Contains(tool.Name))
            {
                offered.Add(tool);
            }
            else
            {
                losses.Add(tool.Pointer, "A tool that may not be called is not offered.");
            }
        }

        names.ExceptWith(request.Tools.Select(static tool => tool.Name));
        if (names.Count > 0)
        {
            losses.Add(choice.Pointer, "It allows a tool that is not there.");
        }

        return offered;
    }

    /// <summary>Tools without their groups: the first that is offered of a group says what the group is for.</summary>
    private static List<Tool> Alone(IReadOnlyList<Tool> all, IReadOnlyList<Tool> offered, LossReport losses)
    {
        HashSet<string> told = [];
        List<Tool> alone = [];
        foreach (Tool tool in offered)
        {
            bool isFirst = tool.Place is { } place && told.Add(place.Pointer) && !string.IsNullOrWhiteSpace(place.Description);
            alone.Add(isFirst
                ? tool with { Description = $"{tool.Description}\n\nOf this tool and all others whose names begin with {tool.Place!.Group}: {tool.Place.Description}".TrimStart() }
                : tool);
        }

        foreach (Tool tool in all)
        {
            if (tool.Place is { } place && told.Add(place.Pointer))
            {
                losses.Add(place.Pointer, "No tool of the group may be called.");
            }
        }

        return alone;
    }

    private static Tool FunctionOf(Tool tool, FreeText text, LossReport losses)
    {
        List<string> said = [];
        if (!string.IsNullOrWhiteSpace(tool.Description))
        {
            said.Add(tool.Description);
        }

        said.Add($"The tool takes free text: give all of it as '{FreeTextInput.Name}'.");
        if (text.Definition is not null)
        {
            said.Add($"The text must follow this grammar ({text.Syntax}):\n{text.Definition}");
            losses.Add(text.Pointer, "The model is told the grammar; nothing holds it to it.");
        }

        return tool with { FreeText = null, Description = string.Join("\n\n", said), Parameters = s_schema };
    }

    private static Part CallOf(Part part) => part is ToolCallPart { IsFreeText: true } call
        ? call with { IsFreeText = false, Arguments = $$"""{"{{FreeTextInput.Name}}":"{{JsonEncodedText.Encode(call.Arguments, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}}"}""" }
        : part;
}
