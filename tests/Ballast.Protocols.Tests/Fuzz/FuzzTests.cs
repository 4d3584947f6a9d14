using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Ballast.Protocols.Tests.Fuzz;

/// <summary>
/// Bent input to every reader: refused in the protocol's way or read, in bounded time and memory. A case is named by target and seed; <c>BALLAST_SEED</c> runs that one
/// alone, and <c>BALLAST_SEED=A-B</c> all from A up to and without B: fresh ones, or a share of a machine's.
/// </summary>
public class FuzzTests
{
    /// <summary>Allocation granted to one input: every reader and writer that a target runs copies it a few times over, in UTF-16, and has its own start buffers.</summary>
    private const long AllocatedBase = 512 * 1024;

    /// <summary>Granted besides where the input is a pattern: the framework builds its automaton, of bounded size however long the pattern is.</summary>
    private const long AllocatedForPattern = 8 * 1024 * 1024;

    private const long AllocatedPerByte = 800;

    private const int FaultsTold = 10;

    private const string TooMuch = "took too much";

    private const int CostlyCaseRetries = 2;

    private static readonly TimeSpan s_caseTimeMax = TimeSpan.FromSeconds(2);

    public static TheoryData<string> Targets() => [.. FuzzTargets.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Read_BentInput_IsReadOrRefused(string name) => Run(name, first: 0, count: 10_000, static _ => ProtocolList.All);

    /// <summary>Each input is written in one protocol, so that each of them has more than a hundred thousand of each reader's.</summary>
    [LongTheory]
    [MemberData(nameof(Targets))]
    public void Read_BentInput_AMillionTimes_IsReadOrRefused(string name) => Run(name, first: 10_000, count: 1_000_000, static seed => [ProtocolList.All[seed % ProtocolList.All.Count]]);

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
    [InlineData("bedrock-converse request", """{"messages":[{"role":"user","content":[{"text":"a"},{"cachePoint":{"type":"default","type":[]}}]}]}""")]
    [InlineData("bedrock-converse request", """{"system":[{"cachePoint":{"type":"default","type":{"a":[1]}}}],"messages":[{"role":"user","content":[{"text":"a"}]}]}""")]
    [InlineData("schema", "{\"properties\":{\"a\":{\"pattern\":\"ballast-thinking:anthropic:c2ln\"}}}\n{\"a\":\"aaa\"}")]
    [InlineData("schema", "{\"minLength\":1}\n\"\\ud800\"")]
    public void Read_InputThatOnceFailed_IsReadOrRefused(string name, string input)
    {
        FuzzTarget target = FuzzTargets.All.Single(one => one.Name == name);
        foreach (string padded in (string[])[input, input + " ", input + "  "])
        {
            // A target chooses among its writers by the input's length.
            Assert.Null(Fault(target, Encoding.UTF8.GetBytes(padded), ProtocolList.All));
        }
    }

    private static void Run(string name, int first, int count, Func<int, IReadOnlyList<Protocol>> targets)
    {
        FuzzTarget target = FuzzTargets.All.Single(one => one.Name == name);
        if (Environment.GetEnvironmentVariable("BALLAST_SEED") is { Length: > 0 } seed)
        {
            int[] ends = [.. seed.Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture))];
            (first, count) = (ends[0], ends.Length > 1 ? ends[1] - ends[0] : 1);
        }

        // Each case stands for itself, so that all cores may share them; the first faults are told in the order of their seeds.
        ConcurrentDictionary<string, (int Seed, string Text)> faults = [];
        Parallel.For(first, first + count, (i, loop) =>
        {
            byte[] input = target.Make(new Dice(i));
            if (Fault(target, input, targets(i)) is not string fault)
            {
                return;
            }

            faults.TryAdd(fault[..Math.Min(fault.Length, 160)], (i, $"seed {i}: {fault}\n{Encoding.UTF8.GetString(input)}"));
            if (faults.Count >= FaultsTold)
            {
                loop.Stop();
            }
        });

        Assert.True(faults.IsEmpty, $"{name}, {faults.Count} faults:\n" + string.Join("\n\n", faults.Values.OrderBy(one => one.Seed).Select(one => one.Text)));
    }

    private static string? Fault(FuzzTarget target, byte[] input, IReadOnlyList<Protocol> targets)
    {
        string? fault = FaultOnce(target, input, targets, Stopwatch.GetTimestamp);
        for (int i = 0; i < CostlyCaseRetries && fault?.StartsWith(TooMuch, StringComparison.Ordinal) == true; i++)
        {
            // A machine that does other things may stop any case for long, and the runtime charges its own doings to whatever thread is at hand;
            // an input that takes the time or the memory takes it again, and of the processor.
            fault = FaultOnce(target, input, targets, ProcessorTime);
        }

        return fault;
    }

    private static string? FaultOnce(FuzzTarget target, byte[] input, IReadOnlyList<Protocol> targets, Func<long> clock)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        long start = clock();
        try
        {
            target.Run(input, targets);
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
        TimeSpan time = Stopwatch.GetElapsedTime(start, clock());
        long granted = AllocatedBase + (AllocatedPerByte * input.Length) + (input.AsSpan().IndexOf("\"pattern\""u8) >= 0 && target.Name == "schema" ? AllocatedForPattern : 0);
        return allocated > granted ? $"{TooMuch} memory: {allocated} bytes for {input.Length}" : time > s_caseTimeMax ? $"{TooMuch} time: {time}" : null;
    }

    /// <summary>What this thread had of a processor, in ticks of the stopwatch; where the system does not tell, the time that passes.</summary>
    private static long ProcessorTime()
    {
        const string Figures = "/proc/thread-self/schedstat";
        return File.Exists(Figures)
            ? (long)(long.Parse(File.ReadAllText(Figures).Split(' ')[0], CultureInfo.InvariantCulture) * (Stopwatch.Frequency / 1e9))
            : Stopwatch.GetTimestamp();
    }
}
