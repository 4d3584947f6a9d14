namespace Ballast.Catalog;

/// <summary>
/// A credential. It has no printable form, so that no log, error or report can hold it by accident; only the code that signs requests calls <see cref="Reveal"/>.
/// </summary>
public sealed class Secret(string value)
{
    private readonly string _value = value;

    public string Reveal() => _value;

    public override string ToString() => "(secret)";
}
