namespace Ballast.Exchanges;

/// <summary>What a client wants done. An enum, not a method for each: a new operation is a row in the endpoint table.</summary>
public enum Operation
{
    Chat,
    CountTokens,
    Models,
}
