using System.Text;
using Ballast.Protocols.Conversation;

namespace Ballast.Guards.Redaction;

/// <summary>
/// The events of one streamed answer on their way to the client: texts, thoughts, refusals and arguments of tools screened piece by piece, everything else in its place.
/// </summary>
internal sealed class AnswerEvents(RedactionPolicy policy, RedactedValues values, MatchFinder finder, bool isJsonOutput)
{
    private readonly Dictionary<(int Part, Channel Channel), TextScreen> _open = [];
    private readonly HashSet<int> _freeText = [];
    private readonly StringBuilder _output = new();

    private enum Channel
    {
        Text,
        Refusal,
        Thinking,
        Arguments,
    }

    /// <summary>Adds what may go on now that this event has come.</summary>
    public void Take(ChatEvent chatEvent, List<ChatEvent> output)
    {
        switch (chatEvent)
        {
            case TextDelta text:
                Piece(text.Part, Channel.Text, text.Text, output);
                break;
            case RefusalDelta refusal:
                Piece(refusal.Part, Channel.Refusal, refusal.Text, output);
                break;
            case ThinkingDelta thinking:
                Piece(thinking.Part, Channel.Thinking, thinking.Text, output);
                break;
            case ToolCallDelta call:
                Piece(call.Part, Channel.Arguments, call.Arguments, output);
                break;
            case PartEnded or ThinkingSigned or ThinkingRedacted:
                EndOf(PartOf(chatEvent), output);
                output.Add(chatEvent);
                break;
            case Cited cited:
                // Places count in the model's text, which is not the client's where something was put back.
                output.Add(values.IsEmpty ? cited : cited with { Start = null, End = null, QuotedText = Whole(cited.QuotedText), Title = Whole(cited.Title), Url = Whole(cited.Url) });
                break;
            case ToolCallStarted call:
                EndAll(output, isAllArguments: false);
                if (call.IsFreeText)
                {
                    _freeText.Add(call.Part);
                }

                output.Add(chatEvent);
                break;
            case Finished or ResponseEnded:
                EndAll(output, isAllArguments: true);
                output.Add(chatEvent);
                break;
            default:
                output.Add(chatEvent);
                break;
        }
    }

    private static int PartOf(ChatEvent chatEvent) => chatEvent switch
    {
        PartEnded ended => ended.Part,
        ThinkingSigned signed => signed.Part,
        ThinkingRedacted redacted => redacted.Part,
        _ => -1,
    };

    private void Piece(int part, Channel channel, string text, List<ChatEvent> output)
    {
        if (!_open.TryGetValue((part, channel), out TextScreen? screen))
        {
            if (channel != Channel.Arguments)
            {
                EndAll(output, isAllArguments: false);
            }

            // A thought may be signed: nothing of it is changed but what its model saw changed.
            ScreenMode mode = policy.RedactsAnswers && channel != Channel.Thinking ? ScreenMode.RestoreAndHide : ScreenMode.Restore;
            bool isJson = (channel == Channel.Arguments && !_freeText.Contains(part)) || (channel == Channel.Text && isJsonOutput && text.AsSpan().TrimStart() is ['{' or '[', ..]);
            screen = new TextScreen(policy, values, finder, mode, isJson);
            if (text.Length == 0 || (channel == Channel.Text && isJsonOutput && string.IsNullOrWhiteSpace(text)))
            {
                Add(part, channel, text, output); // what it is, is told by its first character
                return;
            }

            _open[(part, channel)] = screen;
        }

        _output.Clear();
        screen.Push(text, _output);
        if (_output.Length > 0)
        {
            Add(part, channel, _output.ToString(), output);
        }
    }

    /// <summary>Only calls of tools may go on while another part does.</summary>
    private void EndAll(List<ChatEvent> output, bool isAllArguments)
    {
        foreach ((int part, Channel channel) in _open.Keys.OrderBy(static one => one.Part).ToArray())
        {
            if (isAllArguments || channel != Channel.Arguments)
            {
                End(part, channel, output);
            }
        }
    }

    private void EndOf(int part, List<ChatEvent> output)
    {
        foreach (Channel channel in (ReadOnlySpan<Channel>)[Channel.Text, Channel.Refusal, Channel.Thinking, Channel.Arguments])
        {
            End(part, channel, output);
        }
    }

    private void End(int part, Channel channel, List<ChatEvent> output)
    {
        if (!_open.Remove((part, channel), out TextScreen? screen))
        {
            return;
        }

        _output.Clear();
        screen.End(_output);
        if (_output.Length > 0)
        {
            Add(part, channel, _output.ToString(), output);
        }
    }

    private string? Whole(string? text) => text is null ? null : TextScreen.Run(policy, values, finder, ScreenMode.Restore, text);

    private static void Add(int part, Channel channel, string text, List<ChatEvent> output) => output.Add(channel switch
    {
        Channel.Text => new TextDelta(part, text),
        Channel.Refusal => new RefusalDelta(part, text),
        Channel.Thinking => new ThinkingDelta(part, text),
        _ => new ToolCallDelta(part, text),
    });
}
