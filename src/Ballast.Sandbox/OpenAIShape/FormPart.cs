using System.Net.Http.Headers;
using System.Text;
using Ballast.Sandbox.Server;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Ballast.Sandbox.OpenAIShape;

/// <summary>A field of a multipart form.</summary>
internal sealed record FormPart(byte[] Content, string? FileName)
{
    public string Text => Encoding.UTF8.GetString(Content);

    /// <summary>The fields of a form by their names; of two of a name the last one counts.</summary>
    /// <exception cref="VendorErrorException">The body is no form.</exception>
    public static async Task<Dictionary<string, FormPart>> ReadAllAsync(Visit visit)
    {
        if (!MediaTypeHeaderValue.TryParse(visit.Http.Request.ContentType, out MediaTypeHeaderValue? type) || type.MediaType != "multipart/form-data"
            || type.Parameters.FirstOrDefault(static one => one.Name == "boundary")?.Value is not { } boundary)
        {
            throw ChatErrors.Refused(null, null, "Could not parse multipart form");
        }

        Dictionary<string, FormPart> form = new(StringComparer.Ordinal);
        MultipartReader reader = new(boundary.Trim('"'), new MemoryStream(visit.Body));
        while (await reader.ReadNextSectionAsync(visit.Http.RequestAborted).ConfigureAwait(false) is { } section)
        {
            if (section.Headers?.TryGetValue("Content-Disposition", out StringValues disposition) == true
                && ContentDispositionHeaderValue.TryParse(disposition.ToString(), out ContentDispositionHeaderValue? parsed) && parsed.Name is { } name)
            {
                using MemoryStream content = new();
                await section.Body.CopyToAsync(content, visit.Http.RequestAborted).ConfigureAwait(false);
                form[name.Trim('"')] = new FormPart(content.ToArray(), parsed.FileNameStar ?? parsed.FileName?.Trim('"'));
            }
        }

        return form;
    }
}
