using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Ballast.Catalog;
using Ballast.Configuration;
using Ballast.Guards.Redaction;
using Ballast.Tenancy;

namespace Ballast.Guards;

/// <summary>
/// Every key that is taken at this moment, by its digest: no key is kept, none is compared as text, and an unknown one costs a hash and no I/O. Immutable; whoever asks on
/// the path of a request never sees the store. Revoked keys are simply not in it: they are as unknown as any other.
/// </summary>
public sealed class KeyDirectory
{
    /// <summary>Longest key looked at, in characters; a longer one is unknown.</summary>
    public const int KeyCharactersMax = 512;

    /// <summary>From this length on a key is not guessed: <c>openssl rand -hex 16</c> makes one.</summary>
    public const int UnguessableCharactersMin = 32;

    private readonly Pepper? _pepper;

    /// <summary>By SHA-256: keys of the file.</summary>
    private readonly Dictionary<ulong, (ReadOnlyMemory<byte> Digest, AdmittedKey Key, long UntilTicks)> _declared = [];

    /// <summary>By HMAC under the pepper: keys made at run time.</summary>
    private readonly Dictionary<ulong, (ReadOnlyMemory<byte> Digest, AdmittedKey Key, long UntilTicks)> _made = [];
    private readonly Dictionary<string, RateMeter> _models = new(StringComparer.Ordinal);

    private readonly Dictionary<string, RedactionPolicy?> _redactions = new(StringComparer.Ordinal);

    /// <summary>
    /// What was found for a header's value, by the very instance of the text: the server hands out the same one for each request of a connection, so that only the
    /// first pays for the hash. Weak: no key lives longer for it. Only known keys are remembered, and only in this directory.
    /// </summary>
    private readonly ConditionalWeakTable<string, Verdict> _verdicts = [];

    private KeyDirectory(TenantView view, Pepper? pepper)
    {
        Catalog = view.Catalog;
        _pepper = pepper;
    }

    public CatalogSnapshot Catalog { get; }

    /// <param name="view">Who there is.</param>
    /// <param name="meters">Lives longer than any directory.</param>
    /// <param name="pepper">Null where no keys are made at run time.</param>
    public static KeyDirectory Of(TenantView view, MeterBook meters, Pepper? pepper)
    {
        KeyDirectory directory = new(view, pepper);
        meters.Take(view);
        foreach (ApiKey key in view.Catalog.Keys)
        {
            if (view.Keys[key.Id].Source == "file")
            {
                Add(directory._declared, key.Digest, directory.Entry(view, meters, key, isMade: false), long.MaxValue);
            }
        }

        foreach (KeyDocument made in view.Keys.Values)
        {
            if (made is not { Secrets: { } secrets, RevokedAt: null, App: { } app } || !view.Apps.ContainsKey(app))
            {
                continue;
            }

            AdmittedKey entry = directory.Entry(view, meters, TenantView.KeyOf(made, app), isMade: true);
            foreach (SecretDocument secret in secrets)
            {
                Add(directory._made, Convert.FromHexString(secret.Hash), entry, secret.Until?.UtcTicks ?? long.MaxValue);
            }
        }

        foreach (Model model in view.Catalog.ModelOrder)
        {
            if (!model.RateLimits.IsEmpty)
            {
                directory._models[model.Name] = meters.Rate("model/" + model.Name, model.RateLimits);
            }
        }

        return directory;
    }

    /// <summary>The meter of a model that has limits; else null.</summary>
    public RateMeter? MeterOf(Model model) => _models.Count == 0 ? null : _models.GetValueOrDefault(model.Name);

    /// <summary>The key; null where there is none that counts at this moment.</summary>
    public AdmittedKey? Find(ReadOnlyMemory<char> key, long nowTicks)
    {
        bool hasHeader = MemoryMarshal.TryGetString(key, out string? header, out int start, out int length);
        if (hasHeader && _verdicts.TryGetValue(header!, out Verdict? verdict) && verdict.Start == start && verdict.Length == length)
        {
            return nowTicks < verdict.UntilTicks ? verdict.Key : null;
        }

        (AdmittedKey? found, long until) = Judge(key.Span, nowTicks);
        if (found is not null && hasHeader)
        {
            _verdicts.AddOrUpdate(header!, new Verdict(found, until, start, length));
        }

        return found;
    }

    /// <summary>A text that only somebody who was given it can know. A short one can only be a short key, and those alone are worth guessing.</summary>
    public static bool IsUnguessable(ReadOnlySpan<char> key) => key.Length >= UnguessableCharactersMin;

    /// <summary>Every key that is not taken costs the same: unknown, revoked, expired. One that was mistyped costs less, as whoever can count sees beforehand.</summary>
    private (AdmittedKey? Key, long UntilTicks) Judge(ReadOnlySpan<char> key, long nowTicks)
    {
        bool hasForm = KeyText.HasKeyForm(key);
        if (key.Length > KeyCharactersMax || (hasForm && !KeyText.IsKey(key)))
        {
            return default;
        }

        Span<byte> utf8 = stackalloc byte[KeyCharactersMax * 3];
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        ReadOnlySpan<byte> text = utf8[..Encoding.UTF8.GetBytes(key, utf8)];
        if (_pepper is not null && hasForm)
        {
            _pepper.Hash(text, digest);
            if (Look(_made, digest, nowTicks) is { Key: not null } made)
            {
                return made;
            }
        }

        SHA256.HashData(text, digest);
        return Look(_declared, digest, nowTicks);
    }

    private static (AdmittedKey? Key, long UntilTicks) Look(
        Dictionary<ulong, (ReadOnlyMemory<byte> Digest, AdmittedKey Key, long UntilTicks)> index, ReadOnlySpan<byte> digest, long nowTicks)
    {
        if (!index.TryGetValue(BinaryPrimitives.ReadUInt64LittleEndian(digest), out (ReadOnlyMemory<byte> Digest, AdmittedKey Key, long UntilTicks) found)
            || !CryptographicOperations.FixedTimeEquals(found.Digest.Span, digest))
        {
            return default;
        }

        long until = Math.Min(found.UntilTicks, found.Key.ExpiresTicks);
        return nowTicks < until ? (found.Key, until) : default;
    }

    private static void Add(
        Dictionary<ulong, (ReadOnlyMemory<byte> Digest, AdmittedKey Key, long UntilTicks)> index, ReadOnlyMemory<byte> digest, AdmittedKey key, long untilTicks)
    {
        if (digest.Length == SHA256.HashSizeInBytes)
        {
            index[BinaryPrimitives.ReadUInt64LittleEndian(digest.Span)] = (digest, key, untilTicks);
        }
    }

    private AdmittedKey Entry(TenantView view, MeterBook meters, ApiKey written, bool isMade)
    {
        ApiKey key = view.Bound(written);
        List<RateMeter> rates = [];
        List<BudgetMeter> budgets = [.. meters.BudgetsOf(TenantView.KeyKind, key.Id)];
        Rate(TenantView.KeyKind, key.Id, key.RateLimits);
        bool refuses = isMade;
        budgets.AddRange(meters.BudgetsOf(TenantView.AppKind, key.App));
        foreach ((string kind, TenantDocument tenant) in view.Above(key.App))
        {
            Rate(kind, tenant.Id!, TenantView.RatesOf(tenant.RateLimits));
            if (kind != TenantView.AppKind)
            {
                budgets.AddRange(meters.BudgetsOf(kind, tenant.Id!));
            }
            else
            {
                refuses &= tenant.WhenStoreIsLost != "serve";
            }
        }

        return new AdmittedKey
        {
            Key = key,
            ExpiresTicks = key.ExpiresAt?.UtcTicks ?? long.MaxValue,
            RefusesWhenStale = refuses,
            Meters = [.. rates],
            Budgets = [.. budgets],
            HasMoneyBudget = budgets.Exists(static budget => budget.Options.Usd is not null),
            HasTokenBudget = budgets.Exists(static budget => budget.Options.Tokens is not null),
            Redaction = RedactionOf(view, key.App),
            Directory = this,
        };

        void Rate(string kind, string id, RateLimitOptions limits)
        {
            if (!limits.IsEmpty)
            {
                rates.Add(meters.Rate(kind + "/" + id, limits));
            }
        }
    }

    /// <summary>Made once for all keys of an app: patterns are costly to prepare.</summary>
    private RedactionPolicy? RedactionOf(TenantView view, string app)
    {
        if (!_redactions.TryGetValue(app, out RedactionPolicy? policy))
        {
            RedactionOptions? options = view.Apps.TryGetValue(app, out TenantDocument? document) ? TenantView.RedactionOf(document) : null;
            policy = options is null ? null : _pepper is null ? RedactionPolicy.Of(options) : RedactionPolicy.Of(options, app, _pepper.Hash);
            _redactions[app] = policy;
        }

        return policy;
    }

    /// <summary>A key that was found, until when it counts, and where in its header it lay.</summary>
    private sealed record Verdict(AdmittedKey Key, long UntilTicks, int Start, int Length);
}
