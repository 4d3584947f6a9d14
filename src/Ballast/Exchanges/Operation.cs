namespace Ballast.Exchanges;

/// <summary>What a client wants done. An enum, not a method for each: a new operation is a row in the endpoint table.</summary>
public enum Operation
{
    Chat,
    CountTokens,
    Models,

    /// <summary>Which version of a server's own protocol is spoken here: clients of Ollama look before they ask.</summary>
    Version,

    /// <summary>Answers and conversations that are kept here: read, changed, deleted.</summary>
    State,

    /// <summary>A conversation is made shorter by its vendor.</summary>
    Compact,
    Embeddings,
    ImageGenerations,
    ImageEdits,
    ImageVariations,
    Speech,
    Transcriptions,
    Translations,
    Moderations,
    Completions,
    Rerank,
    FileUpload,
    FileList,
    FileRetrieve,
    FileDelete,
    FileContent,
    BatchCreate,
    BatchList,
    BatchRetrieve,
    BatchCancel,
    MessageBatchCreate,
    MessageBatchList,
    MessageBatchRetrieve,
    MessageBatchCancel,
    MessageBatchDelete,
    MessageBatchResults,
}

/// <summary>The operations' words and the paths that servers of OpenAI's shape have for them.</summary>
public static class OperationName
{
    /// <summary>The ledger's word.</summary>
    public static string Of(Operation operation) => operation switch
    {
        Operation.Chat => "chat",
        Operation.CountTokens => "count_tokens",
        Operation.Models => "models",
        Operation.Version => "version",
        Operation.State => "state",
        Operation.Compact => "compact",
        Operation.Embeddings => "embeddings",
        Operation.ImageGenerations => "image_generations",
        Operation.ImageEdits => "image_edits",
        Operation.ImageVariations => "image_variations",
        Operation.Speech => "speech",
        Operation.Transcriptions => "transcriptions",
        Operation.Translations => "translations",
        Operation.Moderations => "moderations",
        Operation.Completions => "completions",
        Operation.Rerank => "rerank",
        Operation.FileUpload => "file_upload",
        Operation.FileList => "file_list",
        Operation.FileRetrieve => "file_retrieve",
        Operation.FileDelete => "file_delete",
        Operation.FileContent => "file_content",
        Operation.BatchCreate => "batch_create",
        Operation.BatchList => "batch_list",
        Operation.BatchRetrieve => "batch_retrieve",
        Operation.BatchCancel => "batch_cancel",
        Operation.MessageBatchCreate => "message_batch_create",
        Operation.MessageBatchList => "message_batch_list",
        Operation.MessageBatchRetrieve => "message_batch_retrieve",
        Operation.MessageBatchCancel => "message_batch_cancel",
        Operation.MessageBatchDelete => "message_batch_delete",
        Operation.MessageBatchResults => "message_batch_results",
        _ => throw new ArgumentOutOfRangeException(nameof(operation)),
    };

    /// <summary>The path below the version (<c>/v1</c>).</summary>
    public static string PathOf(Operation operation) => operation switch
    {
        Operation.Embeddings => "/embeddings",
        Operation.ImageGenerations => "/images/generations",
        Operation.ImageEdits => "/images/edits",
        Operation.ImageVariations => "/images/variations",
        Operation.Speech => "/audio/speech",
        Operation.Transcriptions => "/audio/transcriptions",
        Operation.Translations => "/audio/translations",
        Operation.Moderations => "/moderations",
        Operation.Completions => "/completions",
        Operation.Rerank => "/rerank",
        _ => "/chat/completions",
    };

    /// <summary>It is about a file or batch that stays with the provider where it was made.</summary>
    public static bool IsOfKept(Operation operation) => operation is >= Operation.FileUpload and <= Operation.MessageBatchResults;

    /// <summary>It is about a batch of Anthropic's Messages.</summary>
    public static bool IsOfMessageBatch(Operation operation) => operation is >= Operation.MessageBatchCreate and <= Operation.MessageBatchResults;

    /// <summary>It begins work that costs what nobody knows before its end.</summary>
    public static bool BeginsBatch(Operation operation) => operation is Operation.BatchCreate or Operation.MessageBatchCreate;

    /// <summary>The operations that are only passed on, and embeddings.</summary>
    public static IReadOnlyList<Operation> Passed { get; } =
    [
        Operation.Embeddings, Operation.ImageGenerations, Operation.ImageEdits, Operation.ImageVariations, Operation.Speech, Operation.Transcriptions,
        Operation.Translations, Operation.Moderations, Operation.Completions, Operation.Rerank,
    ];
}
