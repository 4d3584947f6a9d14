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

        return new TlsOptions { CertificatePath = context.Locate(certificate), KeyPath = key is null ? null : context.Locate(key), Password = password };
    }
}
