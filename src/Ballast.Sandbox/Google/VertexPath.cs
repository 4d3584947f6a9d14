namespace Ballast.Sandbox.Google;

/// <summary>An address of Vertex AI: a publisher's model in a project's location, or without one.</summary>
/// <param name="Project">Null where none is named.</param>
/// <param name="Location">Null where none is named.</param>
/// <param name="Publisher">Whose model.</param>
/// <param name="Model">As the publisher names it.</param>
/// <param name="Method">What is asked of it.</param>
internal sealed record VertexPath(string? Project, string? Location, string Publisher, string Model, string Method)
{
    /// <summary>The model's full name.</summary>
    public string Name => (Project is null ? "" : $"projects/{Project}/locations/{Location}/") + $"publishers/{Publisher}/models/{Model}";

    public static VertexPath? Of(string path)
    {
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts switch
        {
            ["v1" or "v1beta1", "projects", var project, "locations", var location, "publishers", var publisher, "models", var last] => Split(project, location, publisher, last),
            ["v1" or "v1beta1", "publishers", var publisher, "models", var last] => Split(null, null, publisher, last),
            _ => null,
        };
    }

    private static VertexPath? Split(string? project, string? location, string publisher, string last)
    {
        int colon = last.LastIndexOf(':');
        return colon > 0 ? new VertexPath(project, location, publisher, last[..colon], last[(colon + 1)..]) : null;
    }
}
