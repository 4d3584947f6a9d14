using System.IO.Pipelines;
using Ballast.Upstream;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Upstream;

public class UpstreamAnswerTests
{
    private static readonly FakeTimeProvider s_time = new(new DateTimeOffset(2026, 11, 6, 8, 49, 7, TimeSpan.Zero));

    [Theory]
    [InlineData("Retry-After", "30", 30.0)]
    [InlineData("Retry-After", " 30 ", 30.0)]
    [InlineData("Retry-After", "0", 0.0)]
    [InlineData("Retry-After", "Fri, 06 Nov 2026 08:49:37 GMT", 30.0)]
    [InlineData("Retry-After", "Friday, 06-Nov-26 08:49:37 GMT", 30.0)]
    [InlineData("Retry-After", "Fri Nov  6 08:49:37 2026", 30.0)]
    [InlineData("Retry-After", "Fri, 06 Nov 2026 08:00:00 GMT", 0.0)]
    [InlineData("retry-after-ms", "1500", 1.5)]
    [InlineData("Retry-After", "-1", null)]
    [InlineData("Retry-After", "soon", null)]
    [InlineData("Retry-After", "99999999999999999999", null)]
    [InlineData("retry-after-ms", "-5", null)]
    public void RetryAfter_EachForm_IsRead(string name, string value, double? seconds)
    {
        using Told answer = new((name, value));

        Assert.Equal(seconds, answer.RetryAfter(s_time)?.TotalSeconds);
    }

    [Fact]
    public void RetryAfter_BothForms_TakesTheFiner()
    {
        using Told answer = new(("Retry-After", "2"), ("retry-after-ms", "1300"));

        Assert.Equal(1.3, answer.RetryAfter(s_time)?.TotalSeconds);
    }

    /// <summary>An answer of which only the headers matter.</summary>
    private sealed class Told(params (string Name, string Value)[] headers) : UpstreamAnswer
    {
        public override int Status => 429;

        public override long? ContentLength => null;

        public override PipeReader Body => throw new NotSupportedException();

        public override string? Header(string name) => Array.Find(headers, header => header.Name == name).Value;

        public override string? JoinedHeader(string name) => Header(name);

        protected override void Dispose(bool disposing)
        {
        }
    }
}
