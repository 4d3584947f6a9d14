using System.Text;

namespace Ballast.Cli.Conformance;

/// <summary>An answer as it came: status, headers, bytes, and its server-sent events where it is a stream.</summary>
internal sealed class Reply
{
    private readonly HttpResponseMessage _response;

    public Reply(HttpResponseMessage response, ReadOnlyMemory<byte> body)
    {
        _response = response;
        Status = (int)response.StatusCode;
        MediaType = response.Content.Headers.ContentType?.MediaType;
        Body = body;
        Text = Encoding.UTF8.GetString(body.Span);
    }

    public int Status { get; }
    public string? MediaType { get; }
    public ReadOnlyMemory<byte> Body { get; }
    public string Text { get; }

    /// <summary>The start of the body, for a message.</summary>
    public string Excerpt => Text.Length <= 160 ? Text : Text[..160] + "…";

    public string? Header(string name) => _response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;

    /// <summary>The events of a stream: name (or null) and data. Comments are dropped, as every reader must.</summary>
    public List<(string? Name, string Data)> Events()
    {
        List<(string? Name, string Data)> events = [];
        string? name = null;
        List<string> data = [];
        foreach (string line in Text.ReplaceLineEndings("\n").Split('\n'))
        {
            if (line.Length == 0)
            {
                if (data.Count > 0)
                {
                    events.Add((name, string.Join('\n', data)));
                }

                name = null;
                data.Clear();
            }
            else if (line.StartsWith("event:", StringComparison.Ordinal))
            {
                name = line["event:".Length..].Trim();
            }
            else if (line.StartsWith("data:", StringComparison.Ordinal))
            {
                data.Add(line["data:".Length..].TrimStart(' '));
            }
        }

        return events;
    }

    /// <summary>Takes a path that is not there for a clear refusal.</summary>
    /// <exception cref="RefusedException">The server does not have the path.</exception>
    public Reply DemandOffered() => Status is 404 or 405 or 501 ? throw new RefusedException($"status {Status}") : this;

    /// <summary>Demands success and the content type that belongs to it.</summary>
    /// <param name="stream">The request asked for a stream.</param>
    /// <param name="streamType">The media type of a stream.</param>
    /// <exception cref="RefusedException">The server answered 400 or 422: it has understood and refused.</exception>
    /// <exception cref="NonconformanceException">Anything else but success.</exception>
    public Reply Demand(bool stream, string streamType = "text/event-stream")
    {
        if (Status is 400 or 422)
        {
            throw new RefusedException($"refused with {Status}: {Excerpt}");
        }

        Expect.That(Status == 200, $"status {Status}: {Excerpt}");
        string wanted = stream ? streamType : "application/json";
        Expect.That(MediaType == wanted, $"content type '{MediaType}', expected '{wanted}'");
        return this;
    }
}
