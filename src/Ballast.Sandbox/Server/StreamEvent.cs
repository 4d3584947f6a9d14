namespace Ballast.Sandbox.Server;

/// <summary>One server-sent event of an answer.</summary>
/// <param name="Data">The JSON, or a marker such as <c>[DONE]</c>.</param>
/// <param name="Name">The <c>event:</c> line, where the vendor sends one.</param>
/// <param name="IsEnding">Belongs to the end of the answer: finish reason, usage, terminal event.</param>
/// <param name="Tokens">How many tokens of output it carries.</param>
internal readonly record struct StreamEvent(string Data, string? Name = null, bool IsEnding = false, int Tokens = 0);
