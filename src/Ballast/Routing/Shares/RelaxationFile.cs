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

    /// <summary>As one JSON object.</summary>
    public static void Write(Utf8JsonWriter writer, Relaxation change)
    {
        writer.WriteStartObject();
        writer.WriteString("policy", change.PolicyName);
        writer.WriteNumber("version", change.PolicyVersion);
        writer.WriteString("rule", change.Rule);
        writer.WriteString("cause", change.CauseName);
        writer.WriteString("started", change.StartedAt);
        writer.WriteString("last", change.LastAt);
        writer.WriteNumber("requests", change.Requests);
        writer.WriteNumber("volume", Math.Round(change.Volume, 3));
        writer.WriteBoolean("over", change.IsOver);
        writer.WriteEndObject();
    }

    /// <summary>Null for what is none: a line that a crash cut short is passed over.</summary>
    public static Relaxation? TryParse(string line)
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
                Cause = Relaxation.CauseOf(root.GetProperty("cause").GetString()),
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
