namespace Ballast.Cli.Demo;

/// <summary>The two protocols that the demo's applications speak.</summary>
internal enum CallerProtocol
{
    OpenAI,
    Anthropic,
}

/// <summary>What an application must find in an answer for it to be of use.</summary>
internal enum Wanted
{
    /// <summary>Whatever the model chose to do.</summary>
    Anything,
    Text,
    ToolCall,
    Json,
}

/// <summary>One request of one application, as its bytes go out.</summary>
internal sealed record DemoRequest
{
    public required string App { get; init; }
    public required string Key { get; init; }
    public required CallerProtocol Protocol { get; init; }
    public required bool Stream { get; init; }
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Beside the content type and the key.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];
    public Wanted Wanted { get; init; }

    /// <summary>Of the recording that this request comes from; null for the sample applications'.</summary>
    public string? RecordingId { get; init; }

    /// <summary>The real provider answered this very request with an error: so may Ballast.</summary>
    public bool WasRefused { get; init; }

    public string Path => Protocol == CallerProtocol.OpenAI ? "/v1/chat/completions" : "/v1/messages";
}
