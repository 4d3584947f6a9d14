using System.Buffers;
using System.Text;
using Ballast.Transport;

namespace Ballast.Tests.Transport.Http1;

/// <summary>Answers with what it was asked; the path says how.</summary>
internal static class EchoHandler
{
    public static async Task AnswerAsync(HttpCall call)
    {
        switch (call.Path)
        {
            case "/unread":
                call.Status = 401;
                await SendAsync(call, "no");
                return;
            case "/stream":
                call.SetHeader("Content-Type", "text/event-stream");
                foreach (string piece in (string[])["one ", "two ", new string('x', 20_000), " three"])
                {
                    call.Output.Write(Encoding.UTF8.GetBytes(piece));
                    Assert.True(await call.FlushAsync(CancellationToken.None));
                    await Task.Yield();
                }

                return;
            case "/cut":
                call.Output.Write("half"u8);
                await call.FlushAsync(CancellationToken.None);
                call.Abort();
                return;
            case "/short":
                call.ResponseLength = 100;
                call.Output.Write("half"u8);
                await call.FlushAsync(CancellationToken.None);
                return;
            case "/throw":
                throw new InvalidTimeZoneException();
            case "/throw-late":
                call.Output.Write("half"u8);
                await call.FlushAsync(CancellationToken.None);
                throw new InvalidTimeZoneException();
            case "/nothing":
                return;
            case "/evil":
                call.SetHeader("x-evil", "a\r\nx-more: b");
                await SendAsync(call, "evil");
                return;
            default:
                await EchoAsync(call);
                return;
        }
    }

    private static async Task EchoAsync(HttpCall call)
    {
        ArrayBufferWriter<byte> body = new();
        try
        {
            while (await call.ReadBodyAsync(body.GetMemory(1024)) is > 0 and int read)
            {
                body.Advance(read);
            }
        }
        catch (IOException)
        {
            call.Status = 400;
            await SendAsync(call, "broken body");
            return;
        }

        await SendAsync(call, $"{call.Method} {call.Path} [{Encoding.UTF8.GetString(body.WrittenSpan)}] {call.Header("x-echo")}");
    }

    private static async Task SendAsync(HttpCall call, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        call.ResponseLength = bytes.Length;
        call.Output.Write(bytes);
        await call.FlushAsync(CancellationToken.None);
    }
}
