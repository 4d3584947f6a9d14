using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>The signatures of one answer on their way back to the parts on which they stood, however the text was joined or cut in between.</summary>
internal sealed class GeminiSeals
{
    private readonly Dictionary<int, string> _calls = [];
    private readonly List<(SignaturePlace Place, string Signature, RedactedThinkingPart Part)> _texts = [];
    private int _taken;

    /// <summary>Takes one signature with its place; one without stands behind everything.</summary>
    public void Add(RedactedThinkingPart part)
    {
        string data = part.Data;
        if (!SignaturePlace.TrySplit(data, out SignaturePlace place, out string signature))
        {
            (place, signature) = (SignaturePlace.OfText(int.MaxValue, int.MaxValue, 0), data);
        }

        if (place.IsCall)
        {
            _calls[place.Calls] = signature;
        }
        else
        {
            _texts.Add((place, signature, part));
        }
    }

    public void Attach(IReadOnlyList<Part> parts, List<WrittenPart> output)
    {
        // The order in which they stood; a sort that moves no equal ones.
        List<(SignaturePlace Place, string Signature, RedactedThinkingPart Part)> texts = [.. _texts.OrderBy(text => text.Place.Start).ThenBy(text => text.Place.Calls)];
        _texts.Clear();
        _texts.AddRange(texts);
        int offset = 0;
        int calls = 0;
        foreach (Part part in parts)
        {
            switch (part)
            {
                case TextPart text:
                    WriteEmpty(offset, calls, output);
                    Split(text, offset, output);
                    offset += text.Text.Length;
                    break;
                case ToolCallPart call:
                    WriteEmpty(offset, calls, output);
                    output.Add(new WrittenPart(call, _calls.GetValueOrDefault(calls)));
                    calls++;
                    break;
                case ThinkingPart thinking:
                    output.Add(new WrittenPart(thinking, thinking.Signature));
                    break;
                default:
                    bool isSigned = IsEmptyHere(offset, calls);
                    output.Add(new WrittenPart(part, isSigned ? _texts[_taken++].Signature : null));
                    break;
            }
        }

        while (_taken < _texts.Count)
        {
            AddEmpty(output);
        }
    }

    private bool IsEmptyHere(int offset, int calls) =>
        _taken < _texts.Count && _texts[_taken].Place is { Length: 0 } place && place.Start <= offset && place.Calls <= calls;

    private void WriteEmpty(int offset, int calls, List<WrittenPart> output)
    {
        while (IsEmptyHere(offset, calls))
        {
            AddEmpty(output);
        }
    }

    private void AddEmpty(List<WrittenPart> output)
    {
        (_, string signature, RedactedThinkingPart part) = _texts[_taken++];
        output.Add(new WrittenPart(new TextPart("", part.Pointer) { Extras = part.Extras }, signature));
    }

    private void Split(TextPart text, int offset, List<WrittenPart> output)
    {
        int end = offset + text.Text.Length;
        int at = offset;
        bool isWhole = true;
        while (_taken < _texts.Count && _texts[_taken].Place is { Length: > 0 } place && place.Start < end)
        {
            int start = Math.Max(place.Start, at);
            int stop = Math.Min(Math.Max(place.Start + place.Length, start), end);
            if (start > at)
            {
                output.Add(new WrittenPart(text with { Text = text.Text[(at - offset)..(start - offset)] }));
            }

            output.Add(new WrittenPart(text with { Text = text.Text[(start - offset)..(stop - offset)] }, _texts[_taken++].Signature));
            at = stop;
            isWhole = false;
        }

        if (at < end || isWhole)
        {
            output.Add(new WrittenPart(at == offset ? text : text with { Text = text.Text[(at - offset)..] }));
        }
    }
}
