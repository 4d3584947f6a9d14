namespace Ballast.Handles;

/// <summary>What a handle stands for.</summary>
public enum HandleKind
{
    File,
    Batch,

    /// <summary>A batch of Anthropic's Messages.</summary>
    MessageBatch,
}
