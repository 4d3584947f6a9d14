namespace Ballast.Configuration;

/// <summary>A credential as configured: the value, which has no printable form, and where it was taken from, which has.</summary>
public sealed class SecretOptions(string value, string source)
{
    private readonly string _value = value;

    /// <summary>For people, for example <c>environment variable OPENAI_API_KEY</c>.</summary>
    public string Source { get; } = source;

    public string Reveal() => _value;

    public override string ToString() => $"(secret from {Source})";
}
