using Ballast.Configuration;
using Ballast.Guards.Redaction;
using Ballast.Protocols.Conversation;

namespace Ballast.Tests.Guards.Redaction;

/// <summary>What tools are given in a streamed answer: JSON stays JSON, and free text is text.</summary>
public sealed class AnswerEventsTests
{
    private static readonly RedactionPolicy s_policy = RedactionPolicy.Of(
        new RedactionOptions { Kinds = RedactionOptions.AllKinds, Patterns = [new("quoted", "the \"[a-z]+\" plan")], RedactsAnswers = true }, "app");

    [Theory]
    [InlineData(true, "{ plan: @ }\n", "{ plan: the \"river\" plan }\n")]
    [InlineData(true, "@", "the \"river\" plan")]
    [InlineData(false, "{\"a\":\"@\"}", "{\"a\":\"the \\\"river\\\" plan\"}")]
    public void Take_CallWithAPlaceholder_GivesTheValueAsItsKindOfCallWantsIt(bool isFreeText, string given, string expected)
    {
        RedactedValues values = new(s_policy);
        MatchFinder finder = new(s_policy);
        string placeholder = TextScreen.Run(s_policy, values, finder, ScreenMode.Hide, "the \"river\" plan");
        Assert.DoesNotContain("river", placeholder, StringComparison.Ordinal);
        foreach (int size in (int[])[1, 3, 7, 1000])
        {
            AnswerEvents events = new(s_policy, values, finder, isJsonOutput: false);
            List<ChatEvent> told = [];
            events.Take(new ToolCallStarted(0, "call_1", "note") { IsFreeText = isFreeText }, told);
            foreach (char[] piece in given.Replace("@", placeholder, StringComparison.Ordinal).Chunk(size))
            {
                events.Take(new ToolCallDelta(0, new string(piece)), told);
            }

            events.Take(ResponseEnded.Instance, told);
            Assert.Equal(expected, string.Concat(told.OfType<ToolCallDelta>().Select(static delta => delta.Arguments)));
        }
    }

    [Fact]
    public void Take_FreeTextWithAValueOfTheModelsOwn_IsHidden()
    {
        AnswerEvents events = new(s_policy, new RedactedValues(s_policy), new MatchFinder(s_policy), isJsonOutput: false);
        List<ChatEvent> told = [];
        events.Take(new ToolCallStarted(0, "call_1", "note") { IsFreeText = true }, told);
        events.Take(new ToolCallDelta(0, "mail mara@exam"), told);
        events.Take(new ToolCallDelta(0, "ple.com now"), told);
        events.Take(ResponseEnded.Instance, told);
        string text = string.Concat(told.OfType<ToolCallDelta>().Select(static delta => delta.Arguments));
        Assert.StartsWith("mail ", text, StringComparison.Ordinal);
        Assert.EndsWith(" now", text, StringComparison.Ordinal);
        Assert.DoesNotContain("mara", text, StringComparison.Ordinal);
    }
}
