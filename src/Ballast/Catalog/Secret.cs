namespace Ballast.Catalog;

/// <summary>
/// A credential. It has no printable form, so that no log, error or report can hold it by accident; only the code that signs requests reveals it.
/// Equal where the values are: a reload that changes nothing keeps what was fetched with it.
/// </summary>
public sealed class Secret(string value) : IEquatable<Secret>
{
    private readonly string _value = value;
    private string? _bearer;

    public string Reveal() => _value;

    /// <summary>As the value of an <c>Authorization</c> header, made once: each request carries it.</summary>
    public string RevealBearer() => _bearer ??= "Bearer " + _value;

    public bool Equals(Secret? other) => other is not null && other._value == _value;

    public override bool Equals(object? obj) => Equals(obj as Secret);

    public override int GetHashCode() => _value.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => "(secret)";
}
