using System.Text.Json;
using Ballast.Sandbox.Generation;

namespace Ballast.Sandbox.Tests.Generation;

public class ToolChooserTests
{
    private static readonly ToolSpec Weather = new(
        "get_weather", "Gives the current weather of a city", JsonDocument.Parse("""{"type":"object"}""").RootElement);

    private static readonly ToolSpec Clock = new("current_time", "Tells the time in a zone", null);

    [Theory]
    [InlineData("What is the weather in Paris?", "get_weather:")]
    [InlineData("What's the weather in Paris and London?", "get_weather:Paris get_weather:London")]
    [InlineData("Compare the weather of Paris, London, and New York", "get_weather:Paris get_weather:London get_weather:New York")]
    [InlineData("Call the weather tool twice", "get_weather: get_weather:")]
    [InlineData("What time is it?", "current_time:")]
    [InlineData("Tell me the weather and the time", "get_weather: current_time:")]
    [InlineData("Tell me a joke", "")]
    [InlineData("What is the weather? Do not use any tools.", "")]
    public void Choose_Auto_CallsWhatThePromptAsksFor(string text, string expected) => Assert.Equal(expected, Choose(Ask(text)));

    [Fact]
    public void Choose_Required_AlwaysCalls() => Assert.Equal("get_weather:", Choose(Ask("Tell me a joke") with { ToolUse = ToolUse.Any }));

    [Fact]
    public void Choose_Named_CallsThatTool() =>
        Assert.Equal("current_time:", Choose(Ask("weather") with { ToolUse = ToolUse.Named, NamedTool = "current_time" }));

    [Fact]
    public void Choose_NotParallel_CallsOnce() =>
        Assert.Equal("get_weather:", Choose(Ask("Weather in Paris and London?") with { ParallelCalls = false }));

    [Fact]
    public void Choose_ResultIsThere_AnswersUntilTheUserAsksAgain()
    {
        Turn asked = new(TurnRole.User, "Weather in Paris?");
        Turn called = new(TurnRole.Assistant, "") { Calls = [new ToolCall("1", "get_weather", "{}")] };
        Turn result = new(TurnRole.Tool, "") { Results = [new ToolResult("1", "get_weather", "18")] };
        Assert.Equal("", Choose(Ask("") with { Turns = [asked, called, result] }));
        Assert.Equal("get_weather:", Choose(Ask("") with { Turns = [asked, called, result, new Turn(TurnRole.User, "And the weather in Rome?")] }));
    }

    private static string Choose(Prompt prompt) => string.Join(
        ' ', ToolChooser.Choose(prompt, new PromptWords(prompt.LastUserText)).Select(call => $"{call.Tool.Name}:{call.Subject}"));

    private static Prompt Ask(string text) => new()
    {
        Platform = "openai",
        Model = "gpt",
        Turns = [new Turn(TurnRole.User, text)],
        Fingerprint = text,
        Tools = [Weather, Clock],
    };
}
