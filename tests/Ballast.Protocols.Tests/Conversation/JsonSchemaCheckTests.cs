using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Tests.Conversation;

public class JsonSchemaCheckTests
{
    [Theory]
    [InlineData("""{"type":"string"}""", "\"a\"", "1")]
    [InlineData("""{"type":"integer"}""", "3.0", "3.5")]
    [InlineData("""{"type":["string","null"]}""", "null", "true")]
    [InlineData("""{"type":"boolean"}""", "false", "0")]
    [InlineData("""{"enum":["a",1,{"b":[2]}]}""", """{"b":[2.0]}""", "\"c\"")]
    [InlineData("""{"const":{"x":1,"y":2}}""", """{"y":2,"x":1}""", """{"x":1}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"number"}},"required":["a"],"additionalProperties":false}""", """{"a":1}""", """{"a":1,"b":2}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"number"}},"required":["a"]}""", """{"a":1,"b":2}""", """{"b":2}""")]
    [InlineData("""{"additionalProperties":{"type":"number"}}""", """{"a":1}""", """{"a":"1"}""")]
    [InlineData("""{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":2}""", """["a"]""", """["a","b","c"]""")]
    [InlineData("""{"type":"array","items":{"type":"string"}}""", "[]", "[1]")]
    [InlineData("""{"prefixItems":[{"type":"string"}],"items":false}""", """["a"]""", """["a",1]""")]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"number","minimum":3}]}""", "3", "2")]
    [InlineData("""{"oneOf":[{"type":"number"},{"type":"integer"}]}""", "1.5", "1")]
    [InlineData("""{"allOf":[{"maximum":5},{"exclusiveMinimum":1}]}""", "5", "1")]
    [InlineData("""{"$defs":{"n":{"type":"object","properties":{"next":{"$ref":"#/$defs/n"},"v":{"type":"string"}}}},"$ref":"#/$defs/n"}""",
        """{"next":{"next":{"v":"x"}}}""", """{"next":{"next":{"v":1}}}""")]
    [InlineData("""{"type":"string","pattern":"^a+$","maxLength":2}""", "\"aa\"", "\"aaa\"")]
    [InlineData("""{"type":"string","pattern":"^a+$"}""", "\"aa\"", "\"ab\"")]
    [InlineData("""{"type":"string","minLength":2}""", "\"🌍🌍\"", "\"🌍\"")]
    [InlineData("true", "1", "not json")]
    public void TryValidate_FittingAndUnfitting_AreToldApart(string schema, string fitting, string unfitting)
    {
        Assert.True(JsonSchemaCheck.TryValidate(RawJson.From(schema), fitting, out string? fault), fault);
        Assert.Null(fault);
        Assert.False(JsonSchemaCheck.TryValidate(RawJson.From(schema), Encoding.UTF8.GetBytes(unfitting), out fault));
        Assert.NotNull(fault);
    }

    [Fact]
    public void TryValidate_FaultInDepth_NamesThePlaceNotTheValue()
    {
        RawJson schema = RawJson.From("""{"properties":{"a/b":{"items":{"properties":{"c":{"type":"string"}}}}}}""");
        Assert.False(JsonSchemaCheck.TryValidate(schema, """{"a/b":[{"c":"x"},{"c":12345}]}""", out string? fault));
        Assert.Equal("/a~1b/1/c must be of type string.", fault);
    }

    [Theory]
    [InlineData("""{"$ref":"#"}""")]
    [InlineData("""{"$ref":"#/$defs/none"}""")]
    [InlineData("""{"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}""")]
    public void TryValidate_EndlessOrDanglingReference_IsAFaultSoon(string schema) =>
        Assert.False(JsonSchemaCheck.TryValidate(RawJson.From(schema), "1", out _));

    [Theory]
    [InlineData("""{"pattern":"(?<=a)b"}""")]
    [InlineData("""{"pattern":"("}""")]
    public void TryValidate_PatternThatCannotRun_DoesNotRestrict(string schema) =>
        Assert.True(JsonSchemaCheck.TryValidate(RawJson.From(schema), "\"x\"", out _));
}
