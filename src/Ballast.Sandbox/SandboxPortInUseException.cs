namespace Ballast.Sandbox;

/// <summary>A port that the sandbox needs is taken by another program.</summary>
public sealed class SandboxPortInUseException : Exception
{
    public SandboxPortInUseException(int port) : base($"Port {port} is in use.") => Port = port;

    public SandboxPortInUseException(int port, Exception inner) : base($"Port {port} is in use.", inner) => Port = port;

    public int Port { get; }
}
