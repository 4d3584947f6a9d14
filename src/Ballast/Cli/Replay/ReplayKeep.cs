using System.Text;
using System.Text.Json;
using Ballast.Sandbox;

namespace Ballast.Cli.Replay;

/// <summary>
/// Writes translated answers to a folder, for whoever wants to read them or to have them read by a vendor's own client: <c>index.jsonl</c> and one file an answer.
/// </summary>
internal sealed class ReplayKeep : IDisposable
{
    private readonly string _folder;
    private readonly StreamWriter _index;

    public ReplayKeep(string folder)
    {
        _folder = Directory.CreateDirectory(folder).FullName;
        _index = new StreamWriter(Path.Combine(_folder, RecordedFolder.IndexFile));
    }

    public void Add(ReplayPassage passage)
    {
        if (passage.Back is not { } back)
        {
            return;
        }

        RecordedExchange exchange = passage.Exchange;
        bool isStream = RecordedRequest.IsStream(passage.OtherRequest) && back.Status == 200;
        string file = $"{exchange.Id}.{(isStream ? "sse" : "json")}";
        File.WriteAllBytes(Path.Combine(_folder, file), back.Body);
        using MemoryStream line = new();
        using (Utf8JsonWriter json = new(line))
        {
            json.WriteStartObject();
            json.WriteString("id", exchange.Id);
            json.WriteString("api", WireApi.Other(exchange.Api));
            json.WriteBoolean("stream", isStream);
            json.WriteNumber("status", back.Status);
            json.WriteString("file", file);
            AnswerSummary.Of(exchange).WriteTo(json);
            json.WriteEndObject();
        }

        _index.WriteLine(Encoding.UTF8.GetString(line.ToArray()));
    }

    public void Dispose() => _index.Dispose();
}
