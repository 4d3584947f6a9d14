using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Ballast.Exchanges;
using Ballast.Transport;
using Ballast.Upstream;
using Ballast.Upstream.Http1;
using Microsoft.Extensions.Time.Testing;

namespace Ballast.Tests.Upstream.Http1;

/// <summary>
/// Many exchanges at once over one pool, in an order made up from a seed: read to their end, let go of before it, cancelled anywhere, while the other side keeps, closes and resets connections
/// and time goes on. Whatever the order, each exchange has a connection to itself, and what is read whole is the answer to what was asked.
/// </summary>
public sealed class Http1PoolParallelTests
{
    private const int Tasks = 8;
    private const int IdDigits = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public Task Exchanges_InAnyOrder_NeverShareAConnectionNorAnAnswer(int seed) => RunAsync(seed, exchanges: 60);

    [LongFact]
    public async Task Exchanges_InManyOrders_NeverShareAConnectionNorAnAnswer()
    {
        for (int seed = 100; seed < 200; seed++)
        {
            await RunAsync(seed, exchanges: 200);
        }
    }

    /// <summary>The answer names what was asked; what surrounds it is up to the dice.</summary>
    private static async Task AnswerAsync(Turn turn, Random dice, ConcurrentQueue<string> faults)
    {
        string asked = turn.Request[(turn.Request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        if (asked.Length != IdDigits)
        {
            faults.Enqueue($"connection {turn.Connection} has two requests at once: {asked}");
        }

        string text = $"answer to {asked}";
        string whole = dice.Next(2) == 0 ? $"HTTP/1.1 200 OK\r\nContent-Length: {text.Length}\r\n\r\n{text}" : $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{text[..5]}\r\n{text.Length - 5:x}\r\n{text[5..]}\r\n0\r\n\r\n";
        switch (dice.Next(12))
        {
            case 0:
                turn.Reset();
                break;
            case 1:
                turn.EndsConnection = true;
                await turn.SendAsync(whole[..dice.Next(whole.Length)]); // cut
                break;
            case 2:
                turn.EndsConnection = true; // without a word of it
                await turn.SendAsync(whole);
                break;
            case 3:
                await turn.SendAsync(whole + "left over");
                break;
            case 4 or 5:
                await turn.DripAsync(whole);
                break;
            default:
                await turn.SendAsync(whole);
                break;
        }
    }

    /// <summary>The answer, or null where there was none: it was cut, or nobody waited for it.</summary>
    private static async Task<string?> AskAsync(Http1Pool pool, string asked, Random dice, CancellationToken cancellation)
    {
        using CancellationTokenSource cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bool letsGo = dice.Next(8) == 0;
        Task canceling = dice.Next(8) == 0 ? Task.Run(cancel.Cancel, CancellationToken.None) : Task.CompletedTask;
        PooledBuffer buffer = new();
        buffer.Write(Encoding.Latin1.GetBytes(asked));
        using UpstreamMessage message = new(new Uri("http://upstream/v1/chat"), buffer);
        try
        {
            using UpstreamAnswer answer = await pool.SendAsync(message, cancel.Token).AsTask().WaitAsync(Patience, cancellation);
            while (!letsGo)
            {
                ReadResult result = await answer.Body.ReadAsync(cancel.Token).AsTask().WaitAsync(Patience, cancellation);
                if (result.IsCompleted)
                {
                    return Encoding.Latin1.GetString(result.Buffer.ToArray());
                }

                answer.Body.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }

            return null;
        }
        catch (Exception broken) when (broken is UpstreamException or IOException || (broken is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
        finally
        {
            await canceling;
        }
    }

    private static async Task RunAsync(int seed, int exchanges)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        using EventLoops loops = new(TimeProvider.System, 2);
        FakeTimeProvider time = new();
        ConcurrentQueue<string> faults = new();
        using ScriptedUpstream upstream = new(turn => AnswerAsync(turn, new Random(HashCode.Combine(seed, turn.Connection, turn.Number)), faults));
        using Http1Pool pool = new(loops, time, upstream.Address, _ => true, null, TimeSpan.FromSeconds(30));
        int whole = 0, broken = 0;
        await Task.WhenAll(Enumerable.Range(0, Tasks).Select(task => Task.Run(async () =>
        {
            Random dice = new((seed * 1000) + task);
            for (int i = 0; i < exchanges; i++)
            {
                string asked = ((task * exchanges) + i).ToString("D8", CultureInfo.InvariantCulture);
                switch (await AskAsync(pool, asked, dice, cancellation))
                {
                    case null:
                        Interlocked.Increment(ref broken);
                        break;
                    case string answer when answer == $"answer to {asked}":
                        Interlocked.Increment(ref whole);
                        break;
                    case string other:
                        faults.Enqueue($"{asked} was answered '{other}'");
                        break;
                }

                if (dice.Next(40) == 0)
                {
                    time.Advance(TimeSpan.FromSeconds(dice.Next(200)));
                }
            }
        }, cancellation)));

        Assert.True(faults.IsEmpty, $"seed {seed}: {string.Join('\n', faults.Take(5))}");
        Assert.True(whole > Tasks * exchanges / 3 && broken > 0, $"{whole} whole, {broken} broken off");
        Assert.InRange(pool.Idle, 0, Tasks);
    }
}
