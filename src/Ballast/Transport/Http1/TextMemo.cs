using System.Text;

namespace Ballast.Transport.Http1;

/// <summary>The texts that a connection's requests repeat, made once: clients send the same key and the same path every time.</summary>
internal sealed class TextMemo
{
    private const int TextsMax = 8;
    private const int CharactersMax = 512;

    private readonly string?[] _texts = new string?[TextsMax];
    private int _next;

    public string Of(ReadOnlySpan<byte> bytes)
    {
        foreach (string? text in _texts)
        {
            if (text is not null && text.Length == bytes.Length && Ascii.Equals(bytes, text))
            {
                return text;
            }
        }

        string made = Encoding.UTF8.GetString(bytes);
        if (bytes.Length is > 0 and <= CharactersMax)
        {
            _texts[_next] = made;
            _next = (_next + 1) % TextsMax;
        }

        return made;
    }
}
