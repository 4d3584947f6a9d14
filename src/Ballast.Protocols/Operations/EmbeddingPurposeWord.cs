using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Operations;

/// <summary>The vendors' words for what vectors are for: Gemini's <c>taskType</c>, Cohere's and others' <c>input_type</c>.</summary>
internal static class EmbeddingPurposeWord
{
    public static EmbeddingPurpose Read(string word) => word.ToUpperInvariant() switch
    {
        "RETRIEVAL_QUERY" or "SEARCH_QUERY" or "QUERY" or "QUESTION_ANSWERING" or "FACT_VERIFICATION" or "CODE_RETRIEVAL_QUERY" => EmbeddingPurpose.Query,
        "RETRIEVAL_DOCUMENT" or "SEARCH_DOCUMENT" or "DOCUMENT" or "PASSAGE" => EmbeddingPurpose.Document,
        "CLASSIFICATION" => EmbeddingPurpose.Classification,
        "CLUSTERING" => EmbeddingPurpose.Clustering,
        _ => EmbeddingPurpose.Other,
    };

    /// <summary>Gemini's word; null where it has none.</summary>
    public static string? Gemini(EmbeddingPurpose purpose) => purpose switch
    {
        EmbeddingPurpose.Query => "RETRIEVAL_QUERY",
        EmbeddingPurpose.Document => "RETRIEVAL_DOCUMENT",
        EmbeddingPurpose.Classification => "CLASSIFICATION",
        EmbeddingPurpose.Clustering => "CLUSTERING",
        _ => null,
    };

    /// <summary>Cohere's word; its models demand one.</summary>
    public static string Cohere(EmbeddingPurpose purpose) => purpose switch
    {
        EmbeddingPurpose.Query => "search_query",
        EmbeddingPurpose.Classification => "classification",
        EmbeddingPurpose.Clustering => "clustering",
        _ => "search_document",
    };
}
