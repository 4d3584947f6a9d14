using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Ballast.Telemetry;

/// <summary>
/// One event, one line of text: time of day (UTC), level, category, the event's number, message, and the exception where there is one. Nothing in a value can begin a new line or steer a terminal.
/// </summary>
public sealed class TextLineFormatter(TimeProvider time) : ConsoleFormatter(FormatName)
{
    public const string FormatName = "ballast-text";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        string level = logEntry.LogLevel switch
        {
            LogLevel.Trace => "trce",
            LogLevel.Debug => "dbug",
            LogLevel.Information => "info",
            LogLevel.Warning => "warn",
            LogLevel.Error => "fail",
            _ => "crit",
        };
        textWriter.Write(time.GetUtcNow().UtcDateTime.ToString("HH:mm:ss.fff ", CultureInfo.InvariantCulture));
        textWriter.Write(string.Create(CultureInfo.InvariantCulture, $"{level}: {logEntry.Category}[{logEntry.EventId.Id}] "));
        textWriter.Write(Line(logEntry.Formatter(logEntry.State, logEntry.Exception)));
        if (logEntry.Exception is { } exception)
        {
            textWriter.Write(' ');
            textWriter.Write(Line(exception.ToString()));
        }

        textWriter.Write('\n');
    }

    private static string Line(string text) => text.AsSpan().ContainsAnyInRange('\0', '\u001f') || text.AsSpan().ContainsAnyInRange('\u007f', '\u009f')
        ? string.Create(text.Length, text, static (line, text) =>
        {
            for (int i = 0; i < line.Length; i++)
            {
                line[i] = char.IsControl(text[i]) ? ' ' : text[i];
            }
        })
        : text;
}
