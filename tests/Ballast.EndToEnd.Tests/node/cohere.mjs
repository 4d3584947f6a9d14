// npm `cohere-ai`, version 2 of the API.
import { CohereClientV2, CohereError } from 'cohere-ai';
import { assert, run, errorOf, exactText, exactPrompt, countPrompt, counted, longPrompt, weather, checkWeatherArguments, png } from './suite.mjs';

const clientOf = (target, { key = target.key, url = target.url, fetch } = {}) =>
  new CohereClientV2({ token: key, environment: url, maxRetries: 0, ...(fetch ? { fetch } : {}) });
const user = content => ({ role: 'user', content });
const tool = { type: 'function', function: { name: weather.name, description: weather.description, parameters: weather.schema } };
const textOf = message => (message.content ?? []).filter(part => part.type === 'text').map(part => part.text).join('');

async function text(target) {
  const answer = await clientOf(target).chat({ model: target.model, messages: [{ role: 'system', content: 'You are terse.' }, user(exactPrompt)] });
  assert.equal(answer.message.role, 'assistant');
  assert.equal(textOf(answer.message), exactText);
  assert.equal(answer.finishReason, 'COMPLETE');
  assert.ok(answer.usage.billedUnits.inputTokens > 5 && answer.usage.billedUnits.outputTokens > 2, JSON.stringify(answer.usage));
  assert.ok(answer.id);
}

async function stream(target) {
  let content = '';
  let pieces = 0;
  const types = [];
  let end;
  for await (const event of await clientOf(target).chatStream({ model: target.model, messages: [user(countPrompt)] })) {
    types.push(event.type);
    if (event.type === 'content-delta') {
      content += event.delta.message.content.text ?? '';
      pieces++;
    }
    if (event.type === 'message-end') end = event;
  }
  assert.equal(content, counted);
  assert.ok(pieces > 5, `only ${pieces} pieces`);
  assert.deepEqual([types[0], types[1], types.at(-2), types.at(-1)], ['message-start', 'content-start', 'content-end', 'message-end']);
  assert.equal(end.delta.finishReason, 'COMPLETE');
  assert.ok(end.delta.usage.billedUnits.outputTokens > 20, JSON.stringify(end.delta));
}

async function tools(target) {
  const client = clientOf(target);
  const messages = [user('What is the weather in Paris right now?')];
  const first = await client.chat({ model: target.model, messages, tools: [tool] });
  assert.equal(first.finishReason, 'TOOL_CALL');
  const [call] = first.message.toolCalls;
  checkWeatherArguments(JSON.parse(call.function.arguments), 'Paris');
  const second = await client.chat({
    model: target.model, tools: [tool], messages: [...messages, first.message, { role: 'tool', toolCallId: call.id, content: 'Sunny at 21 degrees' }],
  });
  assert.match(textOf(second.message), /Sunny at 21 degrees/);
}

async function parallel_tools(target) {
  const client = clientOf(target);
  const messages = [user('Compare the weather in Paris and London.')];
  const calls = [];
  for await (const event of await client.chatStream({ model: target.model, messages, tools: [tool], toolChoice: 'REQUIRED' })) {
    if (event.type === 'tool-call-start') calls[event.index] = structuredClone(event.delta.message.toolCalls);
    if (event.type === 'tool-call-delta') calls[event.index].function.arguments += event.delta.message.toolCalls.function.arguments;
  }
  assert.equal(calls.length, 2, JSON.stringify(calls));
  assert.equal(new Set(calls.map(call => call.id)).size, 2);
  checkWeatherArguments(JSON.parse(calls[0].function.arguments), 'Paris');
  checkWeatherArguments(JSON.parse(calls[1].function.arguments), 'London');
  const answer = await client.chat({
    model: target.model, tools: [tool],
    messages: [
      ...messages, { role: 'assistant', toolCalls: calls },
      ...calls.map((call, i) => ({ role: 'tool', toolCallId: call.id, content: ['Rain in the first', 'Fog in the second'][i] })),
    ],
  });
  assert.match(textOf(answer.message), /Rain in the first.*Fog in the second/s);
}

async function structured(target) {
  const jsonSchema = {
    type: 'object', properties: { name: { type: 'string' }, masts: { type: 'integer' } }, required: ['name', 'masts'], additionalProperties: false,
  };
  const answer = await clientOf(target).chat({ model: target.model, messages: [user('Describe a sailing ship as JSON.')], responseFormat: { type: 'json_object', jsonSchema } });
  const ship = JSON.parse(textOf(answer.message));
  assert.ok(typeof ship.name === 'string' && Number.isInteger(ship.masts), textOf(answer.message));
  assert.ok(!answer.message.toolCalls?.length, 'the envelope of an emulation shows');
}

async function image(target) {
  const url = 'data:image/png;base64,' + png(7, 5).toString('base64');
  const answer = await clientOf(target).chat({
    model: target.model, messages: [user([{ type: 'text', text: 'What is in this picture?' }, { type: 'image_url', imageUrl: { url } }])],
  });
  assert.match(textOf(answer.message), /7x5 png/);
}

async function thinking(target) {
  const client = clientOf(target);
  const messages = [user('Why do ships carry ballast?')];
  const first = await client.chat({ model: target.model, messages, thinking: { type: 'enabled', tokenBudget: 1100 }, maxTokens: 2000 });
  assert.ok(textOf(first.message).length > 10);
  if (target.shows) assert.ok(first.message.content.find(part => part.type === 'thinking')?.thinking.length > 10, JSON.stringify(first.message));
  const second = await client.chat({
    model: target.model, messages: [...messages, first.message, user('And why water?')], thinking: { type: 'enabled', tokenBudget: 1100 }, maxTokens: 2000,
  });
  assert.ok(textOf(second.message).length > 10);
}

async function max_tokens(target) {
  const answer = await clientOf(target).chat({ model: target.model, messages: [user(countPrompt)], maxTokens: 12 });
  assert.equal(answer.finishReason, 'MAX_TOKENS');
  assert.ok(counted.startsWith(textOf(answer.message)) && textOf(answer.message).length > 0, textOf(answer.message));
}

async function abort(target) {
  const id = crypto.randomUUID();
  let seenId;
  const watched = async (url, init) => {
    const response = await fetch(url, { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), 'x-client-request-id': id } });
    seenId = response.headers.get('x-ballast-request-id');
    return response;
  };
  const control = new AbortController();
  const events = await clientOf(target, { url: target.slowUrl, fetch: watched }).chatStream(
    { model: target.slowModel, messages: [user(longPrompt)] }, { abortSignal: control.signal });
  let seen = 0;
  const error = await errorOf(async () => {
    for await (const event of events) {
      if (event.type === 'content-delta' && ++seen === 3) control.abort();
    }
    throw new Error('AbortError');
  });
  assert.match(error.name + error.message, /Abort/);
  return { id: seenId ?? id };
}

async function errors(target) {
  const unknown = await errorOf(() => clientOf(target).chat({ model: 'no-such-model', messages: [user('Hello')] }));
  assert.ok(unknown instanceof CohereError && unknown.statusCode === 404, String(unknown));
  assert.equal(typeof unknown.body.message, 'string');
  if (!target.model.startsWith('ollama/')) { // which takes any number for a limit
    const types = await errorOf(() => clientOf(target).chat({ model: target.model, messages: [user('Hello')], maxTokens: -5 }));
    assert.equal(types.statusCode, 400, String(types));
  }
  const key = await errorOf(() => clientOf(target, { key: 'a-key-that-nobody-gave' }).chat({ model: target.model, messages: [user('Hello')] }));
  assert.equal(key.statusCode, 401);
}

async function embed(target) {
  const answer = await clientOf(target).embed({
    model: target.embedModel, texts: ['a ship', 'a barque', 'tax law'], inputType: 'search_document', embeddingTypes: ['float'], outputDimension: 256,
  });
  assert.equal(answer.embeddings.float.length, 3);
  assert.equal(answer.embeddings.float[0].length, 256);
  assert.ok(answer.meta.billedUnits.inputTokens > 3, JSON.stringify(answer.meta));
}

async function rerank(target) {
  const answer = await clientOf(target, { key: target.rerankKey ?? target.key }).rerank({
    model: target.rerankModel, query: 'harbour pilots', documents: ['apples and pears', 'pilots of the harbour'], topN: 1,
  });
  assert.equal(answer.results.length, 1);
  assert.equal(answer.results[0].index, 1);
  assert.ok(answer.results[0].relevanceScore > 0.5);
}

await run({ text, stream, tools, parallel_tools, structured, image, thinking, max_tokens, abort, errors, embed, rerank });
