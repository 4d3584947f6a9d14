using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Guards.Constitution;
using Ballast.Protocols.Conversation;

namespace Ballast.Tests.Guards.Constitution;

public sealed class PrincipledAnswerTests
{
    private const int Seed = 4_711;

    [Theory]
    [InlineData("first line\nthe word is ａｂｒａcadabra, friend\nlast", "first line\n")]
    [InlineData("abra\u200Bcadabra", "")]
    [InlineData("one\ntwo\nthree", "one\ntwo\nthree")]
    [InlineData("hocus  pocus", "")]
    [InlineData("hocuspocus", "hocuspocus")]
    public void Take_AnyPieces_GivesWholeLinesUpToTheBreach(string text, string expected)
    {
        Random random = new(Seed);
        for (int round = 0; round < 200; round++)
        {
            PrincipledAnswer answer = Of(new PrincipleOptions { Id = "magic", Text = "No.", Topics = ["abracadabra", "hocus pocus"], IsOnAnswer = true });
            List<ChatEvent> released = [];
            for (int at = 0; at < text.Length && answer.Refusal is null;)
            {
                int length = Math.Min(text.Length - at, random.Next(1, 9));
                answer.Take(new TextDelta(0, text.Substring(at, length)), released);
                at += length;
                Assert.StartsWith(TextOf(released), expected, StringComparison.Ordinal);
            }

            if (answer.Refusal is null)
            {
                answer.Take(ResponseEnded.Instance, released);
            }

            Assert.Equal(expected, TextOf(released));
            Assert.Equal(expected == text, answer.Refusal is null);
        }
    }

    [Fact]
    public void Take_CallOfAToolThatIsNotAllowed_IsRefused()
    {
        PrincipledAnswer answer = Of(new PrincipleOptions { Id = "tools", Text = "No.", Tools = ["search"], IsOnAnswer = true });
        List<ChatEvent> released = [];

        answer.Take(new ToolCallStarted(0, "a", "search"), released);
        Assert.Null(answer.Refusal);
        answer.Take(new ToolCallStarted(1, "b", "drop_table"), released);

        Assert.Contains("'tools'", answer.Refusal!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Take_BreachThatIsFlagged_GoesOnAndIsNoted()
    {
        PrincipledAnswer answer = Of(new PrincipleOptions { Id = "rude", Text = "No.", Pattern = "blockhead", IsOnAnswer = true, Action = PrincipleAction.Flag });
        List<ChatEvent> released = [];

        answer.Take(new TextDelta(0, "you blockhead"), released);
        answer.Take(ResponseEnded.Instance, released);

        Assert.Equal("you blockhead", TextOf(released));
        Assert.Equal(["constitution:rude=flagged"], answer.Notes);
        Assert.Equal("flagged; principle=rude", answer.Verdict);
    }

    [Theory]
    [InlineData(null, false, false)]
    [InlineData(null, true, true)]
    [InlineData(false, true, false)]
    [InlineData(true, false, true)]
    public async Task JudgeAsync_VerdictOfAModel_CountsAsItIsWritten(bool? told, bool failsOpen, bool goesOn)
    {
        PrincipledAnswer answer = new(
            null!, [new Principle(new PrincipleOptions { Id = "judged", Text = "No.", Judge = "m", FailsOpen = failsOpen, IsOnAnswer = true })], (_, _, _) => Task.FromResult(told), []);
        answer.Take(new TextDelta(0, "anything"), []);

        await answer.JudgeAsync(TestContext.Current.CancellationToken);

        Assert.True(answer.HoldsWhole);
        Assert.Equal(goesOn, answer.Refusal is null);
        Assert.Equal(told is null, answer.Notes.Contains("constitution:judged=judge-failed"));
    }

    private static PrincipledAnswer Of(PrincipleOptions principle) => new(null!, [new Principle(principle)], (_, _, _) => Task.FromResult<bool?>(null), []);

    private static string TextOf(List<ChatEvent> events) => string.Concat(events.OfType<TextDelta>().Select(static text => text.Text));
}
