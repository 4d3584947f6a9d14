using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using CsCheck;

namespace Ballast.Sandbox.Tests.Generation;

public class SchemaValuesTests
{
    private static readonly string[] Names = ["city", "count", "date", "query", "userName", "is_open", "tags", "email", "price", "x"];

    private static readonly Gen<JsonObject> Leaf = Gen.OneOf(
        Gen.Select(Gen.Int[0, 20], Gen.Int[0, 20]).Select((least, more) =>
            new JsonObject { ["type"] = "string", ["minLength"] = least, ["maxLength"] = least + more }),
        Gen.Select(Gen.Int[-50, 50], Gen.Int[0, 30]).Select((low, width) =>
            new JsonObject { ["type"] = "integer", ["minimum"] = low, ["maximum"] = low + width }),
        Gen.Int[-50, 50].Select(low => new JsonObject { ["type"] = "integer", ["exclusiveMinimum"] = low }),
        Gen.Int[1, 9].Select(step => new JsonObject { ["type"] = "integer", ["multipleOf"] = step, ["minimum"] = -40, ["maximum"] = 40 }),
        Gen.Select(Gen.Double[-5, 5], Gen.Double[0.1, 9]).Select((low, width) =>
            new JsonObject { ["type"] = "number", ["minimum"] = low, ["maximum"] = low + width }),
        Gen.Const(() => new JsonObject { ["type"] = "boolean" }),
        Gen.Const(() => new JsonObject { ["type"] = new JsonArray("string", "null") }),
        Gen.Const(() => new JsonObject { ["enum"] = new JsonArray("red", 7, null) }),
        Gen.Const(() => new JsonObject { ["const"] = "fixed" }),
        Gen.Const(() => new JsonObject { ["type"] = "string", ["pattern"] = "^[A-Z]{3}-\\d{2,4}(x|yz)?$" }));

    private static readonly Gen<JsonObject> Schema = Gen.Recursive<JsonObject>((depth, inner) => depth > 2
        ? Leaf
        : Gen.OneOf(
            Leaf,
            Gen.Select(inner, Gen.Int[0, 4], Gen.Int[0, 3]).Select((items, least, more) =>
                new JsonObject { ["type"] = "array", ["items"] = items.DeepClone(), ["minItems"] = least, ["maxItems"] = least + more }),
            Gen.Select(inner, inner).Select((one, other) => new JsonObject { ["anyOf"] = new JsonArray(one.DeepClone(), other.DeepClone()) }),
            Gen.Select(inner.Array[1, 4], Gen.Int[0, 4]).Select(Object)));

    private static readonly Gen<string> Prompt = Gen.OneOf([.. new[]
    {
        "What is the weather in Paris and London?", "Book 3 rooms for 12 guests on 2026-05-04", "hi", "", "Call \"red\" for Ada at ada@lovelace.org",
    }.Select(Gen.Const)]);

    [Fact]
    public void Make_AnySchemaAndPrompt_IsValid() => Gen.Select(Schema, Prompt, Gen.Int).Sample(
        (schema, prompt, seed) =>
        {
            JsonElement parsed = JsonDocument.Parse(schema.ToJsonString()).RootElement;
            JsonNode? made = new SchemaValues(parsed, new PlausibleValues(new PromptWords(prompt), null, new Dice(seed))).Make("x");
            string? fault = SchemaCheck.Fault(parsed, JsonDocument.Parse(made?.ToJsonString() ?? "null").RootElement, parsed);
            Assert.True(fault is null, $"{fault}\n{schema.ToJsonString()}\n{made?.ToJsonString()}");
        },
        iter: 3000);

    [Theory]
    [InlineData("""{"type":"object","properties":{"node":{"$ref":"#/$defs/Node"}},"required":["node"],"$defs":{"Node":{"type":"object","properties":{"value":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/Node"},{"type":"null"}]}},"required":["value","next"],"additionalProperties":false}}}""")]
    [InlineData("""{"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"boolean"}},"required":["b"]}]}""")]
    [InlineData("""{"type":"object","required":["unknown"]}""")]
    [InlineData("""{"type":"array","items":{"type":"object","properties":{"id":{"type":"integer","minimum":1}},"required":["id"]},"minItems":3}""")]
    public void Make_HarderSchema_IsValid(string schema)
    {
        JsonElement parsed = JsonDocument.Parse(schema).RootElement;
        JsonNode? made = new SchemaValues(parsed, new PlausibleValues(new PromptWords("Trees in Paris"), null, new Dice(1))).Make();
        Assert.Null(SchemaCheck.Fault(parsed, JsonDocument.Parse(made!.ToJsonString()).RootElement, parsed));
    }

    [Theory]
    [InlineData("What is the weather in Lisbon today?", "city", """{"type":"string"}""", "Lisbon")]
    [InlineData("Show 7 results", "limit", """{"type":"integer","minimum":1,"maximum":10}""", "7")]
    [InlineData("The weather in Fahrenheit please", "unit", """{"type":"string","enum":["celsius","fahrenheit"]}""", "fahrenheit")]
    [InlineData("Meet on 2026-03-04", "date", """{"type":"string"}""", "2026-03-04")]
    [InlineData("Write to grace@navy.mil", "email", """{"type":"string","format":"email"}""", "grace@navy.mil")]
    [InlineData("Compute 12 * (3 + 4) for me", "expression", """{"type":"string"}""", "12 * (3 + 4)")]
    public void Make_PromptNamesTheValue_TakesIt(string prompt, string name, string schema, string expected)
    {
        JsonElement parsed = JsonDocument.Parse(schema).RootElement;
        JsonNode? made = new SchemaValues(parsed, new PlausibleValues(new PromptWords(prompt), null, new Dice(1))).Make(name);
        Assert.Equal(expected, made!.ToString());
    }

    private static JsonObject Object(JsonObject[] properties, int required)
    {
        JsonObject named = [];
        for (int i = 0; i < properties.Length; i++)
        {
            named[Names[i]] = properties[i].DeepClone();
        }

        return new JsonObject
        {
            ["type"] = "object",
            ["properties"] = named,
            ["required"] = new JsonArray([.. Names.Take(Math.Min(required, properties.Length)).Select(name => (JsonNode)name)]),
            ["additionalProperties"] = false,
        };
    }
}
