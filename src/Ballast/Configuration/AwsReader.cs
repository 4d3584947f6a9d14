namespace Ballast.Configuration;

/// <summary>Reads a provider's <c>aws:</c>. Keys that are not written there are taken from the variables that AWS's own tools read.</summary>
internal static class AwsReader
{
    public static AwsOptions? Read(LoadContext context, SectionReader provider)
    {
        if (provider.Section("aws", "aws") is not { } section)
        {
            return null;
        }

        SecretOptions? id = SecretReader.Read(context, section, "access_key_id", [], literal: null);
        SecretOptions? secret = SecretReader.Read(context, section, "secret_access_key", [], literal: null);
        SecretOptions? token = SecretReader.Read(context, section, "session_token", [], literal: null);
        AwsOptions options = new()
        {
            AccessKeyId = id,
            SecretAccessKey = secret,
            SessionToken = token,
            Profile = section.Text("profile"),
            RoleArn = section.Text("role_arn"),
            RoleSessionName = section.Text("role_session_name"),
            ExternalId = section.Text("external_id"),
            TokenFile = section.Text("web_identity_token_file") is { Length: > 0 } written ? context.Locate(written) : null,
            StsUrl = section.Address("sts_url"),
        };
        section.End();
        if ((id is null) != (secret is null))
        {
            section.Error("access_key_id", "an access key and its secret are needed", "access_key_id_env and secret_access_key_env, or neither: then AWS's own sources are asked");
        }

        return id is not null || options.Profile is not null || options.TokenFile is not null ? options : options with
        {
            AccessKeyId = FromEnvironment(context, "AWS_ACCESS_KEY_ID"),
            SecretAccessKey = FromEnvironment(context, "AWS_SECRET_ACCESS_KEY"),
            SessionToken = token ?? FromEnvironment(context, "AWS_SESSION_TOKEN"),
        };
    }

    private static SecretOptions? FromEnvironment(LoadContext context, string name) =>
        context.Environment(name) is { } value && SecretReader.IsSound(value) ? new SecretOptions(value, $"environment variable {name}") : null;
}
