using System.Buffers;
using Ballast.Exchanges;
using Ballast.Upstream;
using Ballast.Upstream.Framework;

namespace Ballast.Tests.Upstream;

public sealed class UpstreamMessageTests : IDisposable
{
    private static readonly Uri s_address = new("https://example.com/v1");

    private readonly PooledBuffer _body = new();

    public UpstreamMessageTests() => _body.Write("{}"u8);

    public void Dispose() => _body.Dispose();

    [Fact]
    public async Task Dispose_WhenSent_GivesTheMemoryBack()
    {
        UpstreamMessage message = new(s_address, _body);
        using BodyContent content = new(message);
        using MemoryStream sent = new();
        await content.CopyToAsync(sent, TestContext.Current.CancellationToken);
        message.Dispose();

        Assert.Equal("{}"u8.ToArray(), sent.ToArray());
        Assert.True(message.WasSent);
        Assert.Equal(0, _body.WrittenCount);
    }

    [Fact]
    public void Dispose_NeverSent_GivesTheMemoryBack()
    {
        UpstreamMessage message = new(s_address, _body);
        using BodyContent content = new(message);
        message.Dispose();

        Assert.False(message.WasSent);
        Assert.Equal(0, _body.WrittenCount);
    }

    [Fact]
    public async Task Dispose_WhileSending_LeavesTheMemoryToTheSender()
    {
        UpstreamMessage message = new(s_address, _body);
        using BodyContent content = new(message);
        using SlowStream sent = new();
        Task sending = content.CopyToAsync(sent, TestContext.Current.CancellationToken);
        message.Dispose();

        Assert.Equal("{}"u8.ToArray(), _body.WrittenSpan.ToArray());
        sent.Go.SetResult();
        await sending;
        Assert.Equal("{}"u8.ToArray(), sent.ToArray());
    }

    [Fact]
    public async Task Dispose_OfTwoSendsOneStillGoing_LeavesTheMemoryToIt()
    {
        UpstreamMessage message = new(s_address, _body);
        using BodyContent content = new(message);
        using SlowStream first = new();
        using MemoryStream second = new();
        Task sending = content.CopyToAsync(first, TestContext.Current.CancellationToken);
        await content.CopyToAsync(second, TestContext.Current.CancellationToken);
        message.Dispose();

        Assert.Equal("{}"u8.ToArray(), _body.WrittenSpan.ToArray());
        first.Go.SetResult();
        await sending;
    }

    /// <summary>Takes what is written to it once it is told to go.</summary>
    private sealed class SlowStream : MemoryStream
    {
        public TaskCompletionSource Go { get; } = new();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Go.Task;
            Write(buffer.Span);
        }
    }
}
