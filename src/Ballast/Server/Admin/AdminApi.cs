using System.Buffers;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ballast.Tenancy;
using Microsoft.AspNetCore.Http;

namespace Ballast.Server.Admin;

/// <summary>
/// Administration as JSON under <see cref="Prefix"/>. Every request shows a token in its Authorization header, which no web site can make a browser send: there are no
/// cookies and no other way in. Errors are problem+json (RFC 9457); changes name the revision they were made for (If-Match).
/// </summary>
public sealed class AdminApi(TenantDesk desk, Func<string, BudgetStateDocument?> budgetState, Func<Task> changed, ReportsApi reports)
{
    public const string Prefix = "/admin/v1/";

    /// <summary>Largest body, in bytes.</summary>
    public const int BodyBytesMax = 64 * 1024;

    private const int PageMax = 1000;
    private const int PageDefault = 100;

    private static readonly byte[] s_document = ReadDocument();

    /// <summary>Names in paths, and the kinds they stand for.</summary>
    public static IReadOnlyDictionary<string, string> Collections { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["organisations"] = TenantView.OrganisationKind,
        ["teams"] = TenantView.TeamKind,
        ["apps"] = TenantView.AppKind,
        ["keys"] = TenantView.KeyKind,
        ["budgets"] = TenantView.BudgetKind,
        ["tokens"] = TenantView.TokenKind,
    };

    public async Task HandleAsync(HttpContext http)
    {
        try
        {
            string[] path = http.Request.Path.Value![Prefix.Length..].Split('/');
            if (path is ["openapi.json"])
            {
                Require(http, "GET");
                await SendAsync(http, StatusCodes.Status200OK, s_document).ConfigureAwait(false);
                return;
            }

            AdminIdentity who = Identify(http);
            await (path switch
            {
                ["audit"] => AuditAsync(http, who),
                ["commitments"] => OnlyReadAsync(http, () => reports.CommitmentsAsync(http, who)),
                ["usage"] => OnlyReadAsync(http, () => reports.UsageAsync(http, who)),
                ["export"] => OnlyReadAsync(http, () => reports.ExportAsync(http, who)),
                [var name] when Collections.TryGetValue(name, out string? kind) => OfCollectionAsync(http, who, name, kind),
                [var name, var id] when Collections.TryGetValue(name, out string? kind) => OfOneAsync(http, who, kind, id),
                ["keys", var id, "rotate"] => RotateAsync(http, who, id),
                ["keys", var id, "revoke"] => RevokeAsync(http, who, id),
                _ => throw new TenancyProblemException(StatusCodes.Status404NotFound, "unknown_path", $"There is nothing at this path; {Prefix}openapi.json tells what there is."),
            }).ConfigureAwait(false);
        }
        catch (TenancyProblemException problem)
        {
            await ProblemAsync(http, problem).ConfigureAwait(false);
        }
        catch (TenancyStoreException)
        {
            await ProblemAsync(http, new TenancyProblemException(StatusCodes.Status503ServiceUnavailable, "store_unavailable", "The store of keys cannot be used now; the log has the cause.")).ConfigureAwait(false);
        }
    }

    private AdminIdentity Identify(HttpContext http)
    {
        const string scheme = "Bearer ";
        string? header = http.Request.Headers.Authorization;
        AdminIdentity? who = header is not null && header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? desk.Identify(header.AsSpan(scheme.Length).Trim()) : null;
        if (who is null)
        {
            http.Response.Headers.WWWAuthenticate = "Bearer";
            throw new TenancyProblemException(StatusCodes.Status401Unauthorized, "unauthorized", "Administration takes a token: Authorization: Bearer blsta_…. The first one is printed at the first start.");
        }

        return who;
    }

    private async Task OfCollectionAsync(HttpContext http, AdminIdentity who, string name, string kind)
    {
        Require(http, "GET", "POST");
        if (http.Request.Method == "GET")
        {
            await ListAsync(http, desk.List(who, kind), static document => document.Id!, WithState).ConfigureAwait(false);
            return;
        }

        TenancyDocument made = await desk.CreateAsync(who, kind, await ReadAsync(http, kind).ConfigureAwait(false), http.RequestAborted).ConfigureAwait(false);
        await changed().ConfigureAwait(false);
        http.Response.Headers.Location = $"{Prefix}{name}/{made.Id}";
        await SendAsync(http, StatusCodes.Status201Created, made).ConfigureAwait(false);
    }

    private async Task OfOneAsync(HttpContext http, AdminIdentity who, string kind, string id)
    {
        Require(http, "GET", "PUT", "DELETE");
        switch (http.Request.Method)
        {
            case "PUT":
                TenancyDocument next = await desk.ReplaceAsync(who, kind, id, await ReadAsync(http, kind).ConfigureAwait(false), Revision(http), http.RequestAborted).ConfigureAwait(false);
                await changed().ConfigureAwait(false);
                await SendAsync(http, StatusCodes.Status200OK, next).ConfigureAwait(false);
                break;
            case "DELETE":
                await desk.DeleteAsync(who, kind, id, Revision(http), http.RequestAborted).ConfigureAwait(false);
                http.Response.StatusCode = StatusCodes.Status204NoContent;
                break;
            default:
                await SendAsync(http, StatusCodes.Status200OK, desk.Find(who, kind, id)).ConfigureAwait(false);
                break;
        }
    }

    private async Task RotateAsync(HttpContext http, AdminIdentity who, string id)
    {
        Require(http, "POST");
        ReadOnlyMemory<byte> body = await BodyAsync(http).ConfigureAwait(false);
        RotationDocument rotation = body.IsEmpty ? new RotationDocument() : Parse(body, AdminJson.Default.RotationDocument);
        TimeSpan overlap = TimeSpan.FromSeconds(Math.Clamp(rotation.OverlapSeconds, -1, (long)TenantDesk.OverlapMax.TotalSeconds + 1));
        await SendAsync(http, StatusCodes.Status200OK, await desk.RotateAsync(who, id, overlap, Revision(http, isRequired: false), http.RequestAborted).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task RevokeAsync(HttpContext http, AdminIdentity who, string id)
    {
        Require(http, "POST");
        await SendAsync(http, StatusCodes.Status200OK, await desk.RevokeAsync(who, id, Revision(http, isRequired: false), http.RequestAborted).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private static Task OnlyReadAsync(HttpContext http, Func<Task> read)
    {
        Require(http, "GET");
        return read();
    }

    private async Task AuditAsync(HttpContext http, AdminIdentity who)
    {
        Require(http, "GET");
        long? before = long.TryParse(http.Request.Query["before"], NumberStyles.None, CultureInfo.InvariantCulture, out long sequence) ? sequence : null;
        IReadOnlyList<AuditDocument> rows = await desk.AuditAsync(who, before, Limit(http), http.RequestAborted).ConfigureAwait(false);
        await SendAsync(http, StatusCodes.Status200OK, Written(writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("data");
            foreach (AuditDocument row in rows)
            {
                JsonSerializer.Serialize(writer, row, TenancyJson.Default.AuditDocument);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        })).ConfigureAwait(false);
    }

    private static Task ListAsync(HttpContext http, IEnumerable<TenancyDocument> all, Func<TenancyDocument, string> name, Func<TenancyDocument, TenancyDocument> complete)
    {
        string? after = http.Request.Query["after"];
        int limit = Limit(http);
        TenancyDocument[] page = [.. all.SkipWhile(document => after is not null && string.CompareOrdinal(name(document), after) <= 0).Take(limit + 1)];
        return SendAsync(http, StatusCodes.Status200OK, Written(writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("data");
            foreach (TenancyDocument document in page.Take(limit))
            {
                Write(writer, complete(document));
            }

            writer.WriteEndArray();
            writer.WriteBoolean("has_more", page.Length > limit);
            writer.WriteEndObject();
        }));
    }

    private static int Limit(HttpContext http)
    {
        string? text = http.Request.Query["limit"];
        return text is null ? PageDefault
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int limit) && limit is >= 1 and <= PageMax ? limit
            : throw new TenancyProblemException(StatusCodes.Status422UnprocessableEntity, "invalid", $"'limit' is from 1 to {PageMax}.", "limit");
    }

    private TenancyDocument WithState(TenancyDocument document) => document is BudgetDocument budget ? budget with { State = budgetState(budget.Id!) } : document;

    private static void Require(HttpContext http, params ReadOnlySpan<string> methods)
    {
        if (!methods.Contains(http.Request.Method))
        {
            http.Response.Headers.Allow = string.Join(", ", methods!);
            throw new TenancyProblemException(StatusCodes.Status405MethodNotAllowed, "method_not_allowed", $"This path takes {string.Join(", ", methods!)}.");
        }
    }

    /// <summary>The revision that the caller has seen; null for any (<c>*</c>).</summary>
    private static long? Revision(HttpContext http, bool isRequired = true)
    {
        string? match = http.Request.Headers.IfMatch;
        if (match is null && isRequired)
        {
            throw new TenancyProblemException(StatusCodes.Status428PreconditionRequired, "if_match_required", "Send If-Match with the ETag that you have read, or * for any.");
        }

        return match is null or "*" ? null
            : long.TryParse(match.Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out long revision) ? revision
            : throw new TenancyProblemException(StatusCodes.Status412PreconditionFailed, "changed", "Somebody else has changed it meanwhile: read it again.");
    }

    private static async Task<TenancyDocument> ReadAsync(HttpContext http, string kind)
    {
        ReadOnlyMemory<byte> body = await BodyAsync(http).ConfigureAwait(false);
        return kind switch
        {
            TenantView.KeyKind => Parse(body, TenancyJson.Default.KeyDocument) with { Secrets = null },
            TenantView.BudgetKind => Parse(body, TenancyJson.Default.BudgetDocument) with { State = null },
            TenantView.TokenKind => Parse(body, TenancyJson.Default.TokenDocument) with { Hash = null },
            _ => Parse(body, TenancyJson.Default.TenantDocument),
        };
    }

    private static async Task<ReadOnlyMemory<byte>> BodyAsync(HttpContext http)
    {
        if (http.Request.ContentLength is not 0 && http.Request.ContentType?.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) != true
            && (http.Request.ContentLength is not null || http.Request.Headers.TransferEncoding.Count > 0))
        {
            throw new TenancyProblemException(StatusCodes.Status415UnsupportedMediaType, "not_json", "Send the document as application/json.");
        }

        byte[] buffer = new byte[BodyBytesMax];
        try
        {
            int length = await http.Request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, http.RequestAborted).ConfigureAwait(false);
            return buffer.AsMemory(0, length);
        }
        catch (BadHttpRequestException refused)
        {
            throw new TenancyProblemException(refused.StatusCode, "body_unreadable", $"The body is larger than {BodyBytesMax} bytes, or broke off.");
        }
    }

    private static T Parse<T>(ReadOnlyMemory<byte> body, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(body.Span, type) ?? throw new JsonException();
        }
        catch (JsonException fault)
        {
            // What a value was is never repeated: it may be a secret in the wrong place.
            string at = string.IsNullOrEmpty(fault.Path) || fault.Path == "$" ? "" : $" at {(fault.Path.Length > 100 ? fault.Path[..100] : fault.Path)}";
            throw new TenancyProblemException(StatusCodes.Status400BadRequest, "not_a_document", $"The body is not such a document{at}: a field is unknown, repeated or of another type.");
        }
    }

    private Task SendAsync(HttpContext http, int status, TenancyDocument document)
    {
        http.Response.Headers.ETag = string.Create(CultureInfo.InvariantCulture, $"\"{document.Revision ?? 0}\"");
        return SendAsync(http, status, Written(writer => Write(writer, WithState(document))));
    }

    private static Task SendAsync(HttpContext http, int status, byte[] body)
    {
        http.Response.StatusCode = status;
        return AdminHandler.BytesAsync(http.Response, body, "application/json");
    }

    private static void Write(Utf8JsonWriter writer, TenancyDocument document)
    {
        switch (document)
        {
            case TenantDocument tenant:
                JsonSerializer.Serialize(writer, tenant, TenancyJson.Default.TenantDocument);
                break;
            case KeyDocument key:
                JsonSerializer.Serialize(writer, key, TenancyJson.Default.KeyDocument);
                break;
            case BudgetDocument budget:
                JsonSerializer.Serialize(writer, budget, TenancyJson.Default.BudgetDocument);
                break;
            case TokenDocument token:
                JsonSerializer.Serialize(writer, token, TenancyJson.Default.TokenDocument);
                break;
        }
    }

    private static Task ProblemAsync(HttpContext http, TenancyProblemException problem)
    {
        http.Response.StatusCode = problem.Status;
        return AdminHandler.BytesAsync(
            http.Response,
            Written(writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("type", "about:blank");
                writer.WriteString("title", problem.Message);
                writer.WriteNumber("status", problem.Status);
                writer.WriteString("code", problem.Code);
                if (problem.Field is { } field)
                {
                    writer.WriteString("field", field);
                }

                writer.WriteEndObject();
            }),
            "application/problem+json");
    }

    private static byte[] Written(Action<Utf8JsonWriter> write)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter writer = new(bytes))
        {
            write(writer);
        }

        return bytes.WrittenSpan.ToArray();
    }

    private static byte[] ReadDocument()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Ballast.Server.Admin.openapi.json")
            ?? throw new InvalidOperationException("The embedded document is missing.");
        using MemoryStream bytes = new();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
