using System.Text;

namespace Ballast.Cli.Demo;

/// <summary>How a request ended, as its application saw it.</summary>
internal enum Verdict
{
    /// <summary>A well-formed answer; or, where the real provider had refused the request too, a well-formed error.</summary>
    Succeeded,

    /// <summary>Content came, then the cloud went, and a well-formed error said so.</summary>
    Interrupted,

    /// <summary>Anything else.</summary>
    Failed,
}

/// <summary>A call that the model asks for.</summary>
/// <param name="Id">By which the tool's result is sent back.</param>
/// <param name="Name">Of the tool.</param>
/// <param name="Choice">Which of several answers to one question asks for it.</param>
/// <param name="Index">Its place among that answer's calls.</param>
internal sealed record CalledTool(string Id, string Name, int Choice = 0, int Index = 0)
{
    public StringBuilder Arguments { get; } = new();
}

/// <summary>What came back for one request.</summary>
internal sealed class DemoAnswer
{
    public int Status { get; set; }
    public Verdict Verdict { get; set; } = Verdict.Failed;

    /// <summary>Why it is not a success; null for one.</summary>
    public string? Reason { get; set; }

    /// <summary>Content, or the start of some, reached the application.</summary>
    public bool HasContent { get; set; }
    public StringBuilder Text { get; } = new();
    public List<CalledTool> Calls { get; } = [];
    public string? Finish { get; set; }

    /// <summary>Choices, or blocks, that were begun and have not ended.</summary>
    public HashSet<int> Open { get; } = [];

    /// <summary>The stream's first event has come.</summary>
    public bool IsBegun { get; set; }

    /// <summary>The stream's last event, as its protocol has it, has come.</summary>
    public bool IsComplete { get; set; }

    /// <summary>A well-formed error of the protocol; null where none came.</summary>
    public string? Error { get; set; }

    /// <summary><c>provider/model</c> that answered; null where none did.</summary>
    public string? Deployment { get; set; }

    /// <summary>Attempts that the gateway needed.</summary>
    public int Attempts { get; set; }
}

/// <summary>An answer that breaks its protocol; the message says where.</summary>
internal sealed class MalformedAnswerException(string message) : Exception(message);
