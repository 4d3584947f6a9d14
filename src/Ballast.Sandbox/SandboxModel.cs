namespace Ballast.Sandbox;

/// <summary>A model of a simulated platform and what it can do.</summary>
public sealed record SandboxModel(
    string Name, bool Chat, bool Tools, bool JsonSchema, bool Images, bool Streaming, bool Thinking, bool Embeddings);
