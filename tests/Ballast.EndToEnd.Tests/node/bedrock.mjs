// npm `@aws-sdk/client-bedrock-runtime` and `@anthropic-ai/bedrock-sdk`, with a Bedrock API key. Answers and streams go over HTTP/1.1: only Bedrock's streams in
// both directions need HTTP/2.
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand, InvokeModelCommand, InvokeModelWithResponseStreamCommand } from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk';
import {
  assert, run, errorOf, exactText, exactPrompt, countPrompt, counted, longPrompt, weather, checkWeatherArguments, png,
} from './suite.mjs';

function clientOf(target, { key = target.key, url = target.url } = {}) {
  return new BedrockRuntimeClient({
    region: 'eu-west-1', endpoint: url, token: { token: key }, authSchemePreference: ['httpBearerAuth'], maxAttempts: 1, requestHandler: new NodeHttpHandler(),
  });
}

const user = (...content) => ({ role: 'user', content: content.map(one => typeof one === 'string' ? { text: one } : one) });
const toolConfig = { tools: [{ toolSpec: { name: weather.name, description: weather.description, inputSchema: { json: weather.schema } } }] };
const textOf = message => message.content.map(block => block.text ?? '').join('');
const send = (target, input) => clientOf(target).send(new ConverseCommand({ modelId: target.model, inferenceConfig: { maxTokens: 500 }, ...input }));

async function streamed(target, input) {
  const { stream } = await clientOf(target).send(new ConverseStreamCommand({ modelId: target.model, inferenceConfig: { maxTokens: 500 }, ...input }));
  const seen = { names: [], text: '', pieces: 0, calls: new Map() };
  for await (const event of stream) {
    const [name, value] = Object.entries(event)[0];
    seen.names.push(name);
    if (value.start?.toolUse) seen.calls.set(value.contentBlockIndex, { ...value.start.toolUse, input: '' });
    if (value.delta?.toolUse) seen.calls.get(value.contentBlockIndex).input += value.delta.toolUse.input;
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
  assert.equal(error.name, 'UnrecognizedClientException');
  assert.equal(error.$metadata.httpStatusCode, 403);
}

async function unknown_model(target) {
  const error = await errorOf(() => clientOf(target).send(new ConverseCommand({ modelId: 'no-such/model', messages: [user('Hi')] })));
  assert.equal(error.name, 'ResourceNotFoundException');
  assert.equal(error.$metadata.httpStatusCode, 404);
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

const claudeOf = target => new AnthropicBedrock({ baseURL: target.url, apiKey: target.key, awsRegion: 'eu-west-1', maxRetries: 0 });

async function claude_sdk(target) {
  const answer = await claudeOf(target).messages.create({ model: target.model, max_tokens: 500, messages: [{ role: 'user', content: exactPrompt }] });
  assert.equal(answer.content.map(block => block.text ?? '').join(''), exactText);
  const events = await claudeOf(target).messages.create({ model: target.model, max_tokens: 500, messages: [{ role: 'user', content: countPrompt }], stream: true });
  let content = '';
  for await (const event of events) content += event.delta?.text ?? '';
  assert.equal(content, counted);
}

await run({ text, stream, tools, parallel_tools, max_tokens, image, wrong_key, unknown_model, invalid, invoke, invoke_stream, claude_sdk });
