using System.Buffers;
using System.Security.Cryptography;

namespace Ballast.Handles;

/// <summary>
/// What clients know a file or batch by: <c>file-</c>, <c>batch_</c> or <c>msgbatch_</c> and 128 random bits. It says nothing of where the thing lies, and cannot be guessed.
/// </summary>
public static class HandleName
{
    private const int RandomBytes = 16;

    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789abcdef");

    public static string Make(HandleKind kind) => Prefix(kind) + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(RandomBytes));

    /// <summary>Anything else is looked for nowhere.</summary>
    public static bool IsOne(HandleKind kind, string text)
    {
        string prefix = Prefix(kind);
        return text.Length == prefix.Length + (2 * RandomBytes) && text.StartsWith(prefix, StringComparison.Ordinal)
            && !text.AsSpan(prefix.Length).ContainsAnyExcept(s_digits);
    }

    private static string Prefix(HandleKind kind) => kind switch
    {
        HandleKind.File => "file-",
        HandleKind.Batch => "batch_",
        _ => "msgbatch_",
    };
}
