namespace Ballast.Tests.Compatibility;

/// <summary>
/// One request for each feature and protocol, as a vendor's documentation writes it: a whole body, or the fields that are added to the protocol's plainest request. What a
/// protocol has no way to say is left out.
/// </summary>
internal static class FeatureSamples
{
    public const string Chat = "openai-chat";
    public const string Responses = "openai-responses";
    public const string Messages = "anthropic-messages";
    public const string Gemini = "gemini";
    public const string Converse = "bedrock-converse";
    public const string Ollama = "ollama-chat";
    public const string Cohere = "cohere-chat";

    private const string Png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
    private const string Pdf = "JVBERi0xLjQKJcOkw7zDtsOfCjEgMCBvYmoKPDw+PgplbmRvYmoKdHJhaWxlcgo8PD4+CiUlRU9GCg==";
    private const string Schema = """{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}""";

    /// <summary>The plainest request of each protocol.</summary>
    public static readonly IReadOnlyDictionary<string, string> Plain = new Dictionary<string, string>
    {
        [Chat] = """{"model":"m","messages":[{"role":"user","content":"Hello"}]}""",
        [Responses] = """{"model":"m","store":false,"input":[{"role":"user","content":"Hello"}]}""",
        [Messages] = """{"model":"m","max_tokens":4096,"messages":[{"role":"user","content":"Hello"}]}""",
        [Gemini] = """{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}""",
        [Converse] = """{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}""",
        [Ollama] = """{"model":"m","stream":false,"messages":[{"role":"user","content":"Hello"}]}""",
        [Cohere] = """{"model":"m","messages":[{"role":"user","content":"Hello"}]}""",
    };

    /// <summary>Feature by feature, in the order of the page.</summary>
    public static readonly IReadOnlyList<(string Feature, IReadOnlyDictionary<string, string> Bodies)> All =
    [
        ("text", Of((Chat, ""), (Responses, ""), (Messages, ""), (Gemini, ""), (Converse, ""), (Ollama, ""), (Cohere, ""))),
        ("system text", Of(
            (Chat, """{"model":"m","messages":[{"role":"system","content":"Be brief"},{"role":"user","content":"Hello"}]}"""),
            (Responses, "\"instructions\":\"Be brief\""),
            (Messages, "\"system\":\"Be brief\""),
            (Gemini, """ "systemInstruction":{"parts":[{"text":"Be brief"}]} """),
            (Converse, """ "system":[{"text":"Be brief"}] """),
            (Ollama, """{"model":"m","stream":false,"messages":[{"role":"system","content":"Be brief"},{"role":"user","content":"Hello"}]}"""),
            (Cohere, """{"model":"m","messages":[{"role":"system","content":"Be brief"},{"role":"user","content":"Hello"}]}"""))),
        ("stream", Of((Chat, "\"stream\":true"), (Responses, "\"stream\":true"), (Messages, "\"stream\":true"), (Ollama, """{"model":"m","messages":[{"role":"user","content":"Hello"}]}"""), (Cohere, "\"stream\":true"))),
        ("limit of tokens", Of(
            (Chat, "\"max_completion_tokens\":100"), (Responses, "\"max_output_tokens\":100"), (Messages, ""), (Gemini, """ "generationConfig":{"maxOutputTokens":100} """),
            (Converse, """ "inferenceConfig":{"maxTokens":100} """), (Ollama, """ "options":{"num_predict":100} """), (Cohere, "\"max_tokens\":100"))),
        ("a tool that must be called", Of(
            (Chat, """ "tools":[{"type":"function","function":{"name":"t","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"t"}} """),
            (Responses, """ "tools":[{"type":"function","name":"t","parameters":{"type":"object"},"strict":false}],"tool_choice":{"type":"function","name":"t"} """),
            (Messages, """ "tools":[{"name":"t","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"t"} """),
            (Gemini, """ "tools":[{"functionDeclarations":[{"name":"t","parameters":{"type":"OBJECT"}}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["t"]}} """),
            (Converse, """ "toolConfig":{"tools":[{"toolSpec":{"name":"t","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"tool":{"name":"t"}}} """),
            (Cohere, """ "tools":[{"type":"function","function":{"name":"t","parameters":{"type":"object"}}}],"tool_choice":"REQUIRED" """))),
        ("two calls and their results", Of(
            (Chat, """{"model":"m","messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"t","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"t","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"1"},{"role":"tool","tool_call_id":"c2","content":"2"}],"tools":[{"type":"function","function":{"name":"t","parameters":{"type":"object"}}}]}"""),
            (Responses, """{"model":"m","store":false,"input":[{"role":"user","content":"Hello"},{"type":"function_call","call_id":"c1","name":"t","arguments":"{}"},{"type":"function_call","call_id":"c2","name":"t","arguments":"{}"},{"type":"function_call_output","call_id":"c1","output":"1"},{"type":"function_call_output","call_id":"c2","output":"2"}],"tools":[{"type":"function","name":"t","parameters":{"type":"object"},"strict":false}]}"""),
            (Messages, """{"model":"m","max_tokens":4096,"messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"t","input":{}},{"type":"tool_use","id":"c2","name":"t","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"1"},{"type":"tool_result","tool_use_id":"c2","content":"2"}]}],"tools":[{"name":"t","input_schema":{"type":"object"}}]}"""),
            (Gemini, """{"contents":[{"role":"user","parts":[{"text":"Hello"}]},{"role":"model","parts":[{"functionCall":{"id":"c1","name":"t","args":{}}},{"functionCall":{"id":"c2","name":"t","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"c1","name":"t","response":{"result":"1"}}},{"functionResponse":{"id":"c2","name":"t","response":{"result":"2"}}}]}],"tools":[{"functionDeclarations":[{"name":"t","parameters":{"type":"OBJECT"}}]}]}"""),
            (Converse, """{"messages":[{"role":"user","content":[{"text":"Hello"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"c1","name":"t","input":{}}},{"toolUse":{"toolUseId":"c2","name":"t","input":{}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"c1","content":[{"text":"1"}]}},{"toolResult":{"toolUseId":"c2","content":[{"text":"2"}]}}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"t","inputSchema":{"json":{"type":"object"}}}}]}}"""),
            (Ollama, """{"model":"m","stream":false,"messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":"","tool_calls":[{"function":{"name":"t","arguments":{}}},{"function":{"name":"t","arguments":{}}}]},{"role":"tool","tool_name":"t","content":"1"},{"role":"tool","tool_name":"t","content":"2"}],"tools":[{"type":"function","function":{"name":"t","parameters":{"type":"object"}}}]}"""),
            (Cohere, """{"model":"m","messages":[{"role":"user","content":"Hello"},{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"t","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"t","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"1"},{"role":"tool","tool_call_id":"c2","content":"2"}],"tools":[{"type":"function","function":{"name":"t","parameters":{"type":"object"}}}]}"""))),
        ("a tool of free text", Of(
            (Chat, """ "tools":[{"type":"custom","custom":{"name":"t"}}],"tool_choice":{"type":"custom","custom":{"name":"t"}} """),
            (Responses, """ "tools":[{"type":"custom","name":"t","format":{"type":"text"}}],"tool_choice":{"type":"custom","name":"t"} """))),
        ("a tool of free text with a grammar", Of(
            (Chat, """ "tools":[{"type":"custom","custom":{"name":"t","format":{"type":"grammar","grammar":{"syntax":"regex","definition":"a+"}}}}] """),
            (Responses, """ "tools":[{"type":"custom","name":"t","format":{"type":"grammar","syntax":"regex","definition":"a+"}}] """))),
        ("a call of free text and its result", Of(
            (Chat, """{"model":"m","messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"custom","custom":{"name":"t","input":"x"}}]},{"role":"tool","tool_call_id":"c1","content":"1"}],"tools":[{"type":"custom","custom":{"name":"t"}}]}"""),
            (Responses, """{"model":"m","store":false,"input":[{"role":"user","content":"Hello"},{"type":"custom_tool_call","call_id":"c1","name":"t","input":"x"},{"type":"custom_tool_call_output","call_id":"c1","output":"1"}],"tools":[{"type":"custom","name":"t"}]}"""))),
        ("tools in a group", Of(
            (Responses, """{"model":"m","store":false,"input":[{"role":"user","content":"Hello"},{"type":"function_call","call_id":"c1","namespace":"g","name":"t","arguments":"{}"},{"type":"function_call_output","call_id":"c1","output":"1"}],"tools":[{"type":"namespace","name":"g","description":"A group.","tools":[{"type":"function","name":"t","parameters":{"type":"object"},"strict":false}]}]}"""))),
        ("some of the tools", Of(
            (Chat, """ "tools":[{"type":"function","function":{"name":"t"}},{"type":"function","function":{"name":"u"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"t"}}]}} """),
            (Responses, """ "tools":[{"type":"function","name":"t","parameters":{"type":"object"},"strict":false},{"type":"function","name":"u","parameters":{"type":"object"},"strict":false}],"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"t"}]} """))),
        ("one call at a time", Of(
            (Chat, """ "tools":[{"type":"function","function":{"name":"t","parameters":{"type":"object"}}}],"parallel_tool_calls":false """),
            (Responses, """ "tools":[{"type":"function","name":"t","parameters":{"type":"object"},"strict":false}],"parallel_tool_calls":false """),
            (Messages, """ "tools":[{"name":"t","input_schema":{"type":"object"}}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true} """))),
        ("a picture", Of(
            (Chat, User("""{"type":"image_url","image_url":{"url":"data:image/png;base64,@PNG@"}}""")),
            (Responses, """{"model":"m","store":false,"input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,@PNG@"}]}]}"""),
            (Messages, UserOfMessages("""{"type":"image","source":{"type":"base64","media_type":"image/png","data":"@PNG@"}}""")),
            (Gemini, """{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"@PNG@"}}]}]}"""),
            (Converse, """{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"bytes":"@PNG@"}}}]}]}"""),
            (Ollama, """{"model":"m","stream":false,"messages":[{"role":"user","content":"Look","images":["@PNG@"]}]}"""),
            (Cohere, User("""{"type":"image_url","image_url":{"url":"data:image/png;base64,@PNG@"}}""")))),
        ("a picture's address", Of(
            (Chat, User("""{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}""")),
            (Responses, """{"model":"m","store":false,"input":[{"role":"user","content":[{"type":"input_image","image_url":"https://example.com/a.png"}]}]}"""),
            (Messages, UserOfMessages("""{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}""")),
            (Gemini, """{"contents":[{"role":"user","parts":[{"fileData":{"mimeType":"image/png","fileUri":"https://example.com/a.png"}}]}]}"""))),
        ("a PDF", Of(
            (Chat, User("""{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,@PDF@"}}""")),
            (Responses, """{"model":"m","store":false,"input":[{"role":"user","content":[{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,@PDF@"}]}]}"""),
            (Messages, UserOfMessages("""{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"@PDF@"}}""")),
            (Gemini, """{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"application/pdf","data":"@PDF@"}}]}]}"""),
            (Converse, """{"messages":[{"role":"user","content":[{"text":"Read"},{"document":{"format":"pdf","name":"a","source":{"bytes":"@PDF@"}}}]}]}"""))),
        ("a picture as a tool's result", Of(
            (Responses, """{"model":"m","store":false,"input":[{"role":"user","content":"Hello"},{"type":"function_call","call_id":"c1","name":"t","arguments":"{}"},{"type":"function_call_output","call_id":"c1","output":[{"type":"input_image","image_url":"data:image/png;base64,@PNG@"}]}],"tools":[{"type":"function","name":"t","parameters":{"type":"object"},"strict":false}]}"""),
            (Messages, """{"model":"m","max_tokens":4096,"messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"t","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"@PNG@"}}]}]}],"tools":[{"name":"t","input_schema":{"type":"object"}}]}"""),
            (Converse, """{"messages":[{"role":"user","content":[{"text":"Hello"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"c1","name":"t","input":{}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"c1","content":[{"image":{"format":"png","source":{"bytes":"@PNG@"}}}]}}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"t","inputSchema":{"json":{"type":"object"}}}}]}}"""))),
        ("sound", Of(
            (Chat, User("""{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}}""")),
            (Gemini, """{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"audio/wav","data":"UklGRg=="}}]}]}"""))),
        ("an answer by JSON schema", Of(
            (Chat, """ "response_format":{"type":"json_schema","json_schema":{"name":"s","schema":@SCHEMA@,"strict":true}} """),
            (Responses, """ "text":{"format":{"type":"json_schema","name":"s","schema":@SCHEMA@,"strict":true}} """),
            (Messages, """ "output_config":{"format":{"type":"json_schema","schema":@SCHEMA@}} """),
            (Gemini, """ "generationConfig":{"responseMimeType":"application/json","responseJsonSchema":@SCHEMA@} """),
            (Ollama, """ "format":@SCHEMA@ """),
            (Cohere, """ "response_format":{"type":"json_object","json_schema":@SCHEMA@} """))),
        ("an answer that is any JSON", Of(
            (Chat, """ "response_format":{"type":"json_object"} """), (Responses, """ "text":{"format":{"type":"json_object"}} """),
            (Gemini, """ "generationConfig":{"responseMimeType":"application/json"} """), (Ollama, "\"format\":\"json\""), (Cohere, """ "response_format":{"type":"json_object"} """))),
        ("reasoning asked for", Of(
            (Chat, "\"reasoning_effort\":\"medium\""), (Responses, """ "reasoning":{"effort":"medium"} """), (Messages, """ "thinking":{"type":"enabled","budget_tokens":2048} """),
            (Gemini, """ "generationConfig":{"thinkingConfig":{"thinkingBudget":2048,"includeThoughts":true}} """),
            (Converse, """ "inferenceConfig":{"maxTokens":4096},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2048}} """),
            (Ollama, "\"think\":true"), (Cohere, """ "thinking":{"type":"enabled","token_budget":2048} """))),
        ("a cache mark", Of(
            (Messages, """{"model":"m","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"Hello","cache_control":{"type":"ephemeral"}}]}]}"""),
            (Converse, """{"messages":[{"role":"user","content":[{"text":"Hello"},{"cachePoint":{"type":"default"}}]}]}"""))),
        ("temperature", Of(
            (Chat, "\"temperature\":0.5"), (Responses, "\"temperature\":0.5"), (Messages, "\"temperature\":0.5"), (Gemini, """ "generationConfig":{"temperature":0.5} """),
            (Converse, """ "inferenceConfig":{"temperature":0.5} """), (Ollama, """ "options":{"temperature":0.5} """), (Cohere, "\"temperature\":0.5"))),
        ("top_p", Of(
            (Chat, "\"top_p\":0.5"), (Responses, "\"top_p\":0.5"), (Messages, "\"top_p\":0.5"), (Gemini, """ "generationConfig":{"topP":0.5} """),
            (Converse, """ "inferenceConfig":{"topP":0.5} """), (Ollama, """ "options":{"top_p":0.5} """), (Cohere, "\"p\":0.5"))),
        ("top_k", Of((Messages, "\"top_k\":5"), (Gemini, """ "generationConfig":{"topK":5} """), (Ollama, """ "options":{"top_k":5} """), (Cohere, "\"k\":5"))),
        ("seed", Of((Chat, "\"seed\":7"), (Gemini, """ "generationConfig":{"seed":7} """), (Ollama, """ "options":{"seed":7} """), (Cohere, "\"seed\":7"))),
        ("penalties", Of(
            (Chat, "\"presence_penalty\":0.5,\"frequency_penalty\":0.5"), (Gemini, """ "generationConfig":{"presencePenalty":0.5,"frequencyPenalty":0.5} """),
            (Ollama, """ "options":{"presence_penalty":0.5,"frequency_penalty":0.5} """), (Cohere, "\"presence_penalty\":0.5,\"frequency_penalty\":0.5"))),
        ("stop sequences", Of(
            (Chat, """ "stop":["END"] """), (Messages, """ "stop_sequences":["END"] """), (Gemini, """ "generationConfig":{"stopSequences":["END"]} """),
            (Converse, """ "inferenceConfig":{"stopSequences":["END"]} """), (Ollama, """ "options":{"stop":["END"]} """), (Cohere, """ "stop_sequences":["END"] """))),
        ("several answers", Of((Chat, "\"n\":2"), (Gemini, """ "generationConfig":{"candidateCount":2} """))),
        ("log probabilities", Of((Chat, "\"logprobs\":true,\"top_logprobs\":2"), (Gemini, """ "generationConfig":{"responseLogprobs":true,"logprobs":2} """), (Cohere, "\"logprobs\":true"))),
        ("the end user's id", Of((Chat, "\"safety_identifier\":\"u1\""), (Responses, "\"safety_identifier\":\"u1\""), (Messages, """ "metadata":{"user_id":"u1"} """))),
        ("a tool that the vendor runs", Of(
            (Chat, """ "web_search_options":{} """), (Responses, """ "tools":[{"type":"web_search"}] """), (Messages, """ "tools":[{"type":"web_search_20250305","name":"web_search"}] """),
            (Gemini, """ "tools":[{"googleSearch":{}}] """))),
    ];

    private static Dictionary<string, string> Of(params ReadOnlySpan<(string Protocol, string Body)> bodies)
    {
        Dictionary<string, string> all = [];
        foreach ((string protocol, string body) in bodies)
        {
            string trimmed = body.Trim().Replace("@PNG@", Png, StringComparison.Ordinal).Replace("@PDF@", Pdf, StringComparison.Ordinal).Replace("@SCHEMA@", Schema, StringComparison.Ordinal);
            all[protocol] = trimmed.StartsWith('{') ? trimmed : Plain[protocol][..^1] + (trimmed.Length == 0 ? "" : "," + trimmed) + "}";
        }

        return all;
    }

    private static string User(string part) => $$"""{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Look"},{{part}}]}]}""";

    private static string UserOfMessages(string part) => $$"""{"model":"m","max_tokens":4096,"messages":[{"role":"user","content":[{{part}}]}]}""";
}
