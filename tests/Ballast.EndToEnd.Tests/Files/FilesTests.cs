using System.Text;
using System.Text.Json;
using Ballast.Ledger;

namespace Ballast.EndToEnd.Tests.Files;

/// <summary>Files stay with the provider and the app that made them.</summary>
[Collection("Faults")]
public sealed class FilesTests : IAsyncLifetime
{
    private FileHouse _house = null!;

    public async ValueTask InitializeAsync() => _house = await FileHouse.StartAsync();

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Theory]
    [InlineData("/v1")]
    [InlineData("/openai/v1")]
    [InlineData("/openai")]
    [InlineData("")]
    public async Task File_FromUploadToDeletion_IsKnownByItsHandleAlone(string prefix)
    {
        using HttpResponseMessage uploaded = await _house.UploadAsync("three\r\n\r\nlines\0", path: prefix + "/files?api-version=2025-04-01-preview");
        JsonElement file = await FileHouse.JsonAsync(uploaded);
        string id = file.GetProperty("id").GetString()!;

        Assert.Matches("^file-[0-9a-f]{32}$", id);
        Assert.Equal(("file", "a file.txt", 15), (file.GetProperty("object").GetString(), file.GetProperty("filename").GetString(), file.GetProperty("bytes").GetInt32()));
        Assert.Equal("openai/small", uploaded.Headers.GetValues("x-ballast-deployment").Single());
        LedgerEntry row = (await _house.RowsAsync(uploaded)).Single();
        Assert.Equal(("file_upload", AttemptOutcome.Completed, true, null), (row.Operation, row.Outcome, row.IsEstimated, row.CostUsd));

        using HttpResponseMessage retrieved = await _house.SendAsync(HttpMethod.Get, $"{prefix}/files/{id}");
        Assert.Equal(file.GetRawText(), (await FileHouse.JsonAsync(retrieved)).GetRawText());
        row = (await _house.RowsAsync(retrieved)).Single();
        Assert.Equal(("file_retrieve", false, 0m), (row.Operation, row.IsEstimated, row.CostUsd));

        using HttpResponseMessage content = await _house.SendAsync(HttpMethod.Get, $"{prefix}/files/{id}/content");
        Assert.Equal("three\r\n\r\nlines\0", await content.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        using HttpResponseMessage listed = await _house.SendAsync(HttpMethod.Get, $"{prefix}/files");
        Assert.Equal([id], (await FileHouse.JsonAsync(listed)).GetProperty("data").EnumerateArray().Select(one => one.GetProperty("id").GetString()));

        using HttpResponseMessage deleted = await _house.SendAsync(HttpMethod.Delete, $"{prefix}/files/{id}");
        JsonElement gone = await FileHouse.JsonAsync(deleted);
        Assert.Equal((id, true), (gone.GetProperty("id").GetString(), gone.GetProperty("deleted").GetBoolean()));
        int calls = await _house.UpstreamCallsAsync();
        using HttpResponseMessage again = await _house.SendAsync(HttpMethod.Get, $"{prefix}/files/{id}");
        Assert.Equal("ballast_file_not_found", (await FileHouse.ErrorAsync(again, 404)).Code);
        Assert.Equal(calls, await _house.UpstreamCallsAsync());
    }

    [Fact]
    public async Task Upload_NamesItsModel_LiesAtThatModelsProvider()
    {
        using HttpResponseMessage byHeader = await _house.UploadAsync("x", model: "eu-small");
        using HttpResponseMessage byField = await _house.UploadAsync("x", field: "azure/small");
        using HttpResponseMessage byQuery = await _house.UploadAsync("x", path: "/v1/files?model=eu-other");
        using HttpResponseMessage lawful = await _house.UploadAsync("x", key: FileHouse.Two);

        Assert.Equal("azure/small", byHeader.Headers.GetValues("x-ballast-deployment").Single());
        Assert.Equal("ballast_model_not_allowed", (await FileHouse.ErrorAsync(byField, 403)).Code); // the key may ask for eu-small, not for the deployment by its name
        Assert.Equal("azure/other", byQuery.Headers.GetValues("x-ballast-deployment").Single());
        Assert.Equal("azure/small", lawful.Headers.GetValues("x-ballast-deployment").Single()); // its data may not go to the first one
    }

    [Theory]
    [InlineData("nobody", 404, "ballast_model_not_found")]
    [InlineData("claude", 501, "ballast_operation_not_offered")]
    public async Task Upload_ForAModelWithoutFiles_IsRefusedInWords(string model, int status, string code)
    {
        using HttpResponseMessage answer = await _house.UploadAsync("x", model: model);

        Assert.Equal(code, (await FileHouse.ErrorAsync(answer, status)).Code);
        Assert.Equal(0, await _house.UpstreamCallsAsync());
    }

    [Fact]
    public async Task Upload_DataMayNotGoThere_IsRefused()
    {
        using HttpResponseMessage answer = await _house.UploadAsync("x", key: FileHouse.Two, model: "small");

        Assert.Equal("ballast_no_lawful_deployment", (await FileHouse.ErrorAsync(answer, 503)).Code);
        Assert.Equal(0, await _house.UpstreamCallsAsync());
    }

    [Fact]
    public async Task Upload_FirstIsDown_LiesAtTheNextAndStaysThere()
    {
        using HttpResponseMessage answer = await _house.UploadAsync("moved", model: "shaky");
        string id = (await FileHouse.JsonAsync(answer)).GetProperty("id").GetString()!;

        Assert.Equal(["broken/m", "azure/small"], (await _house.RowsAsync(answer)).Select(row => row.Deployment));
        await _house.Sandbox.DisappearAsync("azure");
        using HttpResponseMessage away = await _house.SendAsync(HttpMethod.Get, $"/v1/files/{id}");
        (string? code, string message) = await FileHouse.ErrorAsync(away, 503);
        Assert.Equal("ballast_provider_unavailable", code);
        Assert.DoesNotContain("127.0.0.1", message, StringComparison.Ordinal);
        LedgerEntry row = (await _house.RowsAsync(away)).Single();
        Assert.Equal(("azure/small", "upstream_connect_failed"), (row.Deployment, row.Reason));

        await _house.Sandbox.ReturnAsync("azure");
        using HttpResponseMessage back = await _house.SendAsync(HttpMethod.Get, $"/v1/files/{id}/content");
        Assert.Equal("moved", await back.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Upload_AnswerIsNoFile_IsNotRepeatedElsewhere()
    {
        _house.Broken.Answer = static visit => visit.RespondAsync("200 OK", "content-type: application/json\r\n", """{"object":"file"}""");

        using HttpResponseMessage answer = await _house.UploadAsync("once", model: "shaky");

        Assert.Equal("upstream_malformed", (await FileHouse.ErrorAsync(answer, 502)).Code);
        Assert.Equal(1, await _house.UpstreamCallsAsync());
    }

    [Fact]
    public async Task File_OfAnotherApp_DoesNotExist()
    {
        string id = await _house.UploadedAsync("secret");
        using HttpResponseMessage mine = await _house.SendAsync(HttpMethod.Get, $"/v1/files/{id}", FileHouse.OneRestricted);
        Assert.Equal(200, (int)mine.StatusCode); // the same app's other key
        int calls = await _house.UpstreamCallsAsync();

        string unknown = "file-" + new string('0', 32);
        List<(string?, string)> errors = [];
        foreach (string asked in (string[])[id, unknown])
        {
            foreach ((HttpMethod method, string path) in ((HttpMethod, string)[])[(HttpMethod.Get, ""), (HttpMethod.Get, "/content"), (HttpMethod.Delete, "")])
            {
                using HttpResponseMessage answer = await _house.SendAsync(method, $"/v1/files/{asked}{path}", FileHouse.Two);
                errors.Add(await FileHouse.ErrorAsync(answer, 404));
            }

            using HttpResponseMessage batch = await _house.BeginBatchAsync(asked, FileHouse.Two);
            errors.Add(await FileHouse.ErrorAsync(batch, 404));
            using HttpResponseMessage after = await _house.SendAsync(HttpMethod.Get, $"/v1/files?after={asked}", FileHouse.Two);
            errors.Add(await FileHouse.ErrorAsync(after, 404));
        }

        using HttpResponseMessage list = await _house.SendAsync(HttpMethod.Get, "/v1/files", FileHouse.Two);
        Assert.Equal(0, (await FileHouse.JsonAsync(list)).GetProperty("data").GetArrayLength());
        Assert.Single(errors.Select(error => error with { Item2 = error.Item2[..24] }).Distinct()); // all alike, the request's id aside
        Assert.Equal(calls, await _house.UpstreamCallsAsync());
    }

    public static TheoryData<string> HostileIds =>
    [
        "..%2f..%2fmodels", "%2e%2e%2f", "file-..%2F..%2F..%2Fetc%2Fpasswd", "file-%0d%0aX-Evil:%201", "file-%00", "%00", "file-%C3%A9", "file-", "FILE-00000000000000000000000000000000",
        "file-0000000000000000000000000000000G", "file-00000000000000000000000000000000%20", "file-000000000000000000000000000000001", "batch_00000000000000000000000000000000",
        "a/b/c", "%25", "..%5c..%5c", "file-' OR 1=1 --", new string('a', 10_000), "file-" + new string('0', 6_000),
    ];

    [Theory]
    [MemberData(nameof(HostileIds))]
    public async Task File_HostileId_ReachesNoUpstream(string id)
    {
        await _house.UploadedAsync("bait");
        int calls = await _house.UpstreamCallsAsync();

        foreach (string path in (string[])[$"/v1/files/{id}", $"/v1/files/{id}/content", $"/v1/batches/{id}", $"/openai/files/{id}"])
        {
            using HttpResponseMessage answer = await _house.SendAsync(HttpMethod.Get, path);
            Assert.True((int)answer.StatusCode is 400 or 404 or 414 or 431, $"{path[..Math.Min(60, path.Length)]}: {(int)answer.StatusCode}");
        }

        using HttpResponseMessage batch = await _house.BeginBatchAsync(Uri.UnescapeDataString(id).Replace("\r\n", "\\r\\n", StringComparison.Ordinal).Replace('\\', '/'));
        Assert.InRange((int)batch.StatusCode, 400, 404);
        using HttpResponseMessage list = await _house.SendAsync(HttpMethod.Get, $"/v1/files?after={id}&limit=5");
        Assert.InRange((int)list.StatusCode, 400, 431);
        Assert.Equal(calls, await _house.UpstreamCallsAsync());
    }

    [Fact]
    public async Task List_OfManyFiles_IsPagedAndFilteredAndInOrder()
    {
        List<string> ids = [];
        for (int i = 0; i < 5; i++)
        {
            ids.Add(await _house.UploadedAsync($"{i}", i == 2 ? "vision" : "user_data", model: i % 2 == 0 ? "small" : "eu-small"));
        }

        int calls = await _house.UpstreamCallsAsync();
        Assert.Equal(ids.AsEnumerable().Reverse(), await IdsAsync(""));
        Assert.Equal([ids[4], ids[3]], await IdsAsync("?limit=2", hasMore: true));
        Assert.Equal([ids[2], ids[1]], await IdsAsync($"?limit=2&after={ids[3]}", hasMore: true));
        Assert.Equal([ids[0]], await IdsAsync($"?limit=2&after={ids[1]}"));
        Assert.Equal(ids, await IdsAsync("?order=asc"));
        Assert.Equal([ids[2]], await IdsAsync("?purpose=vision"));
        Assert.Equal(calls, await _house.UpstreamCallsAsync()); // nothing of a file changes: nobody is asked
        foreach (string bad in (string[])["?limit=0", "?limit=x", "?limit=10001", "?order=up"])
        {
            using HttpResponseMessage answer = await _house.SendAsync(HttpMethod.Get, "/v1/files" + bad);
            Assert.Equal(400, (int)answer.StatusCode);
        }
    }

    [Fact]
    public async Task Handle_AfterARestart_IsStillKnown()
    {
        string id = await _house.UploadedAsync("kept");

        await _house.RestartAsync(_house.Yaml);

        using HttpResponseMessage content = await _house.SendAsync(HttpMethod.Get, $"/v1/files/{id}/content");
        Assert.Equal("kept", await content.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        using HttpResponseMessage other = await _house.SendAsync(HttpMethod.Get, $"/v1/files/{id}", FileHouse.Two);
        Assert.Equal(404, (int)other.StatusCode);
    }

    [Fact]
    public async Task Handle_ProviderIsNoLongerConfigured_IsToldSo()
    {
        string id = await _house.UploadedAsync("orphan", model: "eu-other");
        string yaml = string.Join('\n', _house.Yaml.Split('\n').Where(line => !line.Contains("eu-", StringComparison.Ordinal) || line.Contains("one:", StringComparison.Ordinal)))
            .Replace(", eu-small, eu-other", "", StringComparison.Ordinal).Replace(", azure/small]", "]", StringComparison.Ordinal)
            .Replace("[small, eu-small, shaky]", "[small]", StringComparison.Ordinal).Replace("  azure: {", "  elsewhere: {", StringComparison.Ordinal);

        await _house.RestartAsync(yaml);

        int calls = await _house.UpstreamCallsAsync();
        foreach (string path in (string[])["", "/content"])
        {
            using HttpResponseMessage answer = await _house.SendAsync(HttpMethod.Get, $"/v1/files/{id}{path}");
            Assert.Equal("ballast_provider_removed", (await FileHouse.ErrorAsync(answer, 503)).Code);
        }

        Assert.Equal(calls, await _house.UpstreamCallsAsync());
        await _house.RestartAsync(_house.Yaml);
        using HttpResponseMessage back = await _house.SendAsync(HttpMethod.Get, $"/v1/files/{id}");
        Assert.Equal(200, (int)back.StatusCode);
    }

    [Fact]
    public async Task Upload_StoreIsFull_IsRefusedBeforeAnythingIsSent()
    {
        string first = await _house.UploadedAsync("0");
        for (int i = 1; i < 12; i++)
        {
            await _house.UploadedAsync($"{i}");
        }

        int calls = await _house.UpstreamCallsAsync();
        using HttpResponseMessage full = await _house.UploadAsync("one too many");
        Assert.Equal("ballast_handles_full", (await FileHouse.ErrorAsync(full, 400)).Code);
        Assert.Equal(calls, await _house.UpstreamCallsAsync());
        using HttpResponseMessage other = await _house.UploadAsync("another app's", key: FileHouse.Two);
        Assert.Equal(200, (int)other.StatusCode);

        using HttpResponseMessage deleted = await _house.SendAsync(HttpMethod.Delete, $"/v1/files/{first}");
        Assert.Equal(200, (int)deleted.StatusCode);
        Assert.NotEmpty(await _house.UploadedAsync("room again"));
    }

    [Fact]
    public async Task Upload_HandleCannotBeWrittenDown_TakesTheFileBack()
    {
        string first = await _house.UploadedAsync("first");
        using (Microsoft.Data.Sqlite.SqliteConnection other = new($"Data Source={_house.HandlesPath};Pooling=False"))
        {
            other.Open();
            using Microsoft.Data.Sqlite.SqliteCommand trigger = other.CreateCommand();
            trigger.CommandText = "CREATE TRIGGER disk_full BEFORE INSERT ON handles BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
            trigger.ExecuteNonQuery();
        }

        using HttpResponseMessage answer = await _house.UploadAsync("lost");

        (string? code, string message) = await FileHouse.ErrorAsync(answer, 503);
        Assert.Equal("ballast_handles_unavailable", code);
        Assert.DoesNotContain("ledger.handles.db", message, StringComparison.Ordinal);
        Assert.Equal([("POST", true), ("DELETE", true)], (await _house.RowsAsync(answer)).Select(row => (row.AttemptNumber == 1 ? "POST" : "DELETE", row.UpstreamStatus == 200)));
        using HttpResponseMessage still = await _house.SendAsync(HttpMethod.Get, $"/v1/files/{first}");
        Assert.Equal(200, (int)still.StatusCode);
        Assert.Contains(_house.Log.All, line => line.Contains("failed inside the gateway", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Content_CutInItsMiddle_EndsInACutConnection()
    {
        string id = await _house.UploadedAsync(new string('x', 300_000));
        _house.Sandbox.Faults.Add(new Sandbox.FaultRule { Platform = "openai", Kind = Sandbox.FaultKind.Cut });

        using HttpResponseMessage answer = await _house.SendAsync(HttpMethod.Get, $"/v1/files/{id}/content", headersOnly: true);

        await Assert.ThrowsAnyAsync<Exception>(() => answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        LedgerEntry row = (await _house.RowsAsync(answer)).Single();
        Assert.Equal(("file_content", AttemptOutcome.Interrupted), (row.Operation, row.Outcome));
    }

    [Fact]
    public async Task Content_OfManyMegabytes_ArrivesWhole()
    {
        string content = string.Concat(Enumerable.Range(0, 900_000).Select(i => $"{i:x7}\n"));
        string id = await _house.UploadedAsync(content);

        using HttpResponseMessage answer = await _house.SendAsync(HttpMethod.Get, $"/v1/files/{id}/content");

        Assert.True(content == await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Error_InTheVendorsWords_NamesTheHandle()
    {
        _house.Broken.Answer = static visit => visit.Head.StartsWith("POST", StringComparison.Ordinal)
            ? visit.RespondAsync("200 OK", "content-type: application/json\r\n", """{"id":"file-of.the:vendor","object":"file","bytes":1}""")
            : visit.RespondAsync("400 Bad Request", "content-type: application/json\r\n", """{"error":{"message":"Not for file-of.the:vendor.","type":"invalid_request_error","param":null,"code":null}}""");
        string id = await _house.UploadedAsync("x", model: "only-broken");

        using HttpResponseMessage answer = await _house.SendAsync(HttpMethod.Get, $"/v1/files/{id}/content");

        Assert.Equal($"Not for {id}.", (await FileHouse.JsonAsync(answer, 400)).GetProperty("error").GetProperty("message").GetString()![..(id.Length + 9)]);
        Assert.Contains("GET /v1/files/file-of.the%3Avendor/content HTTP/1.1", _house.Broken.Visits.Last().Head, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PUT", "/v1/files", "POST, GET")]
    [InlineData("POST", "/v1/files/file-0/content", "GET")]
    [InlineData("DELETE", "/v1/batches/batch_0", "GET")]
    public async Task Path_WrongMethod_NamesTheRightOnes(string method, string path, string allowed)
    {
        using HttpResponseMessage answer = await _house.SendAsync(new HttpMethod(method), path);

        Assert.Equal(405, (int)answer.StatusCode);
        Assert.Equal(allowed, string.Join(", ", answer.Content.Headers.Allow));
    }

    [Fact]
    public async Task Upload_NoForm_IsRefused()
    {
        using HttpResponseMessage json = await _house.SendAsync(HttpMethod.Post, "/v1/files", content: FileHouse.Json("{}"));
        Assert.Equal(400, (int)json.StatusCode);
        using HttpResponseMessage key = await _house.SendAsync(HttpMethod.Get, "/v1/files", "nobody's key");
        Assert.Equal("ballast_invalid_key", (await FileHouse.ErrorAsync(key, 401)).Code);
        using ByteArrayContent cut = new(Encoding.ASCII.GetBytes("--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nno end"));
        cut.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data; boundary=b");
        using HttpResponseMessage form = await _house.SendAsync(HttpMethod.Post, "/v1/files", content: cut);
        Assert.Equal(400, (int)form.StatusCode);
        Assert.Equal(0, await _house.UpstreamCallsAsync());
        Assert.False(File.Exists(_house.HandlesPath)); // nothing was kept: nothing was made
    }

    private async Task<IEnumerable<string?>> IdsAsync(string query, bool hasMore = false)
    {
        using HttpResponseMessage answer = await _house.SendAsync(HttpMethod.Get, "/v1/files" + query);
        JsonElement list = await FileHouse.JsonAsync(answer);
        string?[] ids = [.. list.GetProperty("data").EnumerateArray().Select(one => one.GetProperty("id").GetString())];
        Assert.Equal((hasMore, ids[0], ids[^1]), (list.GetProperty("has_more").GetBoolean(), list.GetProperty("first_id").GetString(), list.GetProperty("last_id").GetString()));
        return ids;
    }
}
