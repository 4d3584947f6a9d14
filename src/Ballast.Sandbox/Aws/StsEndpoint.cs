using System.Buffers.Text;
using System.Security;
using System.Text;
using System.Text.Json;
using Ballast.Sandbox.Generation;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Ballast.Sandbox.Aws;

/// <summary>STS's query protocol: a form asks, XML answers (https://docs.aws.amazon.com/STS/latest/APIReference/).</summary>
internal sealed class StsEndpoint(SandboxServices services)
{
    private const string Namespace = "https://sts.amazonaws.com/doc/2011-06-15/";

    private static readonly string[] s_services = ["sts"];

    private readonly SignatureCheck _signature = new(services.AwsKeys);

    public async Task AnswerAsync(HttpContext http)
    {
        byte[] body = await ReadAsync(http).ConfigureAwait(false);
        Dictionary<string, StringValues> form = QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body));
        string action = Field(form, "Action");
        try
        {
            switch (action)
            {
                case "AssumeRole":
                    if (!SignatureCheck.IsSigned(http.Request))
                    {
                        throw AwsErrors.Forbidden("MissingAuthenticationToken", "Request is missing Authentication Token");
                    }

                    _signature.Check(http.Request, body, region: null, s_services);
                    break;
                case "AssumeRoleWithWebIdentity":
                    CheckToken(Field(form, "WebIdentityToken"));
                    break;
                default:
                    throw Refused(400, "InvalidAction", $"Could not find operation {action} for version {Field(form, "Version")}");
            }

            await SendAsync(http, 200, Grant(form, action)).ConfigureAwait(false);
        }
        catch (VendorErrorException refused)
        {
            VendorError error = refused.Error;
            string code = error.Type.EndsWith("Exception", StringComparison.Ordinal) ? error.Type[..^"Exception".Length] : error.Type;
            await SendAsync(http, error.Status, $"""
                <ErrorResponse xmlns="{Namespace}"><Error><Type>Sender</Type><Code>{code}</Code><Message>{SecurityElement.Escape(error.Message)}</Message></Error><RequestId>{NewId()}</RequestId></ErrorResponse>
                """).ConfigureAwait(false);
        }
    }

    private string Grant(Dictionary<string, StringValues> form, string action)
    {
        string role = Field(form, "RoleArn");
        string session = Field(form, "RoleSessionName");
        if (role.Length == 0 || session.Length == 0)
        {
            throw Refused(400, "ValidationError", "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null");
        }

        if (role != SandboxAws.RoleArn)
        {
            throw Refused(403, "AccessDenied", $"User is not authorized to perform: sts:{action} on resource: {role}");
        }

        AwsKey key = services.AwsKeys.Issue();
        return $"""
            <{action}Response xmlns="{Namespace}"><{action}Result><AssumedRoleUser><AssumedRoleId>AROASANDBOX:{SecurityElement.Escape(session)}</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/ballast/{SecurityElement.Escape(session)}</Arn></AssumedRoleUser><Credentials><AccessKeyId>{key.Id}</AccessKeyId><SecretAccessKey>{key.Secret}</SecretAccessKey><SessionToken>{key.SessionToken}</SessionToken><Expiration>{key.ExpiresText}</Expiration></Credentials></{action}Result><ResponseMetadata><RequestId>{NewId()}</RequestId></ResponseMetadata></{action}Response>
            """;
    }

    /// <summary>Form and claims are checked, not the signature, whose keys the sandbox cannot know.</summary>
    private void CheckToken(string token)
    {
        string[] parts = token.Split('.');
        try
        {
            using JsonDocument claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts.Length == 3 ? parts[1] : ""));
            JsonElement root = claims.RootElement;
            if (root.GetProperty("aud").GetString() != SandboxAws.WebIdentityAudience)
            {
                throw Refused(400, "InvalidIdentityToken", "Incorrect token audience");
            }

            if (root.GetProperty("exp").GetInt64() <= services.AwsKeys.Now.ToUnixTimeSeconds())
            {
                throw Refused(400, "ExpiredTokenException", "Token expired");
            }
        }
        catch (Exception broken) when (broken is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw Refused(400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)");
        }
    }

    private static async Task<byte[]> ReadAsync(HttpContext http)
    {
        using MemoryStream body = new();
        byte[] part = new byte[8 * 1024];
        int read;
        while ((read = await http.Request.Body.ReadAsync(part, http.RequestAborted).ConfigureAwait(false)) > 0 && body.Length < AwsServer.BodyBytesMax)
        {
            body.Write(part, 0, read);
        }

        return body.ToArray();
    }

    private static string Field(Dictionary<string, StringValues> form, string name) => form.TryGetValue(name, out StringValues value) ? value.ToString() : "";

    private static VendorErrorException Refused(int status, string code, string message) => new(new VendorError(status, code, message));

    private string NewId()
    {
        Dice dice = services.NextRequestDice(AwsServer.Name);
        return dice.NextGuid().ToString();
    }

    private static async Task SendAsync(HttpContext http, int status, string xml)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/xml";
        await http.Response.WriteAsync(xml.Trim(), http.RequestAborted).ConfigureAwait(false);
    }
}
