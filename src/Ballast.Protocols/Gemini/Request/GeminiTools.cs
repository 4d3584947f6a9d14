using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>
/// Tools as they are read. One entry holds any number of functions, and beside them what Google itself runs (search, code), each of which is a tool that can go to this
/// protocol only.
/// </summary>
internal static class GeminiTools
{
    public static List<Tool> Read(ref GeminiCursor json, string at)
    {
        List<Tool> tools = [];
        if (json.Token == JsonTokenType.StartObject)
        {
            ReadEntry(ref json, at, tools);
            return tools;
        }

        json.Expect(JsonTokenType.StartArray, "an array", at);
        for (int i = 0; json.NextItem(); i++)
        {
            ReadEntry(ref json, GeminiCursor.Below(at, i), tools);
        }

        return tools;
    }

    private static void ReadEntry(ref GeminiCursor json, string at, List<Tool> tools)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        while (json.NextProperty(out string name))
        {
            string here = GeminiCursor.Below(at, json.Written);
            if (json.IsNull)
            {
                json.Skip();
            }
            else if (name == "functionDeclarations")
            {
                json.Expect(JsonTokenType.StartArray, "an array", here);
                for (int i = 0; json.NextItem(); i++)
                {
                    tools.Add(ReadFunction(ref json, GeminiCursor.Below(here, i)));
                }
            }
            else
            {
                tools.Add(new Tool(json.Written, here) { Native = json.Take() });
            }
        }
    }

    private static Tool ReadFunction(ref GeminiCursor json, string at)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        Tool tool = new("", at);
        List<Extra> extras = [];
        while (json.NextProperty(out string name))
        {
            string here = GeminiCursor.Below(at, json.Written);
            switch (name)
            {
                case not null when json.IsNull:
                    json.Skip();
                    break;
                case "name":
                    tool = tool with { Name = json.Text(here) };
                    break;
                case "description":
                    tool = tool with { Description = json.Text(here) };
                    break;
                case "parameters":
                    json.Expect(JsonTokenType.StartObject, "an object", here);
                    RawJson own = json.Take();
                    tool = tool with { Parameters = GeminiSchema.ToJsonSchema(own, here, extras), OwnParameters = own };
                    break;
                case "parametersJsonSchema":
                    json.Expect(JsonTokenType.StartObject, "an object", here);
                    tool = tool with { Parameters = json.Take() };
                    break;
                default:
                    extras.Add(json.TakeExtra(at));
                    break;
            }
        }

        return tool.Name.Length == 0 ? throw GeminiCursor.Fault($"{at}/name", "is required") : tool with { Extras = extras };
    }

    /// <summary>The choice among tools; what else the object holds goes to <paramref name="extras"/>.</summary>
    public static ToolChoice? ReadConfig(ref GeminiCursor json, string at, List<Extra> extras)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        ToolChoice? choice = null;
        while (json.NextProperty(out string name))
        {
            if (name == "functionCallingConfig" && json.Token == JsonTokenType.StartObject)
            {
                choice = ReadCalling(ref json, GeminiCursor.Below(at, json.Written), extras);
            }
            else if (json.IsNull)
            {
                json.Skip();
            }
            else
            {
                extras.Add(json.TakeExtra(at));
            }
        }

        return choice;
    }

    private static ToolChoice? ReadCalling(ref GeminiCursor json, string at, List<Extra> extras)
    {
        Extra? modeExtra = null;
        Extra? namesExtra = null;
        string mode = "";
        List<string> names = [];
        while (json.NextProperty(out string name))
        {
            string here = GeminiCursor.Below(at, json.Written);
            if (json.IsNull)
            {
                json.Skip();
            }
            else if (name == "mode")
            {
                GeminiCursor word = json;
                mode = word.Word(here).ToUpperInvariant();
                modeExtra = json.TakeExtra(at);
            }
            else if (name == "allowedFunctionNames")
            {
                GeminiCursor list = json;
                list.Expect(JsonTokenType.StartArray, "an array of strings", here);
                while (list.NextItem())
                {
                    names.Add(list.Text(GeminiCursor.Below(here, names.Count)));
                }

                namesExtra = json.TakeExtra(at);
            }
            else
            {
                extras.Add(json.TakeExtra(at));
            }
        }

        ToolChoice? choice = mode switch
        {
            "AUTO" or "1" => new ToolChoice(ToolChoiceMode.Auto, null, at),
            "NONE" or "3" => new ToolChoice(ToolChoiceMode.None, null, at),
            "ANY" or "2" when names.Count == 1 => new ToolChoice(ToolChoiceMode.Named, names[0], at),
            "ANY" or "2" => new ToolChoice(ToolChoiceMode.Required, null, at),
            _ => null,
        };
        if (choice is null && modeExtra is not null)
        {
            extras.Add(modeExtra);
        }

        // Several allowed names, or some beside another mode, are a choice that only this protocol knows.
        if (namesExtra is not null && choice?.Mode != ToolChoiceMode.Named)
        {
            extras.Add(namesExtra);
        }

        return choice;
    }
}
