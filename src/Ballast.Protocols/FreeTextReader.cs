using System.Buffers;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols;

/// <summary>
/// Reads the answer of a model that was given functions for tools of free text (<see cref="FunctionTools"/>): their calls are told as calls of those tools, and the text is
/// taken out of their arguments as it comes.
/// </summary>
internal sealed class FreeTextReader : ResponseReader
{
    private readonly ResponseReader _inside;
    private readonly HashSet<string> _names;
    private readonly Dictionary<int, FreeTextInput> _open = [];

    private FreeTextReader(ReaderOptions options, ResponseReader inside, HashSet<string> names)
        : base(options) => (_inside, _names) = (inside, names);

    public override Usage? Usage => _inside.Usage;

    /// <summary>The reader itself where no tool of free text was asked for, or nobody looks at calls.</summary>
    public static ResponseReader Of(ReaderOptions options, ResponseReader inside)
    {
        if (options.Depth != ReadDepth.Everything || !options.Tools.Any(static tool => tool.FreeText is not null))
        {
            return inside;
        }

        HashSet<string> functions = [.. options.Tools.Where(static tool => tool.FreeText is null).Select(static tool => tool.Name)];
        return new FreeTextReader(
            options, inside, [.. options.Tools.Where(tool => tool.FreeText is not null && !functions.Contains(tool.Name)).Select(static tool => tool.Name)]);
    }

    public override bool TryReadFrame(ref ReadOnlySequence<byte> buffer, bool isCompleted, out ReadOnlySequence<byte> frame, out FrameSignals signals)
    {
        Events.Clear();
        try
        {
            bool isTaken = _inside.TryReadFrame(ref buffer, isCompleted, out frame, out signals);
            foreach (ChatEvent chatEvent in _inside.Events)
            {
                Tell(chatEvent);
            }

            return isTaken;
        }
        finally
        {
            ResponseId = _inside.ResponseId;
            ServedModel = _inside.ServedModel;
            Finish = _inside.Finish;
            Error = _inside.Error;
            IsEnded = _inside.IsEnded;
            ContentLength = _inside.ContentLength;
        }
    }

    private void Tell(ChatEvent chatEvent)
    {
        switch (chatEvent)
        {
            case ToolCallStarted { IsFreeText: false } started when _names.Contains(started.Name):
                _open[started.Part] = new FreeTextInput();
                Events.Add(started with { IsFreeText = true });
                break;
            case ToolCallDelta delta when _open.TryGetValue(delta.Part, out FreeTextInput? input):
                Take(delta, input);
                break;
            case PartEnded ended:
                if (End(ended.Part))
                {
                    Events.Add(ended);
                }

                break;
            case Finished or ResponseEnded:
                foreach (int part in _open.Keys.Order().ToArray())
                {
                    End(part);
                }

                Events.Add(chatEvent);
                break;
            default:
                Events.Add(chatEvent);
                break;
        }
    }

    private void Take(ToolCallDelta delta, FreeTextInput input)
    {
        bool wasEnded = input.IsEnded;
        Add(delta.Part, input.Take(delta.Arguments));
        if (input.IsEnded && !wasEnded)
        {
            // Not every protocol says so, and no writer could see it in the text.
            Events.Add(new PartEnded(delta.Part));
        }
    }

    /// <summary>False where the part was told to have ended.</summary>
    private bool End(int part)
    {
        if (!_open.Remove(part, out FreeTextInput? input))
        {
            return true;
        }

        bool wasEnded = input.IsEnded;
        Add(part, input.End());
        return !wasEnded;
    }

    private void Add(int part, string text)
    {
        if (text.Length > 0)
        {
            Events.Add(new ToolCallDelta(part, text));
        }
    }
}
