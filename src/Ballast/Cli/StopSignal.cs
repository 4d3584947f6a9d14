using System.Runtime.InteropServices;

namespace Ballast.Cli;

/// <summary>SIGINT and SIGTERM as a cancellation, SIGHUP as an event. The first stop signal asks, the process ends when the command has cleaned up.</summary>
public sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <param name="takesHangUp">SIGHUP is an event (<see cref="HangUp"/>); else it ends the process as usual.</param>
    public StopSignal(bool takesHangUp = false)
    {
        foreach (PosixSignal signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT])
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                _source.Cancel();
            }));
        }

        if (takesHangUp && !OperatingSystem.IsWindows())
        {
            _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
            {
                context.Cancel = true;
                HangUp?.Invoke();
            }));
        }
    }

    public CancellationToken Token => _source.Token;

    /// <summary>What SIGHUP does; nothing before it is set.</summary>
    public Action? HangUp { get; set; }

    /// <summary>Completes when the first stop signal has come.</summary>
    public async Task WaitAsync()
    {
        TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = Token.Register(() => stopped.TrySetResult());
        await stopped.Task.ConfigureAwait(false);
    }

    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
        _source.Dispose();
    }
}
