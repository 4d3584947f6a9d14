using System.Text;

namespace Ballast.Sandbox.Recorded;

/// <summary>Converse writes bytes in base 64; where they are a text of another interface, as Claude's encrypted thinking is, that text is meant.</summary>
internal static class ConverseBlob
{
    public static string TextOf(string base64)
    {
        byte[] bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out int length) && bytes.AsSpan(0, length).IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0
            ? Encoding.UTF8.GetString(bytes, 0, length) : base64;
    }
}
