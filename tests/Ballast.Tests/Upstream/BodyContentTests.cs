using System.Buffers;
using Ballast.Exchanges;
using Ballast.Upstream;

namespace Ballast.Tests.Upstream;

public sealed class BodyContentTests : IDisposable
{
    private readonly PooledBuffer _body = new();

    public BodyContentTests() => _body.Write("{}"u8);

    public void Dispose() => _body.Dispose();

    [Fact]
    public async Task Dispose_WhenSent_GivesTheMemoryBack()
    {
        BodyContent content = new(_body);
        using MemoryStream sent = new();
        await content.CopyToAsync(sent, TestContext.Current.CancellationToken);
        content.Dispose();

        Assert.Equal("{}"u8.ToArray(), sent.ToArray());
        Assert.True(content.WasSent);
        Assert.Equal(0, _body.WrittenCount);
    }

    [Fact]
    public void Dispose_NeverSent_GivesTheMemoryBack()
    {
        BodyContent content = new(_body);
        content.Dispose();

        Assert.False(content.WasSent);
        Assert.Equal(0, _body.WrittenCount);
    }

    [Fact]
    public async Task Dispose_WhileSending_LeavesTheMemoryToTheSender()
    {
        BodyContent content = new(_body);
        using SlowStream sent = new();
        Task sending = content.CopyToAsync(sent, TestContext.Current.CancellationToken);
        content.Dispose();

        Assert.Equal("{}"u8.ToArray(), _body.WrittenSpan.ToArray());
        sent.Go.SetResult();
        await sending;
        Assert.Equal("{}"u8.ToArray(), sent.ToArray());
    }

    [Fact]
    public async Task Dispose_OfTwoSendsOneStillGoing_LeavesTheMemoryToIt()
    {
        BodyContent content = new(_body);
        using SlowStream first = new();
        using MemoryStream second = new();
        Task sending = content.CopyToAsync(first, TestContext.Current.CancellationToken);
        await content.CopyToAsync(second, TestContext.Current.CancellationToken);
        content.Dispose();

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
