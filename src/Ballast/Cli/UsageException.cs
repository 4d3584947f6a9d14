namespace Ballast.Cli;

/// <summary>What the user asked for cannot be done as written: a wrong argument or a configuration at fault. Exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
