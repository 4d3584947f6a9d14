using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Ballast.Routing.Shares;

/// <summary>Where suspensions of rules are kept.</summary>
public interface IRelaxationStore
{
    /// <summary>Adds them, in order.</summary>
    void Append(IReadOnlyList<Relaxation> changes);

    /// <summary>One for each suspension, with what was last known of it, the oldest first.</summary>
    IReadOnlyList<Relaxation> Read();
}

/// <summary>Suspensions in a file of JSON lines: one when it begins, one when it ends.</summary>
public sealed class RelaxationFile(string path) : IRelaxationStore
{
    /// <summary>Read at most, the newest: older ones stay in the file.</summary>
    public const int ReadMax = 10_000;

    public void Append(IReadOnlyList<Relaxation> changes)
    {
        using FileStream file = new(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        foreach (Relaxation change in changes)
        {
            using (Utf8JsonWriter writer = new(file))
            {
                Write(writer, change);
            }

            file.WriteByte((byte)'\n');
        }
    }

    public IReadOnlyList<Relaxation> Read()
    {
        if (!File.Exists(path))
        {
            return [];
        }

        Dictionary<(string, string, DateTimeOffset), Relaxation> latest = [];
        using StreamReader lines = new(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite), Encoding.UTF8);
        while (lines.ReadLine() is { } line)
        {
            if (TryParse(line) is { } read)
            {
                latest[(read.PolicyName, read.Rule, read.StartedAt)] = read;
            }
        }

        return [.. latest.Values.OrderBy(static one => one.StartedAt).TakeLast(ReadMax)];
    }

    private static void Write(Utf8JsonWriter writer, Relaxation change)
    {
        writer.WriteStartObject();
        writer.WriteString("policy", change.PolicyName);
        writer.WriteNumber("version", change.PolicyVersion);
        writer.WriteString("rule", change.Rule);
        writer.WriteString("cause", change.Cause == RelaxationCause.Health ? "health" : "eligibility");
        writer.WriteString("started", change.StartedAt);
        writer.WriteString("last", change.LastAt);
        writer.WriteNumber("requests", change.Requests);
        writer.WriteNumber("volume", Math.Round(change.Volume, 3));
        writer.WriteBoolean("over", change.IsOver);
        writer.WriteEndObject();
    }

    /// <summary>A line that a crash cut short is passed over.</summary>
    private static Relaxation? TryParse(string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            return new Relaxation
            {
                PolicyName = root.GetProperty("policy").GetString()!,
                PolicyVersion = root.GetProperty("version").GetInt32(),
                Rule = root.GetProperty("rule").GetString()!,
                Cause = root.GetProperty("cause").GetString() == "health" ? RelaxationCause.Health : RelaxationCause.Eligibility,
                StartedAt = root.GetProperty("started").GetDateTimeOffset(),
                LastAt = root.GetProperty("last").GetDateTimeOffset(),
                Requests = root.GetProperty("requests").GetInt64(),
                Volume = root.GetProperty("volume").GetDouble(),
                IsOver = root.GetProperty("over").GetBoolean(),
            };
        }
        catch (Exception broken) when (broken is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}

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
