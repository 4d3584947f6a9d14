namespace Ballast.Tenancy;

/// <summary>
/// Whoever administers: a token, and what lies below it. A token made by another never reaches further than that one does at this moment; what a token is for itself it
/// may look at and not change, else it could widen its own grant.
/// </summary>
public sealed class AdminIdentity
{
    /// <summary>Tokens made by tokens made by tokens: a longer chain is not followed and reaches nothing.</summary>
    private const int DepthMax = 32;

    private readonly List<(string Kind, string Id)> _roots = [];

    internal AdminIdentity(TenantView view, TokenDocument token)
    {
        Name = token.Id!;
        IsViewer = token.Role == "viewer";
        TokenDocument? next = token;
        for (int depth = 0; next is not null; depth++)
        {
            IsViewer |= next.Role == "viewer" || depth > DepthMax;
            if (RootOf(next) is { } root)
            {
                _roots.Add(root);
            }

            next = depth <= DepthMax && next.CreatedBy is { } creator ? view.Tokens.GetValueOrDefault(creator) : null;
        }
    }

    /// <summary>Name of the token, for the record of changes.</summary>
    public string Name { get; }
    public bool IsViewer { get; }

    /// <summary>It reaches everything.</summary>
    public bool IsUnbound => _roots.Count == 0;

    /// <param name="path">A thing and all above it, itself first.</param>
    public bool MaySee(IReadOnlyList<(string Kind, string Id)> path) => _roots.TrueForAll(path.Contains);

    /// <inheritdoc cref="MaySee"/>
    public bool MayChange(IReadOnlyList<(string Kind, string Id)> path) => !IsViewer && _roots.TrueForAll(root => path.Skip(1).Contains(root));

    internal static (string Kind, string Id)? RootOf(TokenDocument token) =>
        token.Organisation is { } organisation ? (TenantView.OrganisationKind, organisation)
        : token.Team is { } team ? (TenantView.TeamKind, team)
        : token.App is { } app ? (TenantView.AppKind, app)
        : null;
}
