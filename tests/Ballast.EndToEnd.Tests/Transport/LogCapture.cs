using System.Text;

namespace Ballast.EndToEnd.Tests.Transport;

/// <summary>Everything that gateways of this process write to their log, as they write it to standard error.</summary>
internal static class LogCapture
{
    private static readonly StringWriter s_text = new();
    private static readonly Lock s_lock = new();
    private static bool s_isInstalled;

    /// <summary>Before a gateway starts: its logger takes standard error as it finds it.</summary>
    public static void Install()
    {
        lock (s_lock)
        {
            if (!s_isInstalled)
            {
                s_isInstalled = true;
                Console.SetError(new Tee());
            }
        }
    }

    public static string Text
    {
        get
        {
            lock (s_lock)
            {
                return s_text.ToString();
            }
        }
    }

    /// <summary>The log is written beside the requests: what was logged may stand in it a moment later.</summary>
    public static async Task WaitForAsync(string text)
    {
        for (int i = 0; i < 1000 && !Text.Contains(text, StringComparison.Ordinal); i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.Contains(text, Text, StringComparison.Ordinal);
    }

    private sealed class Tee : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
            lock (s_lock)
            {
                s_text.Write(value);
            }
        }

        public override void Write(string? value)
        {
            lock (s_lock)
            {
                s_text.Write(value);
            }
        }
    }
}
