using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Ballast.Telemetry;

/// <summary>
/// One event, one line of JSON: <c>time</c>, <c>level</c>, <c>event</c>, <c>message</c>, the event's own fields in lower case with underscores, and <c>exception</c> where
/// there is one. Nothing in a value can begin a new line or steer a terminal.
/// </summary>
public sealed class JsonLineFormatter(TimeProvider time) : ConsoleFormatter(FormatName)
{
    public const string FormatName = "ballast-json";

    /// <summary>The message's own template among an event's fields.</summary>
    private const string Template = "{OriginalFormat}";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        ArrayBufferWriter<byte> line = new(512);
        using (Utf8JsonWriter json = new(line))
        {
            json.WriteStartObject();
            json.WriteString("time", time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("level", logEntry.LogLevel switch
            {
                LogLevel.Trace => "trace",
                LogLevel.Debug => "debug",
                LogLevel.Information => "info",
                LogLevel.Warning => "warning",
                LogLevel.Error => "error",
                _ => "critical",
            });
            json.WriteString("event", logEntry.EventId.Name is { } name ? Lower(name) : logEntry.EventId.Id.ToString(CultureInfo.InvariantCulture));
            json.WriteString("message", logEntry.Formatter(logEntry.State, logEntry.Exception));
            WriteFields(json, logEntry.State);
            if (logEntry.Exception is { } exception)
            {
                json.WriteString("exception", exception.ToString());
            }

            json.WriteEndObject();
        }

        textWriter.Write(Encoding.UTF8.GetString(line.WrittenSpan));
        textWriter.Write('\n');
    }

    private static void WriteFields(Utf8JsonWriter json, object? state)
    {
        if (state is not IReadOnlyList<KeyValuePair<string, object?>> fields)
        {
            return;
        }

        foreach ((string key, object? value) in fields)
        {
            if (key == Template)
            {
                continue;
            }

            // The id that a caller is told has one name everywhere.
            json.WritePropertyName(key == "ExchangeId" ? "request_id" : Lower(key));
            switch (value)
            {
                case null:
                    json.WriteNullValue();
                    break;
                case int or long:
                    json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                    break;
                case double number when double.IsFinite(number):
                    json.WriteNumberValue(number);
                    break;
                case DateTimeOffset at:
                    json.WriteStringValue(at);
                    break;
                default:
                    json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                    break;
            }
        }
    }

    /// <summary><c>AttemptFailed</c> → <c>attempt_failed</c>.</summary>
    private static string Lower(string name)
    {
        StringBuilder lower = new(name.Length + 4);
        foreach (char one in name)
        {
            if (char.IsUpper(one) && lower.Length > 0)
            {
                lower.Append('_');
            }

            lower.Append(char.ToLowerInvariant(one));
        }

        return lower.ToString();
    }
}
