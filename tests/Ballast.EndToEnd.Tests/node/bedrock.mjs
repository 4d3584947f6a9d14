// npm `@aws-sdk/client-bedrock-runtime` and `@anthropic-ai/bedrock-sdk`, with a Bedrock API key or signed (`aws`), over HTTP/1.1 or with the SDK's own handler, which
// speaks HTTP/2 and nothing else (`http2`).
import {
  BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand, CountTokensCommand, InvokeModelCommand, InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk';
import {
  assert, run, errorOf, exactText, exactPrompt, countPrompt, counted, longPrompt, weather, checkWeatherArguments, png, errorKinds, assertFree, slow,
  checkDocument, note, lastId, lastLosses,
} from './suite.mjs';

const region = 'eu-west-1';

function clientOf(target, { key = target.key, url = target.url, credentials = target.aws ?? undefined, scope = region, maxAttempts = 1, clock } = {}) {
  const identity = credentials
    ? { credentials, authSchemePreference: ['sigv4'] }
    : { token: { token: key }, authSchemePreference: ['httpBearerAuth'] };
  const handler = target.http2 ? {} : { requestHandler: new NodeHttpHandler() };
  const client = new BedrockRuntimeClient({ region: scope, endpoint: url, maxAttempts, ...identity, ...handler, ...(clock ? { systemClockOffset: clock } : {}) });
  client.middlewareStack.add(next => async request => {
    const answer = await next(request);
    note(name => answer.response.headers[name] ?? null);
    return answer;
  }, { step: 'deserialize', priority: 'low' });
  return client;
}

const user = (...content) => ({ role: 'user', content: content.map(one => typeof one === 'string' ? { text: one } : one) });
const toolConfig = { tools: [{ toolSpec: { name: weather.name, description: weather.description, inputSchema: { json: weather.schema } } }] };
const textOf = message => message.content.map(block => block.text ?? '').join('');
const send = (target, input) => clientOf(target).send(new ConverseCommand({ modelId: target.model, inferenceConfig: { maxTokens: 500 }, ...input }));

async function streamed(target, input) {
  const { stream } = await clientOf(target).send(new ConverseStreamCommand({ modelId: target.model, inferenceConfig: { maxTokens: 500 }, ...input }));
  const seen = { names: [], text: '', thought: '', pieces: 0, calls: new Map() };
  for await (const event of stream) {
    const [name, value] = Object.entries(event)[0];
    seen.names.push(name);
    if (value.start?.toolUse) seen.calls.set(value.contentBlockIndex, { ...value.start.toolUse, input: '' });
    if (value.delta?.toolUse) seen.calls.get(value.contentBlockIndex).input += value.delta.toolUse.input;
    if (value.delta?.reasoningContent?.text) seen.thought += value.delta.reasoningContent.text;
    if (value.delta?.reasoningContent?.signature) seen.signature = value.delta.reasoningContent.signature;
    if (value.delta?.text) { seen.text += value.delta.text; seen.pieces++; }
    if (name === 'messageStop') seen.stop = value.stopReason;
    if (name === 'metadata') seen.usage = value.usage;
  }
  return seen;
}

async function text(target) {
  const answer = await send(target, { system: [{ text: 'You are terse.' }], messages: [user(exactPrompt)] });
  assert.equal(answer.output.message.role, 'assistant');
  assert.equal(textOf(answer.output.message), exactText);
  assert.equal(answer.stopReason, 'end_turn');
  assert.ok(answer.usage.inputTokens > 5 && answer.usage.outputTokens > 2, JSON.stringify(answer.usage));
  assert.equal(answer.usage.totalTokens, answer.usage.inputTokens + answer.usage.outputTokens + (answer.usage.cacheReadInputTokens ?? 0) + (answer.usage.cacheWriteInputTokens ?? 0));
  assert.ok(answer.$metadata.requestId, 'no request id');
  return { request_id: answer.$metadata.requestId };
}

async function stream(target) {
  const seen = await streamed(target, { messages: [user(countPrompt)] });
  assert.equal(seen.text, counted);
  assert.ok(seen.pieces > 5, `only ${seen.pieces} pieces`);
  assert.equal(seen.names[0], 'messageStart');
  assert.deepEqual(seen.names.slice(-2), ['messageStop', 'metadata']);
  assert.equal(seen.stop, 'end_turn');
  assert.ok(seen.usage.outputTokens > 20, JSON.stringify(seen.usage));
}

async function tools(target) {
  const messages = [user('What is the weather in Paris right now?')];
  const first = await send(target, { messages, toolConfig });
  assert.equal(first.stopReason, 'tool_use');
  const { toolUse } = first.output.message.content.find(block => block.toolUse);
  assert.equal(toolUse.name, weather.name);
  checkWeatherArguments(toolUse.input, 'Paris');
  messages.push(first.output.message, user({ toolResult: { toolUseId: toolUse.toolUseId, content: [{ text: 'Sunny, 21 degrees.' }] } }));
  const second = await send(target, { messages, toolConfig });
  assert.equal(second.stopReason, 'end_turn');
  assert.match(textOf(second.output.message), /21/);
}

async function parallel_tools(target) {
  const seen = await streamed(target, { messages: [user('Compare the weather in Paris and London.')], toolConfig: { ...toolConfig, toolChoice: { any: {} } } });
  assert.equal(seen.stop, 'tool_use');
  const calls = [...seen.calls.values()];
  assert.equal(calls.length, 2);
  assert.equal(new Set(calls.map(call => call.toolUseId)).size, 2);
  calls.forEach((call, i) => checkWeatherArguments(JSON.parse(call.input), ['Paris', 'London'][i]));
}

async function system_and_turns(target) {
  const messages = [user('My name is Ada.'), { role: 'assistant', content: [{ text: 'Hello Ada.' }] }, user('What is my name?')];
  assert.match(textOf((await send(target, { system: [{ text: 'Be brief.' }], messages })).output.message), /Ada/);
}

async function structured(target) {
  const schema = JSON.stringify({ type: 'object', properties: { name: { type: 'string' }, masts: { type: 'integer' } }, required: ['name', 'masts'], additionalProperties: false });
  const answer = await send(target, {
    messages: [user('Describe a sailing ship.')], outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema: { name: 'ship', schema } } } },
  });
  const ship = JSON.parse(textOf(answer.output.message));
  assert.equal(typeof ship.name, 'string');
  assert.ok(Number.isInteger(ship.masts));
}

async function document(target) {
  const bytes = Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF');
  const ask = () => send(target, { messages: [user('Summarise this.', { document: { format: 'pdf', name: 'charter party', source: { bytes } } })] });
  await checkDocument(target, ask, answer => textOf(answer.output.message), /\/messages\/0\/content\/1/);
}

const thinking = { thinking: { type: 'enabled', budget_tokens: 1024 } };

// Two turns with a tool between them: the signature goes back as it came, whole and streamed; one that was changed is refused.
async function thinking_tools(target) {
  const ask = { toolConfig, additionalModelRequestFields: thinking, inferenceConfig: { maxTokens: 3000 } };
  const messages = [user('What is the weather in Paris right now?')];
  // What a model does not know of its own protocol is refused by whoever serves it: the bytes go on as they are.
  if (target.lacks.includes('reasoning')) {
    assert.match((await errorOf(() => send(target, { messages, ...ask }))).message, /extraneous key \[thinking\]/);
    return;
  }
  const first = await send(target, { messages, ...ask });
  if (target.gateway && target.lacks.includes('foreign reasoning')) assert.match(lastLosses(), /\/additionalModelRequestFields\/thinking/);
  const thought = first.output.message.content[0].reasoningContent?.reasoningText;
  if (target.thinks) assert.ok(thought?.text.length > 10 && thought.signature.length > 10, JSON.stringify(first.output.message.content));
  const { toolUse } = first.output.message.content.find(block => block.toolUse);
  messages.push(first.output.message, user({ toolResult: { toolUseId: toolUse.toolUseId, content: [{ text: 'Sunny, 21 degrees.' }] } }));
  const second = await streamed(target, { messages, ...ask });
  assert.match(second.text, /21/);
  if (!target.thinks) return;
  const changed = structuredClone(first.output.message);
  changed.content[0].reasoningContent.reasoningText.text += ' Or so.';
  const error = await errorOf(() => send(target, { messages: [messages[0], changed, messages[2]], ...ask }));
  assert.equal(error.name, 'ValidationException');
  assert.match(error.message, /signature/);
}

async function streamed_thinking(target) {
  const seen = await streamed(target, { messages: [user('Why do ships carry ballast?')], additionalModelRequestFields: thinking, inferenceConfig: { maxTokens: 3000 } });
  assert.ok(seen.thought.length > 10 && seen.signature.length > 10, JSON.stringify(seen));
  assert.ok(seen.text.length > 10);
}

async function cache(target) {
  const system = [{ text: 'Ballast keeps a ship upright. '.repeat(400) }, { cachePoint: { type: 'default' } }];
  const ask = () => send(target, { system, messages: [user(exactPrompt)] });
  const all = usage => usage.inputTokens + usage.cacheReadInputTokens + usage.cacheWriteInputTokens;
  const first = await ask();
  const second = await ask();
  assert.ok(second.usage.cacheReadInputTokens > 1000, JSON.stringify(second.usage));
  assert.equal(all(first.usage), all(second.usage));
}

async function count(target) {
  const answer = await clientOf(target).send(new CountTokensCommand({ modelId: target.model, input: { converse: { messages: [user('How many tokens are these?')] } } }));
  assert.ok(answer.inputTokens > 4 && answer.inputTokens < 60, String(answer.inputTokens));
}

async function invoke_count(target) {
  const body = new TextEncoder().encode(JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 5, messages: [{ role: 'user', content: 'How many tokens are these?' }] }));
  const answer = await clientOf(target).send(new CountTokensCommand({ modelId: target.model, input: { invokeModel: { body } } }));
  assert.ok(answer.inputTokens > 4 && answer.inputTokens < 60, String(answer.inputTokens));
  const refused = await errorOf(() => clientOf(target).send(new CountTokensCommand({ modelId: target.model, input: { invokeModel: { body: new TextEncoder().encode('no JSON') } } })));
  assert.equal(refused.name, 'ValidationException');
}

async function abort(target) {
  const controller = new AbortController();
  const { stream, $metadata } = await clientOf(slow(target)).send(
    new ConverseStreamCommand({ modelId: target.slowModel, messages: [user(longPrompt)], inferenceConfig: { maxTokens: 4000 } }), { abortSignal: controller.signal });
  let pieces = 0;
  await errorOf(async () => {
    for await (const event of stream) if (event.contentBlockDelta && ++pieces === 3) controller.abort();
    throw new Error('the stream went on to its end');
  });
  assert.ok(pieces >= 3 && pieces < 300, `${pieces} pieces`);
  const seenAs = lastId() ?? $metadata.requestId;
  await assertFree(target, text);
  return { id: seenAs };
}

const names = {
  400: 'ValidationException', 403: 'AccessDeniedException', 404: 'ResourceNotFoundException', 429: 'ThrottlingException', 500: 'InternalServerException', 503: 'ServiceUnavailableException',
};

const error_kinds = target => errorKinds(target, {
  ask: at => clientOf(at, { ...at, credentials: at.aws ?? undefined }).send(
    new ConverseCommand({ modelId: at.model, messages: at.wrong ? [{ role: 'nobody', content: [{ text: 'Hi' }] }] : [user(at.prompt)] })),
  streamed: async at => {
    const { stream } = await clientOf(at, { ...at, credentials: at.aws ?? undefined }).send(new ConverseStreamCommand({ modelId: at.model, messages: [user(at.prompt)] }));
    for await (const event of stream) void event;
  },
  look: error => ({ status: error.$metadata?.httpStatusCode, id: error.$metadata?.requestId, wait: error.$response?.headers['retry-after'] }),
  classOf: (status, kind) => kind === 'key' ? (target.aws ? 'InvalidSignatureException' : target.gateway ? 'UnrecognizedClientException' : 'AccessDeniedException')
    : kind === 'stream' ? ['InternalServerException', 'ServiceUnavailableException', 'ModelStreamErrorException']
    : kind === 'large' ? (target.gateway ? 'ValidationException' : 'BedrockRuntimeServiceException')
    : kind === 'overloaded' && !target.gateway ? 'ModelNotReadyException' : names[status],
  statuses: { key: 403, unknown: target.gateway ? 404 : 400 },
});

// Signed requests: what AWS refuses is refused, in its words.
async function signatures(target) {
  const ask = options => errorOf(() => clientOf(target, options).send(new ConverseCommand({ modelId: target.model, messages: [user('Hi')] })));
  const wrongSecret = await ask({ credentials: { ...target.aws, secretAccessKey: 'not the secret' } });
  assert.equal(wrongSecret.name, 'InvalidSignatureException');
  assert.match(wrongSecret.message, /does not match the signature you provided/);
  assert.equal(wrongSecret.$metadata.httpStatusCode, 403);
  assert.equal((await ask({ credentials: { ...target.aws, accessKeyId: 'AKIANOBODYKNOWSIT000' } })).name, 'UnrecognizedClientException');
  assert.match((await ask({ scope: 'us-east-1' })).message, /scoped to a valid region/);
  assert.equal((await ask({ credentials: { ...target.aws, sessionToken: 'not of this key' } })).name, 'UnrecognizedClientException');
}

// The SDK's clock is an hour off: it learns the time from the refusal and asks again.
async function skewed_clock(target) {
  const answer = await clientOf(target, { clock: -3_600_000, maxAttempts: 2 }).send(new ConverseCommand({ modelId: target.model, messages: [user(exactPrompt)] }));
  assert.equal(textOf(answer.output.message), exactText);
  assert.equal(answer.$metadata.attempts, 2);
}

async function max_tokens(target) {
  const answer = await send(target, { messages: [user(longPrompt)], inferenceConfig: { maxTokens: 20 } });
  assert.equal(answer.stopReason, 'max_tokens');
}

async function image(target) {
  const bytes = png(7, 5);
  const answer = await send(target, { messages: [user('Describe this picture.', { image: { format: 'png', source: { bytes } } })] });
  assert.ok(textOf(answer.output.message).length > 0);
}

async function wrong_key(target) {
  const error = await errorOf(() => clientOf(target, { key: 'wrong' }).send(new ConverseCommand({ modelId: target.model, messages: [user('Hi')] })));
  assert.equal(error.name, target.gateway ? 'UnrecognizedClientException' : 'AccessDeniedException');
  assert.equal(error.$metadata.httpStatusCode, 403);
}

async function unknown_model(target) {
  const error = await errorOf(() => clientOf(target).send(new ConverseCommand({ modelId: 'no-such/model', messages: [user('Hi')] })));
  assert.equal(error.name, target.gateway ? 'ResourceNotFoundException' : 'ValidationException');
  assert.equal(error.$metadata.httpStatusCode, target.gateway ? 404 : 400);
}

async function invalid(target) {
  const error = await errorOf(() => clientOf(target).send(new ConverseStreamCommand({ modelId: target.model, messages: [{ role: 'nobody', content: [{ text: 'Hi' }] }] })));
  assert.equal(error.name, 'ValidationException');
  assert.match(error.message, /role/);
}

const body = (content, more) => JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 500, messages: [{ role: 'user', content }], ...more });

async function invoke(target) {
  const answer = await clientOf(target).send(new InvokeModelCommand({ modelId: target.model, contentType: 'application/json', body: body(exactPrompt) }));
  const message = JSON.parse(Buffer.from(answer.body).toString());
  assert.equal(message.content.map(block => block.text ?? '').join(''), exactText);
  assert.equal(message.stop_reason, 'end_turn');
}

async function invoke_stream(target) {
  const answer = await clientOf(target).send(new InvokeModelWithResponseStreamCommand({ modelId: target.model, contentType: 'application/json', body: body(countPrompt) }));
  const events = [];
  for await (const event of answer.body) events.push(JSON.parse(Buffer.from(event.chunk.bytes).toString()));
  assert.equal(events[0].type, 'message_start');
  assert.equal(events.at(-1).type, 'message_stop');
  assert.equal(events.map(event => event.delta?.text ?? '').join(''), counted);
}

const claudeOf = target => new AnthropicBedrock({
  baseURL: target.url, awsRegion: region, maxRetries: 0,
  ...(target.aws ? { awsAccessKey: target.aws.accessKeyId, awsSecretKey: target.aws.secretAccessKey, awsSessionToken: target.aws.sessionToken ?? null } : { apiKey: target.key }),
});

async function claude_sdk_thinking(target) {
  const tool = { name: weather.name, description: weather.description, input_schema: weather.schema };
  const messages = [{ role: 'user', content: 'What is the weather in Paris right now?' }];
  const ask = { model: target.model, max_tokens: 3000, tools: [tool], thinking: { type: 'enabled', budget_tokens: 1024 } };
  const first = await claudeOf(target).messages.create({ ...ask, messages });
  assert.ok(first.content[0].signature?.length > 10, JSON.stringify(first.content));
  const call = first.content.find(block => block.type === 'tool_use');
  messages.push({ role: 'assistant', content: first.content }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'Sunny at 21 degrees' }] });
  const second = await claudeOf(target).messages.create({ ...ask, messages });
  assert.match(second.content.map(block => block.text ?? '').join(''), /Sunny at 21/);
}

async function claude_sdk(target) {
  const answer = await claudeOf(target).messages.create({ model: target.model, max_tokens: 500, messages: [{ role: 'user', content: exactPrompt }] });
  assert.equal(answer.content.map(block => block.text ?? '').join(''), exactText);
  const events = await claudeOf(target).messages.create({ model: target.model, max_tokens: 500, messages: [{ role: 'user', content: countPrompt }], stream: true });
  let content = '';
  for await (const event of events) content += event.delta?.text ?? '';
  assert.equal(content, counted);
}

await run({
  error_kinds, system_and_turns, structured, document, thinking_tools, streamed_thinking, cache, count, invoke_count, abort, signatures, skewed_clock, claude_sdk_thinking, text, stream, tools, parallel_tools, max_tokens, image, wrong_key, unknown_model, invalid, invoke, invoke_stream, claude_sdk,
});
