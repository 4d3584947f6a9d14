using System.Text.Json;
using System.Text.Json.Nodes;
using Ballast.Sandbox.Generation;
using Microsoft.AspNetCore.Http;

namespace Ballast.Sandbox.Server;

/// <summary>How one platform speaks: its paths, key, headers, bodies and errors.</summary>
internal abstract class PlatformSimulator
{
    public abstract string Name { get; }

    public abstract string ApiKey { get; }

    public abstract IReadOnlyList<SandboxModel> Models { get; }

    public abstract LatencyProfile Latency { get; }

    public abstract long MaxBodyBytes { get; }

    /// <summary>Needs no key and is not billed.</summary>
    public virtual bool IsFree(string path) => false;

    /// <summary>The model that the request is for, so far as it can be told before the request is checked.</summary>
    public virtual string? ModelOf(Visit visit, JsonElement? body) =>
        body is { ValueKind: JsonValueKind.Object } request
        && request.TryGetProperty("model", out JsonElement model) && model.ValueKind == JsonValueKind.String
            ? model.GetString()
            : null;

    /// <summary>A stream is asked for, so far as it can be told before the request is checked.</summary>
    public virtual bool IsStream(Visit visit, JsonElement? body) =>
        body is { ValueKind: JsonValueKind.Object } request && request.TryGetProperty("stream", out JsonElement stream) && stream.ValueKind == JsonValueKind.True;

    /// <summary>How this request's stream lies in its bytes.</summary>
    public virtual StreamFraming FramingOf(Visit visit) => StreamFraming.Events;

    public abstract string NewRequestId(ref Dice dice);

    /// <summary>The headers that every answer carries.</summary>
    public abstract void WriteHeaders(Visit visit);

    /// <exception cref="VendorErrorException">The key is missing or wrong.</exception>
    public abstract void CheckKey(HttpRequest request);

    public abstract Task AnswerAsync(Visit visit);

    public abstract JsonNode ErrorBody(VendorError error, Visit visit);

    /// <summary>An error within a stream.</summary>
    public abstract StreamEvent ErrorEvent(Visit visit);

    /// <summary>The vendor's error for a fault that is a status and a body.</summary>
    public abstract VendorError FaultError(FaultKind kind, Visit visit);

    public abstract VendorError TooLarge { get; }

    /// <summary>Headers that belong to an error only.</summary>
    public virtual void WriteErrorHeaders(VendorError error, IHeaderDictionary headers)
    {
    }
}
