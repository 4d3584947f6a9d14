using Ballast.Transport;

namespace Ballast.Tests.Transport;

/// <summary>Does a test's work in an event loop's thread.</summary>
internal static class LoopWork
{
    public static Task<T> DoAsync<T>(this EventLoop loop, Func<T> work)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(
            _ =>
            {
                try
                {
                    done.SetResult(work());
                }
#pragma warning disable CA1031 // The test sees it.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    done.SetException(exception);
                }
            },
            null);
        return done.Task;
    }
}
