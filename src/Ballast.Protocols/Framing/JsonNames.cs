using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Ballast.Protocols.Framing;

/// <summary>The names of one object's fields, to find one that is given twice. Names are compared as what they say, however they are escaped.</summary>
internal ref struct JsonNames(ReadOnlySpan<byte> json)
{
    private readonly ReadOnlySpan<byte> _json = json;
    private Few _few;
    private List<JsonSpan>? _more;
    private HashSet<string>? _escaped;

    public int Count { get; private set; }

    /// <summary>Adds the name that lies at <paramref name="name"/>, without its quotes; false where it is known.</summary>
    public bool Add(JsonSpan name, bool isEscaped)
    {
        if (isEscaped || _escaped is not null)
        {
            return AddText(name);
        }

        ReadOnlySpan<byte> text = Bytes(name);
        for (int i = 0; i < Count; i++)
        {
            JsonSpan known = At(i);
            if (known.Length == name.Length && Bytes(known).SequenceEqual(text))
            {
                return false;
            }
        }

        if (Count < Few.Length)
        {
            _few[Count] = name;
        }
        else
        {
            (_more ??= []).Add(name);
        }

        Count++;
        return true;
    }

    private bool AddText(JsonSpan name)
    {
        if (_escaped is null)
        {
            _escaped = [];
            for (int i = 0; i < Count; i++)
            {
                _escaped.Add(Text(At(i)));
            }
        }

        bool isNew = _escaped.Add(Text(name));
        Count = _escaped.Count;
        return isNew;
    }

    private readonly JsonSpan At(int index) => index < Few.Length ? _few[index] : _more![index - Few.Length];

    private readonly ReadOnlySpan<byte> Bytes(JsonSpan name) => _json.Slice(name.Start, name.Length);

    private readonly string Text(JsonSpan name)
    {
        Utf8JsonReader reader = new(_json.Slice(name.Start - 1, name.Length + 2));
        reader.Read();
        return JsonText.Read(ref reader);
    }

    [InlineArray(Length)]
    private struct Few
    {
        public const int Length = 32;
        private JsonSpan _first;
    }
}
