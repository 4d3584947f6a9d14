using Ballast.Sandbox.Generation;
using CsCheck;

namespace Ballast.Sandbox.Tests.Generation;

public class AuthorTests
{
    private static readonly AnswerStyle Style = new("call_", 24, RefusesInText: false);

    [Theory]
    [InlineData("Reply with exactly SAFE.", "SAFE")]
    [InlineData("Reply with exactly: pong", "pong")]
    [InlineData("Reply with only the word \"blue\"", "blue")]
    [InlineData("Say hello world", "hello world")]
    [InlineData("Please say 'Guten Tag'.", "Guten Tag")]
    [InlineData("Answer with just OK", "OK")]
    [InlineData("Respond with exactly this: a, b and c", "a, b and c")]
    [InlineData("Count from 1 to 5", "1, 2, 3, 4, 5")]
    [InlineData("count down 3 to 1", "3, 2, 1")]
    [InlineData("What is 12 * 11?", "12 * 11 = 132")]
    [InlineData("what is 1+1?", "1 + 1 = 2")]
    public void Write_Instruction_IsObeyed(string prompt, string expected) => Assert.Equal(expected, Write(prompt).Text);

    [Fact]
    public void Write_NameToldBefore_IsRemembered()
    {
        Prompt prompt = Ask("What is my name?") with
        {
            Turns = [new Turn(TurnRole.User, "Hi, my name is Ada."), new Turn(TurnRole.Assistant, "Hi"), new Turn(TurnRole.User, "What is my name?")],
        };
        Assert.Contains("Ada", new Author(1).Write(prompt, Style).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_AnyPrompt_HasPlausibleLengthAndIsTheSameAgain() => Gen.String[0, 300].Sample(text =>
    {
        Answer answer = Write(text);
        Assert.Equal(answer.Text, Write(text).Text);
        Assert.InRange(answer.OutputTokens, Instructions.Obey(Ask(text)) is null ? 4 : 1, 400);
    });

    [Fact]
    public void Write_OtherSeed_OtherAnswer()
    {
        IEnumerable<string> texts = Enumerable.Range(0, 20).Select(seed => new Author(seed).Write(Ask("Explain tides"), Style).Text);
        Assert.True(texts.Distinct().Count() > 10);
    }

    [Fact]
    public void Write_WordsAskedFor_AreGiven()
    {
        int words = Write("Write 900 words about tides").Text.Split(' ').Length;
        Assert.InRange(words, 900, 930);
    }

    [Fact]
    public void Write_AnyMaxTokens_IsNeverExceeded() => Gen.Int[1, 60].Sample(most =>
    {
        Answer full = Write("Explain tides");
        Answer answer = new Author(1).Write(Ask("Explain tides") with { MaxTokens = most }, Style);
        Assert.True(answer.OutputTokens <= most);
        Assert.Equal(full.OutputTokens > most ? AnswerEnd.MaxTokens : AnswerEnd.Natural, answer.End);
        Assert.StartsWith(answer.Text, full.Text, StringComparison.Ordinal);
    });

    private static Answer Write(string text) => new Author(1).Write(Ask(text), Style);

    private static Prompt Ask(string text) => new()
    {
        Platform = "openai",
        Model = "gpt",
        Turns = [new Turn(TurnRole.User, text)],
        Fingerprint = text,
    };
}
