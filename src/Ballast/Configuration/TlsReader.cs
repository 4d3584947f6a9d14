namespace Ballast.Configuration;

/// <summary>Reads <c>tls:</c>.</summary>
internal static class TlsReader
{
    public static TlsOptions? Read(LoadContext context, SectionReader? section)
    {
        if (section is null)
        {
            return null;
        }

        string? certificate = section.Text("certificate");
        string? key = section.Text("key");
        SecretOptions? password = SecretReader.Read(context, section, "password", [], literal: null, mayHoldSpaces: true);
        string? authority = section.Text("client_ca");
        string? on = section.Text("client_ca_on");
        section.End();
        section.Require("certificate", "certificate: server.pem, key: server.key, or certificate: server.pfx");
        if (certificate is null)
        {
            return null;
        }

        bool isPkcs12 = Path.GetExtension(certificate).ToLowerInvariant() is ".pfx" or ".p12";
        if (isPkcs12 && key is not null)
        {
            section.Error("key", "a PKCS #12 file holds its key itself", "leave 'key' out");
        }

        if (on is not (null or "both" or "listen" or "admin"))
        {
            section.Error("client_ca_on", $"'{on}' is no port", "listen, admin or both");
        }

        return new TlsOptions
        {
            CertificatePath = context.Locate(certificate),
            KeyPath = key is null ? null : context.Locate(key),
            Password = password,
            ClientAuthorityPath = authority is null ? null : context.Locate(authority),
            IsClientAuthorityOnListen = on != "admin",
            IsClientAuthorityOnAdmin = on != "listen",
        };
    }
}
