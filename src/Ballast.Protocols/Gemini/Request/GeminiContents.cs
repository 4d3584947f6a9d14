using System.Text;
using System.Text.Json;
using Ballast.Protocols.Conversation;

namespace Ballast.Protocols.Gemini;

/// <summary>Reads turns and their parts. A signature that Google issued becomes a part of its own before the part on which it stood, and knows its place.</summary>
internal sealed class GeminiContents
{
    private readonly GeminiCallIds _ids = new();

    public List<Message> Read(ref GeminiCursor json, string at)
    {
        // Vertex AI's own examples give a single content bare.
        if (json.Token == JsonTokenType.StartObject)
        {
            return [ReadContent(ref json, at)];
        }

        json.Expect(JsonTokenType.StartArray, "an array", at);
        List<Message> messages = [];
        while (json.NextItem())
        {
            messages.Add(ReadContent(ref json, GeminiCursor.Below(at, messages.Count)));
        }

        return messages;
    }

    /// <summary>System text: a content, a bare part, or a string, as libraries write it.</summary>
    public static Message ReadSystem(ref GeminiCursor json, string at)
    {
        if (json.Token == JsonTokenType.String)
        {
            return new Message(Role.System, [new TextPart(json.Text(at), at)], at);
        }

        // Its role says nothing.
        return new GeminiContents().ReadContent(ref json, at) with { Role = Role.System };
    }

    private Message ReadContent(ref GeminiCursor json, string at)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        Turn turn = new();
        Role role = Role.User;
        List<Extra> extras = [];
        while (json.NextProperty(out string name))
        {
            switch (name)
            {
                case "role" when !json.IsNull:
                    string word = json.Text(GeminiCursor.Below(at, json.Written));
                    role = word switch
                    {
                        "user" or "function" or "" => Role.User,
                        "model" => Role.Assistant,
                        // Refused by the API; kept here, since some libraries write it and newer servers may take it.
                        "system" => Role.System,
                        _ => throw GeminiCursor.Fault($"{at}/role", "must be user or model"),
                    };
                    break;
                case "parts" when !json.IsNull:
                    string parts = GeminiCursor.Below(at, json.Written);
                    if (json.Token == JsonTokenType.StartObject)
                    {
                        ReadPart(ref json, parts, turn);
                        break;
                    }

                    json.Expect(JsonTokenType.StartArray, "an array", parts);
                    for (int i = 0; json.NextItem(); i++)
                    {
                        ReadPart(ref json, GeminiCursor.Below(parts, i), turn);
                    }

                    break;
                case not null when json.IsNull:
                    json.Skip();
                    break;
                default:
                    extras.Add(json.TakeExtra(at));
                    break;
            }
        }

        return new Message(role, turn.Parts, at) { Extras = extras };
    }

    private void ReadPart(ref GeminiCursor json, string at, Turn turn)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        GeminiCursor whole = json;
        Fields fields = new();
        while (json.NextProperty(out string name))
        {
            string here = GeminiCursor.Below(at, json.Written);
            switch (name)
            {
                case not null when json.IsNull:
                    json.Skip();
                    break;
                case "text":
                    fields.Part = new TextPart(json.Text(here), at);
                    break;
                case "thought":
                    fields.IsThought = json.Flag(here);
                    break;
                case "thoughtSignature":
                    fields.Signature = new Setting<string>(json.Text(here), here);
                    break;
                case "inlineData":
                    fields.Part = GeminiMedia.ReadInline(ref json, here, at, fields.Extras);
                    break;
                case "fileData":
                    fields.Part = GeminiMedia.ReadFile(ref json, here, at, fields.Extras);
                    break;
                case "functionCall":
                    fields.Part = ReadCall(ref json, here, at, fields.Extras);
                    break;
                case "functionResponse":
                    fields.Part = ReadResult(ref json, here, at, fields.Extras);
                    break;
                case "executableCode" or "codeExecutionResult" or "toolCall" or "toolResponse":
                    fields.OpaqueType = json.Written;
                    json.Skip();
                    break;
                default:
                    fields.Extras.Add(json.TakeExtra(at));
                    break;
            }
        }

        if (fields.OpaqueType is not null || fields.Part is null)
        {
            turn.Parts.Add(new OpaquePart(fields.OpaqueType ?? "unknown", whole.Take(), at));
            return;
        }

        turn.Add(fields.Part with { Extras = fields.Extras }, fields.IsThought, fields.Signature);
    }

    private ToolCallPart ReadCall(ref GeminiCursor json, string at, string part, List<Extra> extras)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        string? id = null;
        string? called = null;
        string arguments = "{}";
        while (json.NextProperty(out string name))
        {
            string here = GeminiCursor.Below(at, json.Written);
            switch (name)
            {
                case not null when json.IsNull:
                    json.Skip();
                    break;
                case "id":
                    id = json.Text(here);
                    break;
                case "name":
                    called = json.Text(here);
                    break;
                case "args":
                    json.Expect(JsonTokenType.StartObject, "an object", here);
                    arguments = json.Take().ToString();
                    break;
                default:
                    extras.Add(json.TakeExtra(at));
                    break;
            }
        }

        return new ToolCallPart(_ids.OfCall(id, called ?? ""), called ?? throw GeminiCursor.Fault($"{at}/name", "is required"), arguments, part);
    }

    private ToolResultPart ReadResult(ref GeminiCursor json, string at, string part, List<Extra> extras)
    {
        json.Expect(JsonTokenType.StartObject, "an object", at);
        string? id = null;
        string called = "";
        string nameAt = "";
        List<Part> content = [];
        List<Part> media = [];
        RawJson response = default;
        bool isError = false;
        while (json.NextProperty(out string name))
        {
            string here = GeminiCursor.Below(at, json.Written);
            switch (name)
            {
                case not null when json.IsNull:
                    json.Skip();
                    break;
                case "id":
                    id = json.Text(here);
                    break;
                case "name":
                    called = json.Text(here);
                    nameAt = here;
                    break;
                case "response":
                    json.Expect(JsonTokenType.StartObject, "an object", here);
                    response = json.Take();
                    content.Add(new TextPart(GeminiResults.Read(response, out isError), here));
                    break;
                case "parts" when json.Token == JsonTokenType.StartArray:
                    ReadMedia(ref json, here, media);
                    break;
                default:
                    extras.Add(json.TakeExtra(at));
                    break;
            }
        }

        content.AddRange(media);
        string known = _ids.OfResult(id, called, out string? callee);
        if (called.Length > 0 && called != callee)
        {
            // Elsewhere a result has its call's name.
            extras.Add(new Extra("name", nameAt, RawJson.OfText(called)) { IsSaid = true });
        }

        return new ToolResultPart(known, content, part) { IsError = isError, Name = called, OwnResult = response, Extras = extras };
    }

    private void ReadMedia(ref GeminiCursor json, string at, List<Part> media)
    {
        Turn turn = new();
        for (int i = 0; json.NextItem(); i++)
        {
            ReadPart(ref json, GeminiCursor.Below(at, i), turn);
        }

        media.AddRange(turn.Parts);
    }

    /// <summary>What is known of a part.</summary>
    private sealed class Fields
    {
        public Part? Part { get; set; }
        public bool IsThought { get; set; }
        public Setting<string>? Signature { get; set; }
        public string? OpaqueType { get; set; }
        public List<Extra> Extras { get; } = [];
    }

    /// <summary>The parts of one turn in order.</summary>
    private sealed class Turn
    {
        private readonly StringBuilder _thought = new();
        private int _calls;
        private int _textLength;

        public List<Part> Parts { get; } = [];

        public void Add(Part part, bool isThought, Setting<string>? signature)
        {
            if (isThought && part is TextPart thought)
            {
                AddThought(thought, signature);
                return;
            }

            SignaturePlace place = part is ToolCallPart ? SignaturePlace.OfCall(_calls)
                : SignaturePlace.OfText(_calls, _textLength, part is TextPart { Text: var text } ? text.Length : 0);
            bool isOwn = signature is not null && !GeminiSignatures.TryUnwrap(signature.Value, out _, out _, out _);
            // An empty text is there for its signature alone.
            bool isEmpty = isOwn && part is TextPart { Text.Length: 0 };
            if (isOwn)
            {
                Parts.Add(new RedactedThinkingPart(place.Join(signature!.Value), GeminiSignatures.NativeIssuer, isEmpty ? part.Pointer : signature.Pointer)
                {
                    Extras = isEmpty ? part.Extras : [],
                });
            }

            _calls += part is ToolCallPart ? 1 : 0;
            _textLength += place.Length;
            if (!isEmpty)
            {
                Parts.Add(part);
            }
        }

        // Another vendor's reasoning was sent in pieces, its signature behind the last: it can go back only as one.
        private void AddThought(TextPart thought, Setting<string>? signature)
        {
            if (signature is null || !GeminiSignatures.TryUnwrap(signature.Value, out string issuer, out string? foreign, out bool isRedacted))
            {
                Parts.Add(new ThinkingPart(thought.Text, thought.Pointer)
                {
                    Signature = signature?.Value,
                    Issuer = signature is null ? null : GeminiSignatures.NativeIssuer,
                    Extras = thought.Extras,
                });
                return;
            }

            if (isRedacted)
            {
                Parts.Add(new RedactedThinkingPart(foreign ?? "", issuer, thought.Pointer) { Extras = thought.Extras });
                return;
            }

            int first = Parts.Count;
            while (first > 0 && Parts[first - 1] is ThinkingPart { Issuer: null })
            {
                first--;
            }

            _thought.Clear();
            List<Extra> extras = [];
            // A thought in several parts has its place in all of them.
            string pointer = first < Parts.Count ? thought.Pointer[..thought.Pointer.LastIndexOf('/')] : thought.Pointer;
            foreach (ThinkingPart piece in Parts.Skip(first).OfType<ThinkingPart>())
            {
                _thought.Append(piece.Text);
                extras.AddRange(piece.Extras);
            }

            extras.AddRange(thought.Extras);
            Parts.RemoveRange(first, Parts.Count - first);
            Parts.Add(new ThinkingPart(_thought.Append(thought.Text).ToString(), pointer) { Signature = foreign, Issuer = issuer, Extras = extras });
        }
    }
}
