namespace Ballast.Guards.Redaction;

/// <summary>A place in a text that is to be replaced, and what it is: a label such as <c>EMAIL</c>.</summary>
internal readonly record struct TextMatch(int Start, int End, string Label);

/// <summary>The kinds of values that are found without being told how: the words of the configuration and the labels of their placeholders.</summary>
internal static class RedactionKind
{
    public const string Email = "EMAIL";
    public const string Phone = "PHONE";
    public const string Iban = "IBAN";
    public const string Card = "CARD";
    public const string Secret = "SECRET";

    public static readonly IReadOnlyList<string> All = [Email, Phone, Iban, Card, Secret];
}
