namespace Ballast.Configuration;

/// <summary>Reads a provider's <c>aws:</c>. What is not written there is taken from the variables that AWS's own tools read.</summary>
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
        bool isWritten = id is not null || secret is not null;
        AwsOptions options = isWritten
            ? new AwsOptions { AccessKeyId = id, SecretAccessKey = secret, SessionToken = token }
            : new AwsOptions
            {
                AccessKeyId = FromEnvironment(context, "AWS_ACCESS_KEY_ID"),
                SecretAccessKey = FromEnvironment(context, "AWS_SECRET_ACCESS_KEY"),
                SessionToken = token ?? FromEnvironment(context, "AWS_SESSION_TOKEN"),
            };
        section.End();
        if (options.AccessKeyId is null || options.SecretAccessKey is null)
        {
            section.Error("access_key_id", "an access key and its secret are needed", "access_key_id_env and secret_access_key_env, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
        }

        return options;
    }

    private static SecretOptions? FromEnvironment(LoadContext context, string name) =>
        context.Environment(name) is { } value && SecretReader.IsSound(value) ? new SecretOptions(value, $"environment variable {name}") : null;
}
