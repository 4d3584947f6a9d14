using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Protocols;
using Ballast.Protocols.Conversation;

namespace Ballast.Guards.Redaction;

/// <summary>Makes the screens of one streamed answer's texts, and screens at once what comes at once.</summary>
internal sealed class ScreenMaker(RedactionPolicy policy, RedactedValues values, MatchFinder finder, bool isJsonOutput)
{
    /// <summary>More texts than this are open in no answer: 128 answers with 32 calls of tools each.</summary>
    private const int ScreensMax = 4096;

    /// <summary>Frames are written as models write text: nothing that needs no escape has one.</summary>
    public static JsonSerializerOptions Writing { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private int _made;

    /// <summary>What the model itself writes is searched, too.</summary>
    public bool RedactsAnswers => policy.RedactsAnswers;

    /// <summary>A screen for a text that begins.</summary>
    /// <param name="name">Of the field that it comes in.</param>
    /// <param name="isThought">It may be signed: values are only put back.</param>
    /// <exception cref="ProtocolException">There are more texts than any answer has.</exception>
    public StreamedText Open(string name, bool isThought)
    {
        if (++_made > ScreensMax)
        {
            throw new ProtocolException(new ChatError(ChatErrorKind.BadGateway, "The upstream's answer has more texts than can be screened."));
        }

        bool mayBeJson = name is "arguments" || (isJsonOutput && name is "content" or "text");
        ScreenMode mode = policy.RedactsAnswers && !isThought ? ScreenMode.RestoreAndHide : ScreenMode.Restore;
        return new StreamedText(first => new TextScreen(policy, values, finder, mode, mayBeJson && first.AsSpan().TrimStart() is ['{' or '[', ..]));
    }

    /// <summary>A text that nobody adds to, in which values are put back.</summary>
    public string Whole(string text) => TextScreen.Run(policy, values, finder, ScreenMode.Restore, text);

    /// <summary>Whatever of an answer is no text in pieces.</summary>
    public JsonObject Rest(JsonObject told)
    {
        byte[] json = Encoding.UTF8.GetBytes(told.ToJsonString(Writing));
        ReadOnlyMemory<byte> screened = new JsonScreen(policy, values, finder, isAnswer: true).Run(json);
        return screened.Equals(json) ? told : JsonNode.Parse(screened.Span) as JsonObject ?? told;
    }
}
