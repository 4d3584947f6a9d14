// npm `ollama`.
import { Ollama } from 'ollama';
import { assert, run, errorOf, exactText, exactPrompt, countPrompt, counted, longPrompt, weather, checkWeatherArguments, png } from './suite.mjs';

const clientOf = (target, { key = target.key, url = target.url } = {}) => new Ollama({ host: url, headers: key ? { authorization: `Bearer ${key}` } : {} });
const user = (content, more) => ({ role: 'user', content, ...more });
const tool = { type: 'function', function: { name: weather.name, description: weather.description, parameters: weather.schema } };

async function text(target) {
  const answer = await clientOf(target).chat({ model: target.model, messages: [{ role: 'system', content: 'You are terse.' }, user(exactPrompt)] });
  assert.equal(answer.message.role, 'assistant');
  assert.equal(answer.message.content, exactText);
  assert.ok(answer.done && answer.done_reason === 'stop', JSON.stringify(answer));
  assert.ok(answer.prompt_eval_count > 5 && answer.eval_count > 2, JSON.stringify(answer));
  assert.ok(answer.model && answer.created_at, JSON.stringify(answer));
}

async function stream(target) {
  let content = '';
  let pieces = 0;
  let last;
  for await (const line of await clientOf(target).chat({ model: target.model, messages: [user(countPrompt)], stream: true })) {
    content += line.message.content;
    pieces++;
    last = line;
  }
  assert.equal(content, counted);
  assert.ok(pieces > 5, `only ${pieces} pieces`);
  assert.ok(last.done && last.done_reason === 'stop' && last.eval_count > 20, JSON.stringify(last));
}

async function tools(target) {
  const client = clientOf(target);
  const messages = [user('What is the weather in Paris right now?')];
  const first = await client.chat({ model: target.model, messages, tools: [tool] });
  const call = first.message.tool_calls[0];
  assert.equal(call.function.name, 'get_weather');
  checkWeatherArguments(call.function.arguments, 'Paris');
  const second = await client.chat({
    model: target.model, tools: [tool],
    messages: [...messages, first.message, { role: 'tool', content: 'Sunny at 21 degrees', tool_name: 'get_weather' }],
  });
  assert.match(second.message.content, /Sunny at 21 degrees/);
}

async function parallel_tools(target) {
  const client = clientOf(target);
  const messages = [user('Compare the weather in Paris and London.')];
  const calls = [];
  const said = { role: 'assistant', content: '' };
  for await (const line of await client.chat({ model: target.model, messages, tools: [tool], stream: true })) {
    calls.push(...(line.message.tool_calls ?? []));
    said.content += line.message.content;
  }
  assert.equal(calls.length, 2, JSON.stringify(calls));
  checkWeatherArguments(calls[0].function.arguments, 'Paris');
  checkWeatherArguments(calls[1].function.arguments, 'London');
  const answer = await client.chat({
    model: target.model, tools: [tool],
    messages: [
      ...messages, { ...said, tool_calls: calls },
      { role: 'tool', content: 'Rain in the first', tool_name: 'get_weather' }, { role: 'tool', content: 'Fog in the second', tool_name: 'get_weather' },
    ],
  });
  assert.match(answer.message.content, /Rain in the first.*Fog in the second/s);
}

async function structured(target) {
  const format = {
    type: 'object', properties: { name: { type: 'string' }, masts: { type: 'integer' } }, required: ['name', 'masts'], additionalProperties: false,
  };
  const answer = await clientOf(target).chat({ model: target.model, messages: [user('Describe a sailing ship.')], format });
  const ship = JSON.parse(answer.message.content);
  assert.ok(typeof ship.name === 'string' && Number.isInteger(ship.masts), answer.message.content);
  assert.ok(!answer.message.tool_calls, 'the envelope of an emulation shows');
}

async function image(target) {
  const answer = await clientOf(target).chat({ model: target.model, messages: [user('What is in this picture?', { images: [png(7, 5)] })] });
  assert.match(answer.message.content, /7x5 png/);
}

async function thinking(target) {
  const client = clientOf(target);
  const messages = [user('Why do ships carry ballast?')];
  const first = await client.chat({ model: target.model, messages, think: true });
  assert.ok(first.message.content.length > 10);
  if (target.shows) assert.ok(first.message.thinking?.length > 10, JSON.stringify(first.message));
  const second = await client.chat({ model: target.model, messages: [...messages, first.message, user('And why water?')], think: true });
  assert.ok(second.message.content.length > 10);
}

async function max_tokens(target) {
  const answer = await clientOf(target).chat({ model: target.model, messages: [user(countPrompt)], options: { num_predict: 12 } });
  assert.equal(answer.done_reason, 'length');
  assert.ok(counted.startsWith(answer.message.content) && answer.message.content.length > 0, answer.message.content);
}

async function abort(target) {
  const id = crypto.randomUUID();
  let seenId;
  const watched = (url, init) => fetch(url, { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), 'x-client-request-id': id } }).then(response => {
    seenId = response.headers.get('x-ballast-request-id');
    return response;
  });
  const client = new Ollama({ host: target.slowUrl, headers: { authorization: `Bearer ${target.key}` }, fetch: watched });
  const lines = await client.chat({ model: target.slowModel, messages: [user(longPrompt)], stream: true });
  let seen = 0;
  const error = await errorOf(async () => {
    for await (const line of lines) {
      if (line.message.content && ++seen === 3) lines.abort();
    }
  });
  assert.equal(error.name, 'AbortError');
  return { id: seenId ?? id };
}

async function errors(target) {
  const unknown = await errorOf(() => clientOf(target).chat({ model: 'no-such-model', messages: [user('Hello')] }));
  assert.equal(unknown.status_code, 404);
  assert.match(unknown.message, /model/);
  const role = await errorOf(() => clientOf(target).chat({ model: target.model, messages: [{ role: 'pirate', content: 'Hello' }] }));
  assert.equal(role.status_code, 400, String(role));
  const streamed = await errorOf(async () => { for await (const _ of await clientOf(target).chat({ model: 'no-such-model', messages: [user('Hello')], stream: true })); });
  assert.equal(streamed.status_code, 404);
  const key = await errorOf(() => clientOf(target, { key: 'a-key-that-nobody-gave' }).chat({ model: target.model, messages: [user('Hello')] }));
  assert.equal(key.status_code, 401);
}

async function models(target) {
  const client = clientOf(target);
  const { models } = await client.list();
  assert.ok(models.some(model => model.model === (target.listed ?? target.model)), JSON.stringify(models.map(model => model.model)));
  const shown = await client.show({ model: target.model });
  assert.ok(Array.isArray(shown.capabilities) && shown.capabilities.includes('completion'), JSON.stringify(shown));
  assert.ok(shown.details && shown.model_info, JSON.stringify(shown));
  assert.match((await client.version()).version, /^\d+\.\d+\.\d+/);
  assert.equal((await errorOf(() => client.show({ model: 'no-such-model' }))).status_code, 404);
}

await run({ text, stream, tools, parallel_tools, structured, image, thinking, max_tokens, abort, errors, models });
