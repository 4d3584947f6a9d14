using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Ballast.Telemetry;

/// <summary>
/// The framework's writer of logs to the standard error, put together by hand: the container that its usual way asks makes generic types while the program starts, which takes longer ahead of time
/// than all else of a start.
/// </summary>
internal static class ConsoleLog
{
    /// <summary>The log goes where it is told to, or else to the standard error; <c>Microsoft</c>'s own events only when they are critical. Not disposed of: <paramref name="other"/>.</summary>
    /// <param name="formatter">How an event is written.</param>
    /// <param name="least">Events below are left out.</param>
    /// <param name="other">In place of the standard error.</param>
    public static ILoggerFactory Open(ConsoleFormatter formatter, LogLevel least, ILoggerProvider? other)
    {
        LoggerFilterOptions filter = new() { MinLevel = least };
        filter.Rules.Add(new LoggerFilterRule(providerName: null, "Microsoft", LogLevel.Critical, filter: null));
        if (other is not null)
        {
            return new LoggerFactory([other], filter);
        }

        LoggerFactory factory = new([], filter);
        factory.AddProvider(new ConsoleLoggerProvider(
            new Unchanging(new ConsoleLoggerOptions { FormatterName = formatter.Name, LogToStandardErrorThreshold = LogLevel.Trace }), [formatter]));
        return factory;
    }

    private sealed class Unchanging(ConsoleLoggerOptions value) : IOptionsMonitor<ConsoleLoggerOptions>
    {
        public ConsoleLoggerOptions CurrentValue => value;

        public ConsoleLoggerOptions Get(string? name) => value;

        public IDisposable? OnChange(Action<ConsoleLoggerOptions, string?> listener) => null;
    }
}
