using System.Globalization;
using System.Text.Json;

namespace Ballast.Routing.Shares;

/// <summary>The credits, in one small file that is replaced whole.</summary>
public sealed class ShareSnapshotFile(string path)
{
    public void Write(ShareSnapshot snapshot)
    {
        string draft = path + ".draft";
        using (FileStream file = new(draft, FileMode.Create, FileAccess.Write, FileShare.None))
        using (Utf8JsonWriter writer = new(file))
        {
            writer.WriteStartObject();
            writer.WriteString("policy", snapshot.PolicyName);
            writer.WriteNumber("version", snapshot.PolicyVersion);
            writer.WriteString("saved", snapshot.SavedAt.ToString("O", CultureInfo.InvariantCulture));
            writer.WriteStartArray("rules");
            foreach (ShareSnapshot.Bucket bucket in snapshot.Buckets)
            {
                writer.WriteStartObject();
                writer.WriteString("id", bucket.Id);
                writer.WriteString("scope", bucket.Scope);
                writer.WriteString("target", bucket.Target);
                writer.WriteNumber("credit", bucket.Credit);
                writer.WriteNumber("group", bucket.Group);
                writer.WriteNumber("total", bucket.Total);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        File.Move(draft, path, overwrite: true);
    }

    /// <summary>Null where there is none, or none that can be read: then credits begin at zero.</summary>
    public ShareSnapshot? Read()
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using JsonDocument document = JsonDocument.Parse(file);
            JsonElement root = document.RootElement;
            return new ShareSnapshot(
                root.GetProperty("policy").GetString()!, root.GetProperty("version").GetInt32(), root.GetProperty("saved").GetDateTimeOffset(),
                [
                    .. root.GetProperty("rules").EnumerateArray().Select(static rule => new ShareSnapshot.Bucket(
                        rule.GetProperty("id").GetString()!, rule.GetProperty("scope").GetString()!, rule.GetProperty("target").GetString()!,
                        rule.GetProperty("credit").GetDouble(), rule.GetProperty("group").GetDouble(), rule.GetProperty("total").GetDouble())),
                ]);
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
