using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Ballast.Tenancy;

/// <summary>
/// Makes, changes and ends organisations, teams, apps, keys, budgets and tokens, each change with its row in the record. What it cannot do is a <see cref="TenancyProblemException"/>;
/// where the store cannot be used it is a <see cref="TenancyStoreException"/>.
/// </summary>
public sealed class TenantDesk(TenantBook book, Pepper pepper, TimeProvider time)
{
    /// <summary>Documents of one kind.</summary>
    public const int CountMax = 100_000;

    /// <summary>Longest time for which a key's old text goes on to be taken beside its new one.</summary>
    public static readonly TimeSpan OverlapMax = TimeSpan.FromDays(90);

    private const string FirstToken = "first";

    public TenantView View => book.View;

    /// <summary>Where nobody can administer yet, makes the first token and gives its text, once and never again; else null.</summary>
    public async Task<string?> MakeFirstTokenAsync(CancellationToken cancellation)
    {
        if (View.Tokens.Count > 0)
        {
            return null;
        }

        string text = KeyText.MakeToken();
        try
        {
            await book.ChangeAsync(
                view => view.Tokens.Count > 0
                    ? throw new TenancyProblemException(409, "exists", "There is a token already.")
                    : Change("create", TenantView.TokenKind, new TokenDocument { Id = FirstToken, Role = "admin", CreatedAt = time.GetUtcNow(), Hash = pepper.Hash(text) }),
                "start", cancellation).ConfigureAwait(false);
            return text;
        }
        catch (TenancyProblemException)
        {
            return null; // another gateway was quicker
        }
    }

    /// <summary>Whoever holds this token; null for nobody.</summary>
    public AdminIdentity? Identify(ReadOnlySpan<char> text)
    {
        if (!KeyText.IsToken(text))
        {
            return null;
        }

        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        pepper.Hash(Encoding.UTF8.GetBytes(text.ToString()), digest);
        TokenDocument? found = null;
        TenantView view = View;
        foreach (TokenDocument token in view.Tokens.Values)
        {
            bool isIt = token.Hash is { } hash && CryptographicOperations.FixedTimeEquals(Convert.FromHexString(hash), digest);
            found = isIt && (token.ExpiresAt is null || token.ExpiresAt > time.GetUtcNow()) ? token : found;
        }

        return found is null ? null : new AdminIdentity(view, found);
    }

    /// <summary>A thing and all above it, itself first.</summary>
    public static IReadOnlyList<(string Kind, string Id)> PathOf(TenantView view, string kind, TenancyDocument document)
    {
        List<(string, string)> path = [(kind, document.Id ?? "")];
        string? app = (document as KeyDocument)?.App ?? (document as BudgetDocument)?.App;
        switch (document)
        {
            case TenantDocument tenant:
                AddTenants(tenant.Team, tenant.Organisation);
                break;
            case BudgetDocument { Key: { } key }:
                path.Add((TenantView.KeyKind, key));
                app = view.Keys.GetValueOrDefault(key)?.App;
                break;
            case BudgetDocument { Team: not null } or BudgetDocument { Organisation: not null }:
                BudgetDocument budget = (BudgetDocument)document;
                AddTenants(budget.Team, budget.Organisation);
                break;
            case TokenDocument token when AdminIdentity.RootOf(token) is { } root:
                AddTenants(root.Kind == TenantView.TeamKind ? root.Id : null, root.Kind == TenantView.OrganisationKind ? root.Id : null);
                app = token.App;
                break;
        }

        if (app is not null)
        {
            path.Add((TenantView.AppKind, app));
            AddTenants(view.Apps.GetValueOrDefault(app)?.Team, null);
        }

        return path;

        void AddTenants(string? team, string? organisation)
        {
            if (team is not null)
            {
                path.Add((TenantView.TeamKind, team));
                organisation = view.Teams.GetValueOrDefault(team)?.Organisation;
            }

            if (organisation is not null)
            {
                path.Add((TenantView.OrganisationKind, organisation));
            }
        }
    }

    /// <summary>Those of a kind that somebody may see, by name.</summary>
    public IEnumerable<TenancyDocument> List(AdminIdentity who, string kind)
    {
        TenantView view = View;
        return All(view, kind).Where(document => who.MaySee(PathOf(view, kind, document))).Select(Shown);
    }

    public TenancyDocument Find(AdminIdentity who, string kind, string id)
    {
        TenantView view = View;
        return Shown(Existing(view, who, kind, id));
    }

    /// <summary>Makes one. Keys and tokens come back with their text, this once.</summary>
    public async Task<TenancyDocument> CreateAsync(AdminIdentity who, string kind, TenancyDocument given, CancellationToken cancellation)
    {
        string? text = kind == TenantView.KeyKind ? KeyText.MakeKey() : kind == TenantView.TokenKind ? KeyText.MakeToken() : null;
        string? id = given.Id ?? (text is null ? null : $"{kind}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}");
        TenancyDocument made = given switch
        {
            KeyDocument key => Clean(key, new KeyDocument { CreatedAt = time.GetUtcNow(), CreatedBy = who.Name, Secrets = [new SecretDocument { Hash = pepper.Hash(text!) }] }),
            TokenDocument token => Clean(token) with { CreatedAt = time.GetUtcNow(), CreatedBy = who.Name, Hash = pepper.Hash(text!) },
            _ => given,
        };
        made = made with { Id = id };
        await book.ChangeAsync(
            view =>
            {
                Check(view, kind, made);
                RequireChange(view, who, kind, made, isNew: true);
                if (All(view, kind).Any(other => other.Id == id))
                {
                    throw new TenancyProblemException(409, "exists", $"There is {An(kind)} '{id}' already.", "id");
                }

                return All(view, kind).Count() >= CountMax
                    ? throw new TenancyProblemException(409, "too_many", $"There are {CountMax} of them already.")
                    : Change("create", kind, made);
            },
            who.Name, cancellation).ConfigureAwait(false);
        TenancyDocument shown = Find(who, kind, id!);
        return shown switch
        {
            KeyDocument key => key with { Key = text },
            TokenDocument token => token with { Token = text },
            _ => shown,
        };
    }

    /// <summary>Puts another document in the place of one.</summary>
    /// <param name="revision">What the caller has seen; null takes any.</param>
    public async Task<TenancyDocument> ReplaceAsync(AdminIdentity who, string kind, string id, TenancyDocument given, long? revision, CancellationToken cancellation)
    {
        await book.ChangeAsync(
            view =>
            {
                TenancyDocument known = Changeable(view, who, kind, id, revision);
                TenancyDocument next = (given, known) switch
                {
                    (KeyDocument key, KeyDocument was) => Clean(key, was),
                    (TokenDocument token, TokenDocument was) => Clean(token) with { CreatedAt = was.CreatedAt, CreatedBy = was.CreatedBy, Hash = was.Hash },
                    _ => given,
                };
                next = next with { Id = id };
                Check(view, kind, next);
                RequireChange(view, who, kind, next, isNew: false);
                return Change("replace", kind, next);
            },
            who.Name, cancellation).ConfigureAwait(false);
        return Find(who, kind, id);
    }

    public Task DeleteAsync(AdminIdentity who, string kind, string id, long? revision, CancellationToken cancellation) => book.ChangeAsync(
        view =>
        {
            _ = Changeable(view, who, kind, id, revision);
            if (kind == TenantView.TokenKind && view.Tokens.Count == 1)
            {
                throw new TenancyProblemException(409, "last_token", "Nobody could administer without the last token.");
            }

            return ChildOf(view, kind, id) is { } child
                ? throw new TenancyProblemException(409, "has_children", $"{child} belongs to it.")
                : new RecordChange("delete", kind, id, null, null);
        },
        who.Name, cancellation);

    /// <summary>Gives a key another text; the old one is taken for so long beside it.</summary>
    public async Task<KeyDocument> RotateAsync(AdminIdentity who, string id, TimeSpan overlap, long? revision, CancellationToken cancellation)
    {
        if (overlap < TimeSpan.Zero || overlap > OverlapMax)
        {
            throw TenancyProblemException.Invalid("overlap_seconds", $"'overlap_seconds' is from 0 to {OverlapMax.TotalSeconds}.");
        }

        string text = KeyText.MakeKey();
        await book.ChangeAsync(
            view =>
            {
                KeyDocument known = (KeyDocument)Changeable(view, who, TenantView.KeyKind, id, revision);
                if (known.RevokedAt is not null)
                {
                    throw new TenancyProblemException(409, "revoked", "The key is revoked.");
                }

                DateTimeOffset until = time.GetUtcNow() + overlap;
                SecretDocument[] old = overlap == TimeSpan.Zero ? []
                    : [.. (known.Secrets ?? []).Where(secret => secret.Until is null).Select(secret => secret with { Until = until })];
                return Change("rotate", TenantView.KeyKind, known with { Secrets = [new SecretDocument { Hash = pepper.Hash(text) }, .. old] });
            },
            who.Name, cancellation).ConfigureAwait(false);
        return (KeyDocument)Find(who, TenantView.KeyKind, id) with { Key = text };
    }

    /// <summary>Makes a key unknown, for good.</summary>
    public async Task<KeyDocument> RevokeAsync(AdminIdentity who, string id, long? revision, CancellationToken cancellation)
    {
        await book.ChangeAsync(
            view =>
            {
                KeyDocument known = (KeyDocument)Changeable(view, who, TenantView.KeyKind, id, revision);
                return Change("revoke", TenantView.KeyKind, known with { RevokedAt = known.RevokedAt ?? time.GetUtcNow(), Secrets = [] });
            },
            who.Name, cancellation).ConfigureAwait(false);
        return (KeyDocument)Find(who, TenantView.KeyKind, id);
    }

    public Task<IReadOnlyList<AuditDocument>> AuditAsync(AdminIdentity who, long? before, int countMax, CancellationToken cancellation) =>
        who.IsUnbound ? book.AuditAsync(before, countMax, cancellation) : throw new TenancyProblemException(403, "forbidden", "The record of changes is for tokens that reach everything.");

    private static IEnumerable<TenancyDocument> All(TenantView view, string kind) => kind switch
    {
        TenantView.KeyKind => view.Keys.Values,
        TenantView.BudgetKind => view.Budgets.Values,
        TenantView.TokenKind => view.Tokens.Values,
        _ => view.Tenants(kind).Values,
    };

    private static TenancyDocument Existing(TenantView view, AdminIdentity who, string kind, string id)
    {
        TenancyDocument? known = kind switch
        {
            TenantView.KeyKind => view.Keys.GetValueOrDefault(id),
            TenantView.BudgetKind => view.Budgets.GetValueOrDefault(id),
            TenantView.TokenKind => view.Tokens.GetValueOrDefault(id),
            _ => view.Tenants(kind).GetValueOrDefault(id),
        };

        // What somebody may not see is not there.
        return known is not null && who.MaySee(PathOf(view, kind, known)) ? known : throw TenancyProblemException.NotFound(kind, id);
    }

    private static TenancyDocument Changeable(TenantView view, AdminIdentity who, string kind, string id, long? revision)
    {
        TenancyDocument known = Existing(view, who, kind, id);
        RequireChange(view, who, kind, known, isNew: false);
        if (known.Source == "file")
        {
            throw new TenancyProblemException(409, "declared", $"The {kind} '{id}' is declared in the configuration file: change it there.");
        }

        return revision is null || revision == known.Revision
            ? known
            : throw new TenancyProblemException(412, "changed", "Somebody else has changed it meanwhile: read it again.");
    }

    private static void RequireChange(TenantView view, AdminIdentity who, string kind, TenancyDocument document, bool isNew)
    {
        // A budget is its subject's: who is bound by one must not set it.
        IReadOnlyList<(string, string)> path = PathOf(view, kind, document);
        if (!who.MayChange(kind == TenantView.BudgetKind ? [.. path.Skip(1)] : path))
        {
            throw new TenancyProblemException(403, "forbidden", who.IsViewer ? "This token only looks." : $"This token does not reach {(isNew ? "there" : "that")}.");
        }
    }

    private void Check(TenantView view, string kind, TenancyDocument document)
    {
        switch (document)
        {
            case TenantDocument tenant:
                TenancyRules.Check(view, kind, tenant);
                break;
            case KeyDocument key:
                TenancyRules.Check(view, key, time.GetUtcNow());
                break;
            case BudgetDocument budget:
                TenancyRules.Check(view, budget);
                break;
            case TokenDocument token:
                TenancyRules.Check(view, token, time.GetUtcNow());
                break;
        }
    }

    private static string? ChildOf(TenantView view, string kind, string id)
    {
        string? child = kind switch
        {
            TenantView.OrganisationKind => view.Teams.Values.FirstOrDefault(team => team.Organisation == id)?.Id is { } team ? $"Team '{team}'" : null,
            TenantView.TeamKind => view.Apps.Values.FirstOrDefault(app => app.Team == id)?.Id is { } app ? $"App '{app}'" : null,
            TenantView.AppKind => view.Keys.Values.FirstOrDefault(key => key.App == id)?.Id is { } key ? $"Key '{key}'" : null,
            _ => null,
        };
        return child ?? (view.Budgets.Values.FirstOrDefault(budget => kind switch
        {
            TenantView.OrganisationKind => budget.Organisation == id,
            TenantView.TeamKind => budget.Team == id,
            TenantView.AppKind => budget.App == id,
            TenantView.KeyKind => budget.Key == id,
            _ => false,
        })?.Id is { } name ? $"Budget '{name}'" : null);
    }

    private static RecordChange Change(string action, string kind, TenancyDocument document) =>
        new(action, kind, document.Id!, Json(Bare(document)), Json(Bare(Shown(document))));

    /// <summary>As it is stored: without what the gateway adds when it shows it.</summary>
    private static TenancyDocument Bare(TenancyDocument document) => document switch
    {
        BudgetDocument budget => budget with { Id = null, Source = null, Revision = null, State = null },
        _ => document with { Id = null, Source = null, Revision = null },
    };

    /// <summary>As it is shown: without anything that a key could be tried against.</summary>
    private static TenancyDocument Shown(TenancyDocument document) => document switch
    {
        KeyDocument key => key with { Secrets = null, Key = null },
        TokenDocument token => token with { Hash = null, Token = null },
        _ => document,
    };

    /// <summary>What only the gateway gives is what it was.</summary>
    private static KeyDocument Clean(KeyDocument given, KeyDocument was) =>
        given with { CreatedAt = was.CreatedAt, CreatedBy = was.CreatedBy, RevokedAt = was.RevokedAt, Secrets = was.Secrets, Key = null };

    private static TokenDocument Clean(TokenDocument given) => given with { Token = null };

    private static string Json(TenancyDocument document) => document switch
    {
        TenantDocument tenant => JsonSerializer.Serialize(tenant, TenancyJson.Default.TenantDocument),
        KeyDocument key => JsonSerializer.Serialize(key, TenancyJson.Default.KeyDocument),
        BudgetDocument budget => JsonSerializer.Serialize(budget, TenancyJson.Default.BudgetDocument),
        TokenDocument token => JsonSerializer.Serialize(token, TenancyJson.Default.TokenDocument),
        _ => throw new InvalidOperationException($"{document.GetType().Name} is not stored."),
    };

    private static string An(string kind) => kind[0] is 'a' or 'o' ? $"an {kind}" : $"a {kind}";
}
