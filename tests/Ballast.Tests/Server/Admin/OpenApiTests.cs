using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ballast.Server.Admin;
using Ballast.Tenancy;

namespace Ballast.Tests.Server.Admin;

/// <summary>The document that is served says what the code does: paths, fields, and nothing that leads nowhere.</summary>
public class OpenApiTests
{
    private static readonly JsonElement s_document = Read();

    [Fact]
    public void Paths_OfTheDocument_AreThoseOfTheApi()
    {
        IEnumerable<string> expected = AdminApi.Collections.Keys.SelectMany(static name => new[] { $"/admin/v1/{name}", $"/admin/v1/{name}/{{id}}" })
            .Concat(["/admin/v1/keys/{id}/rotate", "/admin/v1/keys/{id}/revoke", "/admin/v1/audit", "/admin/v1/commitments", "/admin/v1/export", "/admin/v1/usage", "/admin/v1/openapi.json"]);

        Assert.Equal(expected.Order(StringComparer.Ordinal), s_document.GetProperty("paths").EnumerateObject().Select(static path => path.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Schemas_OfTheDocument_HaveTheFieldsOfTheCode()
    {
        Same("Tenant", TenancyJson.Default.TenantDocument);
        Same("Key", TenancyJson.Default.KeyDocument, "secrets");
        Same("Budget", TenancyJson.Default.BudgetDocument);
        Same("BudgetState", TenancyJson.Default.BudgetStateDocument);
        Same("Token", TenancyJson.Default.TokenDocument, "hash");
        Same("Allow", TenancyJson.Default.AllowDocument);
        Same("RateLimits", TenancyJson.Default.RateLimitsDocument);
        Same("Audit", TenancyJson.Default.AuditDocument);
        Same("Rotation", AdminJson.Default.RotationDocument);
    }

    [Fact]
    public void References_OfTheDocument_LeadSomewhere()
    {
        string[] names = [.. s_document.GetProperty("components").GetProperty("schemas").EnumerateObject().Select(static schema => schema.Name)];
        string[] used = [.. References(s_document).Distinct()];

        Assert.Equal(names.Order(), used.Order());
    }

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(static one =>
            one.Name == "$ref" ? [one.Value.GetString()!["#/components/schemas/".Length..]] : References(one.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };

    private static void Same(string schema, JsonTypeInfo type, params string[] stored)
    {
        IEnumerable<string> written = s_document.GetProperty("components").GetProperty("schemas").GetProperty(schema).GetProperty("properties").EnumerateObject().Select(static one => one.Name);

        Assert.Equal(type.Properties.Select(static property => property.Name).Except(stored).Order(StringComparer.Ordinal), written.Order(StringComparer.Ordinal));
    }

    private static JsonElement Read()
    {
        using Stream stream = typeof(AdminApi).Assembly.GetManifestResourceStream("Ballast.Server.Admin.openapi.json")!;
        return JsonDocument.Parse(stream).RootElement.Clone();
    }
}
