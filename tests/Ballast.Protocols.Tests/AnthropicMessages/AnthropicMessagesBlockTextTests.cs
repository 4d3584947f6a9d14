using Ballast.Protocols.AnthropicMessages;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Tests.AnthropicMessages;

public sealed class AnthropicMessagesBlockTextTests
{
    [Theory]
    [InlineData("""{"title":"T","source":"S","content":[{"text":"a"},{"type":"image"},{"text":"b"}]}""", "T\nS\na\nb")]
    [InlineData("""{"source":{"type":"content","content":"a"}}""", "a")]
    [InlineData("""{"content":[{"text":"\ud83d"},{"text":"a"}]}""", "a")]
    [InlineData("""{"title":"T","content":[]}""", null)]
    [InlineData("""{"title":"T","content":7}""", null)]
    [InlineData("""{"source":null}""", null)]
    public void Of_Block_GivesWhatIsText(string block, string? text) => Assert.Equal(text, AnthropicMessagesBlockText.Of(RawJson.From(block)));
}
