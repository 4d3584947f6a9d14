using Ballast.Sandbox;
using Microsoft.Data.Sqlite;

namespace Ballast.EndToEnd.Tests.Fixtures;

/// <summary>The exchanges that idempotency keys stand for, read from the file itself: one for each key, whatever else was sent under it.</summary>
internal static class KeptExchanges
{
    public static HashSet<string> In(string path)
    {
        using SqliteConnection connection = new($"Data Source={path};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT exchange_id FROM answers";
        using SqliteDataReader reader = command.ExecuteReader();
        HashSet<string> exchanges = new(StringComparer.Ordinal);
        while (reader.Read())
        {
            exchanges.Add(reader.GetString(0));
        }

        return exchanges;
    }

    /// <summary>The exchange that a line of a platform's bill is about: the attempt's id without its number.</summary>
    public static string Of(BillingRow row) => row.ClientRequestId![..row.ClientRequestId!.LastIndexOf('-')];
}
