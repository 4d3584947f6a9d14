namespace Ballast.Tenancy;

/// <summary>A request for administration that cannot be done: an HTTP status, a stable word for programs, a sentence for people.</summary>
public sealed class TenancyProblemException(int status, string code, string message, string? field = null) : Exception(message)
{
    public int Status { get; } = status;
    public string Code { get; } = code;

    /// <summary>The field at fault; null where it is none.</summary>
    public string? Field { get; } = field;

    internal static TenancyProblemException Invalid(string field, string message) => new(422, "invalid", message, field);

    internal static TenancyProblemException NotFound(string kind, string id) => new(404, "not_found", $"There is no {kind} '{id}'.");
}
