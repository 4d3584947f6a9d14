using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Npgsql;

namespace Ballast.Tenancy;

/// <summary>What a shared store held when it was last seen, and which database it was.</summary>
internal sealed record LastSeen(StoredState State, long Database, DateTimeOffset At);

/// <summary>
/// The last view of a shared store, on the gateway's own disk: with it a gateway starts while the database is away, for as long as one that runs would go on. Sealed under the
/// pepper and bound to the database's address; only its owner may read it, and no more of keys is in it than the digests that the store has.
/// </summary>
internal sealed class TenantSnapshot(string path, Pepper pepper, string connection, TimeProvider time)
{
    /// <summary>A view that does not change is written again so often: what is kept looks at most so much older than it is.</summary>
    public static readonly TimeSpan WriteEvery = TimeSpan.FromSeconds(30);

    /// <summary>Largest file that is kept and read: some hundred thousand keys.</summary>
    private const int BytesMax = 64 * 1024 * 1024;

    /// <summary>Clocks that are set a little are no reason to stand still.</summary>
    private static readonly TimeSpan s_clockSlack = TimeSpan.FromMinutes(1);

    private readonly ContentSeal _seal = ContentSeal.Of(pepper, "last view of the tenants");
    private readonly string _owner = OwnerOf(connection);
    private readonly Lock _turn = new();
    private long _version = -1;
    private long _writtenTimestamp;

    /// <summary>Which database it is: told by the store, or by the file while that is away.</summary>
    public long Database { get; set; }

    /// <summary>Keeps a view that was just read, or confirmed. A file that cannot be written is taken away: what it says could be what was revoked since.</summary>
    /// <exception cref="TenancyStoreException">It can neither be written nor be taken away.</exception>
    public void Keep(StoredState state)
    {
        lock (_turn)
        {
            if (state.Version < _version || (state.Version == _version && time.GetElapsedTime(_writtenTimestamp) < WriteEvery))
            {
                return;
            }

            (_version, _writtenTimestamp) = (state.Version, time.GetTimestamp()); // tried: a full disk is not tried twice a second
            try
            {
                Write(state);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new TenancyStoreException($"The last view of keys {path} cannot be kept: {failure.Message}", failure);
            }
        }
    }

    /// <summary>What was kept, where it may still be gone by.</summary>
    /// <param name="notBefore">How old it may be.</param>
    /// <exception cref="TenancyStoreException">There is none, it is too old, or somebody else wrote it; the message says which.</exception>
    public LastSeen Read(TimeSpan notBefore)
    {
        byte[] kept;
        try
        {
            kept = File.Exists(path) && new FileInfo(path).Length <= BytesMax ? File.ReadAllBytes(path) : [];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new TenancyStoreException($"Its last view {path} cannot be read: {failure.Message}", failure);
        }

        if (kept.Length == 0)
        {
            throw new TenancyStoreException($"There is no last view of it to go by ({path}).");
        }

        LastSeen seen = Open(kept);
        TimeSpan age = time.GetUtcNow() - seen.At;
        return age > notBefore || age < -s_clockSlack
            ? throw new TenancyStoreException(
                string.Create(CultureInfo.InvariantCulture, $"Its last view {path} is of {seen.At:u} and may be gone by for {notBefore.TotalMinutes:0.#} minutes (tenancy.stale_after)."))
            : seen;
    }

    private LastSeen Open(byte[] kept)
    {
        try
        {
            if (!ContentSeal.IsClosed(kept))
            {
                throw new CryptographicException("It is not sealed.");
            }

            using JsonDocument document = JsonDocument.Parse(_seal.Open(_owner, kept));
            JsonElement root = document.RootElement;
            StoredRecord[] records =
            [
                .. root.GetProperty("records").EnumerateArray().Select(static one => new StoredRecord(one[0].GetString()!, one[1].GetString()!, one[2].GetInt64(), one[3].GetString()!)),
            ];
            return new LastSeen(new StoredState(root.GetProperty("version").GetInt64(), records), root.GetProperty("database").GetInt64(), root.GetProperty("seen_at").GetDateTimeOffset());
        }
        catch (Exception failure) when (failure is CryptographicException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new TenancyStoreException($"Its last view {path} was changed, or is of another database or another secret (tenancy.pepper): it is not gone by.", failure);
        }
    }

    private void Write(StoredState state)
    {
        ArrayBufferWriter<byte> text = new();
        using (Utf8JsonWriter json = new(text))
        {
            json.WriteStartObject();
            json.WriteString("seen_at", time.GetUtcNow());
            json.WriteNumber("database", Database);
            json.WriteNumber("version", state.Version);
            json.WriteStartArray("records");
            foreach (StoredRecord record in state.Records)
            {
                json.WriteStartArray();
                json.WriteStringValue(record.Kind);
                json.WriteStringValue(record.Id);
                json.WriteNumberValue(record.Revision);
                json.WriteStringValue(record.Body);
                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        byte[] closed = _seal.Close(_owner, text.WrittenSpan);
        try
        {
            PrivateFile.Replace(path, closed.Length <= BytesMax ? closed : throw new IOException("It is too large."));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Where the database is, without what is secret about it: a new password is no other database.</summary>
    private static string OwnerOf(string connection)
    {
        NpgsqlConnectionStringBuilder parts = new(connection);
        return string.Create(CultureInfo.InvariantCulture, $"{parts.Host}:{parts.Port}/{parts.Database}");
    }
}
