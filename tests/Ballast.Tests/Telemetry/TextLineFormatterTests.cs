using Ballast.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Telemetry;

public sealed class TextLineFormatterTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 30, 5, 7, TimeSpan.Zero));

    [Fact]
    public void Write_AnEvent_IsOneLine() =>
        Assert.Equal("12:30:05.007 warn: ballast[22] Azure rests\n", Written(LogLevel.Warning, "Azure rests", exception: null));

    /// <summary>What a caller or a platform wrote must not look like an event of its own, nor colour or clear an operator's terminal.</summary>
    [Fact]
    public void Write_ControlCharacters_AreSpaces()
    {
        string line = Written(LogLevel.Error, "model 'a\r\n12:30:06 info: all is well\u001b[2J\u009b'", new InvalidOperationException("one\ntwo"));

        Assert.StartsWith("12:30:05.007 fail: ballast[22] model 'a  12:30:06 info: all is well [2J ' System.InvalidOperationException: one two", line, StringComparison.Ordinal);
        Assert.Equal(line.Length - 1, line.AsSpan().IndexOfAnyInRange('\0', '\u001f'));
    }

    private string Written(LogLevel level, string message, Exception? exception)
    {
        using StringWriter writer = new();
        new TextLineFormatter(_time).Write(
            new LogEntry<string>(level, "ballast", new EventId(22), message, exception, static (state, _) => state), scopeProvider: null, writer);
        return writer.ToString();
    }
}
