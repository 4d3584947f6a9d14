using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Ballast.Protocols.Tests.Fuzz;

/// <summary>
/// Bent input to every reader: refused in the protocol's way or read, in bounded time and memory. A case is named by target and seed; <c>BALLAST_SEED</c> runs that one alone.
/// </summary>
public class FuzzTests
{
    /// <summary>Allocation granted to one input: every reader and writer that a target runs copies it a few times over, in UTF-16, and has its own start buffers.</summary>
    private const long AllocatedBase = 512 * 1024;

    private const long AllocatedPerByte = 800;

    private static readonly TimeSpan s_caseTimeMax = TimeSpan.FromSeconds(2);

    public static TheoryData<string> Targets() => [.. FuzzTargets.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Read_BentInput_IsReadOrRefused(string name) => Run(name, first: 0, count: 10_000);

    [LongFact]
    public void Read_BentInput_AMillionTimes_IsReadOrRefused() =>
        Parallel.ForEach(FuzzTargets.All, new ParallelOptions { MaxDegreeOfParallelism = 2 }, target => Run(target.Name, first: 10_000, count: 1_000_000));

    /// <summary>What once failed, as input: seeds change their meaning with every golden file.</summary>
    [Theory]
    [InlineData("openai-chat request", """{"model":"m","messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":[7,{}]}}}}""")]
    [InlineData("openai-chat request", """{"model":"m","messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"n"}}}""")]
    [InlineData("openai-chat request", """{"model":"m","messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"\ud800":1}}}}""")]
    [InlineData("openai-chat request", """{"model":"m","messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"title":"\udc00"}}}}""")]
    [InlineData("anthropic-messages request", """{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"a","type":[null]}]}]}""")]
    [InlineData("anthropic-messages whole", """{"id":"msg_1","type":"\udc00 x \ud83d","content":[]}""")]
    [InlineData("anthropic-messages whole", """{"type":"error","\ud800":"Overloaded"}""")]
    [InlineData("anthropic-messages stream", "data: {\"type\":\"message_start\",\"message\":{\"\\ud800\":1}}\n\n")]
    [InlineData("schema", "{\"minLength\":1}\n\"\\ud800\"")]
    public void Read_InputThatOnceFailed_IsReadOrRefused(string name, string input)
    {
        FuzzTarget target = FuzzTargets.All.Single(one => one.Name == name);
        foreach (string padded in (string[])[input, input + " ", input + "  "])
        {
            // A target chooses among its writers by the input's length.
            Assert.Null(Fault(target, Encoding.UTF8.GetBytes(padded)));
        }
    }

    private static void Run(string name, int first, int count)
    {
        FuzzTarget target = FuzzTargets.All.Single(one => one.Name == name);
        if (Environment.GetEnvironmentVariable("BALLAST_SEED") is { Length: > 0 } seed)
        {
            (first, count) = (int.Parse(seed, CultureInfo.InvariantCulture), 1);
        }

        Dictionary<string, string> faults = [];
        for (int i = first; i < first + count && faults.Count < 10; i++)
        {
            byte[] input = target.Make(new Dice(i));
            if (Fault(target, input) is string fault)
            {
                faults.TryAdd(fault[..Math.Min(fault.Length, 160)], $"seed {i}: {fault}\n{Encoding.UTF8.GetString(input)}");
            }
        }

        Assert.True(faults.Count == 0, $"{name}, {faults.Count} faults:\n" + string.Join("\n\n", faults.Values));
    }

    private static string? Fault(FuzzTarget target, byte[] input)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        try
        {
            target.Run(input);
        }
        catch (ProtocolException)
        {
            // Refused.
        }
        catch (Exception exception)
        {
            return $"{exception.GetType().Name}: {exception.Message}\n{exception.StackTrace}";
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        return allocated > AllocatedBase + (AllocatedPerByte * input.Length) ? $"allocated {allocated} bytes for {input.Length}"
            : time > s_caseTimeMax ? $"took {time}"
            : null;
    }
}
