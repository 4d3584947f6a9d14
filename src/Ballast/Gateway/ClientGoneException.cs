namespace Ballast.Gateway;

/// <summary>The client closed its connection in the middle of an answer: a cancellation, and nobody's failure.</summary>
public sealed class ClientGoneException() : OperationCanceledException("The client went away.");
