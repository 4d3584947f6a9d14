// npm `openai`: client.responses and client.conversations.
import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import {
  assert, run, errorOf, exactText, exactPrompt, countPrompt, counted, longPrompt, weather, checkWeatherArguments, png, errorKinds, assertFree, slow, checkDocument, lastLosses,
} from './suite.mjs';

const clientOf = (target, { key = target.key, url = target.url } = {}) =>
  new OpenAI({ baseURL: url + (target.prefix ?? '/v1'), apiKey: key, maxRetries: 0 });
const tool = { type: 'function', name: weather.name, description: weather.description, parameters: weather.schema, strict: false };

async function text(target) {
  const answer = await clientOf(target).responses.create({ model: target.model, instructions: 'You are terse.', input: exactPrompt, metadata: { k: 'v' } });
  assert.equal(answer.object, 'response');
  assert.equal(answer.status, 'completed');
  assert.equal(answer.output_text, exactText);
  assert.equal(answer.instructions, 'You are terse.');
  assert.deepEqual(answer.metadata, { k: 'v' });
  assert.ok(answer.id.startsWith('resp_') && Number.isInteger(answer.created_at) && answer.model);
  assert.ok(answer.usage.input_tokens > 5 && answer.usage.output_tokens > 2, JSON.stringify(answer.usage));
  assert.equal(answer.usage.total_tokens, answer.usage.input_tokens + answer.usage.output_tokens);
  assert.ok(answer._request_id?.startsWith('req_') || !target.gateway, 'no x-request-id');
}

async function stream(target) {
  const events = await clientOf(target).responses.create({ model: target.model, input: [{ role: 'user', content: countPrompt }], stream: true });
  let content = '';
  let sequence = -1;
  const types = [];
  let last;
  for await (const event of events) {
    assert.equal(event.sequence_number, ++sequence);
    if (event.type === 'response.output_text.delta') content += event.delta;
    else types.push(event.type);
    last = event;
  }
  assert.equal(content, counted);
  assert.deepEqual(types.slice(0, 2), ['response.created', 'response.in_progress']);
  assert.deepEqual(types.filter(type => /output_text.done|content_part|output_item|completed/.test(type)).slice(-5), [
    'response.content_part.added', 'response.output_text.done', 'response.content_part.done', 'response.output_item.done', 'response.completed',
  ]);
  assert.equal(last.type, 'response.completed');
  assert.equal(last.response.output.find(item => item.type === 'message').content[0].text, counted);
}

async function stream_helper(target) {
  const stream = clientOf(target).responses.stream({ model: target.model, input: exactPrompt });
  const final = await stream.finalResponse();
  assert.equal(final.output_text, exactText);
}

// Two turns with a tool, once with the state kept by the other side, once with everything sent back.
async function tools(target) {
  const client = clientOf(target);
  const input = [{ role: 'user', content: 'What is the weather in Paris right now?' }];
  const first = await client.responses.create({ model: target.model, input, tools: [tool] });
  const call = first.output.find(item => item.type === 'function_call');
  assert.ok(call, JSON.stringify(first.output));
  assert.ok(call.id.startsWith('fc_') && call.call_id && call.call_id !== call.id, JSON.stringify(call));
  checkWeatherArguments(JSON.parse(call.arguments), 'Paris');
  const output = { type: 'function_call_output', call_id: call.call_id, output: 'Sunny at 21 degrees' };
  const kept = await client.responses.create({ model: target.model, previous_response_id: first.id, input: [output], tools: [tool] });
  assert.match(kept.output_text, /Sunny at 21 degrees/);
  assert.equal(kept.previous_response_id, first.id);
  const sent = await client.responses.create({ model: target.model, input: [...input, ...first.output, output], tools: [tool], store: false });
  assert.match(sent.output_text, /Sunny at 21 degrees/);
}

async function parallel_tools(target) {
  const client = clientOf(target);
  const stream = client.responses.stream({
    model: target.model, input: 'Compare the weather in Paris and London.', tools: [tool], tool_choice: 'required', parallel_tool_calls: true,
  });
  const first = await stream.finalResponse();
  const calls = first.output.filter(item => item.type === 'function_call');
  assert.equal(calls.length, 2, JSON.stringify(first.output));
  assert.equal(new Set(calls.flatMap(call => [call.id, call.call_id])).size, 4);
  checkWeatherArguments(JSON.parse(calls[0].arguments), 'Paris');
  checkWeatherArguments(JSON.parse(calls[1].arguments), 'London');
  const answer = await client.responses.create({
    model: target.model, tools: [tool], previous_response_id: first.id,
    input: calls.map((call, i) => ({ type: 'function_call_output', call_id: call.call_id, output: ['Rain in the first', 'Fog in the second'][i] })),
  });
  assert.match(answer.output_text, /Rain in the first.*Fog in the second/s);
}

const ship = z.object({ name: z.string(), masts: z.number().int(), kind: z.enum(['barque', 'brig', 'sloop']) });

async function structured(target) {
  const answer = await clientOf(target).responses.parse({
    model: target.model, input: 'Describe a sailing ship.', text: { format: zodTextFormat(ship, 'ship') },
  });
  ship.parse(answer.output_parsed);
  assert.equal(answer.output.filter(item => item.type === 'function_call').length, 0, 'the envelope of an emulation shows');
}

async function image(target) {
  const image_url = 'data:image/png;base64,' + png(7, 5).toString('base64');
  const answer = await clientOf(target).responses.create({
    model: target.model,
    input: [{ role: 'user', content: [{ type: 'input_text', text: 'What is in this picture?' }, { type: 'input_image', image_url, detail: 'auto' }] }],
  });
  assert.match(answer.output_text, /7x5 png/);
}

// Reasoning comes back before its call, is sent back as it came, and is accepted by whoever issued it. What OpenAI has encrypted is bound to the account: where a route
// over several comes to another than the issuer, it goes on without.
async function thinking_tools(target) {
  const client = clientOf(target);
  const ask = (more) => client.responses.create({
    model: target.model, tools: [tool], reasoning: { effort: 'medium', summary: 'auto' }, include: ['reasoning.encrypted_content'], ...more,
  });
  const input = [{ role: 'user', content: 'What is the weather in Paris right now?' }];
  const first = await ask({ input, store: false });
  if (target.lacks.includes('reasoning') || target.lacks.includes('foreign reasoning')) assert.match(lastLosses(), /\/reasoning/);
  if (target.signs) {
    const types = first.output.map(item => item.type);
    assert.ok(types.indexOf('reasoning') >= 0 && types.indexOf('reasoning') < types.indexOf('function_call'), types.join(' '));
    assert.ok(first.output.some(item => item.type === 'reasoning' && item.encrypted_content?.length > 10), JSON.stringify(first.output));
  }
  const output = { type: 'function_call_output', call_id: first.output.find(item => item.type === 'function_call').call_id, output: 'Sunny at 21 degrees' };
  const second = await ask({ input: [...input, ...first.output, output], store: false });
  assert.match(second.output_text, /Sunny at 21 degrees/);
  const kept = await ask({ input });
  const callId = kept.output.find(item => item.type === 'function_call').call_id;
  const third = await ask({ input: [{ ...output, call_id: callId }], previous_response_id: kept.id });
  assert.match(third.output_text, /Sunny at 21 degrees/);
}

// What was changed on its way, or another has issued, is refused by whoever is asked to read it.
async function thinking_tampered(target) {
  const client = clientOf(target);
  const ask = input => client.responses.create({
    model: target.model, input, reasoning: { effort: 'medium' }, include: ['reasoning.encrypted_content'], store: false,
  });
  const first = await ask([{ role: 'user', content: exactPrompt }]);
  const forged = first.output.map(item => item.type !== 'reasoning' ? item : {
    ...item, encrypted_content: item.encrypted_content.slice(0, 20) + (item.encrypted_content[20] === 'A' ? 'B' : 'A') + item.encrypted_content.slice(21),
  });
  assert.ok(forged.some(item => item.type === 'reasoning'), JSON.stringify(first.output));
  const refused = await errorOf(() => ask([{ role: 'user', content: exactPrompt }, ...forged, { role: 'user', content: 'And again?' }]));
  assert.ok(refused instanceof OpenAI.BadRequestError, String(refused));
  assert.equal(refused.code, 'invalid_encrypted_content');
}

// The reasoning's summary streams before the answer does.
async function thinking_stream(target) {
  const stream = await clientOf(target).responses.create({
    model: target.model, input: exactPrompt, reasoning: { effort: 'high', summary: 'detailed' }, stream: true,
  });
  const types = [];
  let told = '';
  let final;
  for await (const event of stream) {
    types.push(event.type);
    if (event.type === 'response.reasoning_summary_text.delta') told += event.delta;
    if (event.type === 'response.completed') final = event.response;
  }
  const reasoning = final.output.find(item => item.type === 'reasoning');
  assert.ok(told.length > 10 && reasoning.summary[0].text === told, told);
  assert.ok(types.lastIndexOf('response.reasoning_summary_text.delta') < types.indexOf('response.output_text.delta'), types.join(' '));
  assert.equal(final.output.find(item => item.type === 'message').content[0].text, exactText);
  assert.ok(final.usage.output_tokens_details.reasoning_tokens > 0, JSON.stringify(final.usage));
}

// A tool that takes free text: in pieces, whole, and as history.
async function custom_tool(target) {
  const client = clientOf(target);
  const tools = [{ type: 'custom', name: 'run_sql', description: 'Runs SQL.' }];
  const input = [{ role: 'user', content: 'Use run_sql to list all tables.' }];
  const asked = { model: target.model, input, tools, tool_choice: { type: 'custom', name: 'run_sql' } };
  let told = '';
  let done;
  let first;
  for await (const event of await client.responses.create({ ...asked, stream: true })) {
    if (event.type === 'response.custom_tool_call_input.delta') told += event.delta;
    if (event.type === 'response.custom_tool_call_input.done') done = event;
    if (event.type === 'response.completed') first = event.response;
  }
  const call = first.output.find(item => item.type === 'custom_tool_call');
  assert.ok(call && typeof call.input === 'string' && call.input.length > 0 && !call.input.startsWith('{') && call.name === 'run_sql', JSON.stringify(first.output));
  assert.equal(told, call.input);
  assert.deepEqual([done.input, done.item_id], [call.input, call.id]);
  const whole = await client.responses.create(asked);
  const [again] = whole.output.filter(item => item.type === 'custom_tool_call');
  assert.ok(again?.input.length > 0 && !again.input.startsWith('{') && again.call_id !== again.id, JSON.stringify(whole.output));
  const second = await client.responses.create({
    model: target.model, tools, input: [...input, ...first.output, { type: 'custom_tool_call_output', call_id: call.call_id, output: 'users, orders' }],
  });
  assert.match(second.output_text, /users, orders/);
}

// Tools in a group: a call names both, and goes on with both.
async function tool_groups(target) {
  const client = clientOf(target);
  const parameters = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: false };
  const tools = [
    { type: 'namespace', name: 'crm', description: 'Customers.', tools: [{ type: 'function', name: 'find_customer', description: 'Finds a customer.', parameters, strict: false }, { type: 'custom', name: 'annotate' }] },
    { type: 'function', name: 'unrelated', parameters, strict: false },
  ];
  const input = [{ role: 'user', content: 'Find the customer Ada.' }];
  const first = await client.responses.stream({ model: target.model, input, tools }).finalResponse();
  const call = first.output.find(item => item.type === 'function_call');
  assert.deepEqual([call?.namespace, call?.name], ['crm', 'find_customer'], JSON.stringify(first.output));
  assert.equal(typeof JSON.parse(call.arguments).name, 'string');
  const second = await client.responses.create({
    model: target.model, tools, input: [...input, ...first.output, { type: 'function_call_output', call_id: call.call_id, output: 'customer 42' }],
  });
  assert.match(second.output_text, /customer 42/);
}

async function pdf(target) {
  const file_data = 'data:application/pdf;base64,' + Buffer.from('%PDF-1.4\n%%EOF\n').toString('base64');
  const ask = () => clientOf(target).responses.create({
    model: target.model, input: [{ role: 'user', content: [{ type: 'input_file', filename: 'terms.pdf', file_data }, { type: 'input_text', text: 'What is this?' }] }],
  });
  await checkDocument(target, ask, answer => answer.output_text, /\/input\/0\/content\/0/);
}

async function count(target) {
  const counted = await clientOf(target).responses.inputTokens.count({ model: target.model, input: 'How many tokens are these?' });
  assert.equal(counted.object, 'response.input_tokens');
  assert.ok(counted.input_tokens > 3 && counted.input_tokens < 40, JSON.stringify(counted));
}

async function until(client, response, isSo) {
  for (let look = 0; look < 400; look++) {
    if (isSo(response)) return response;
    await new Promise(resolve => setTimeout(resolve, 25));
    response = await client.responses.retrieve(response.id);
  }
  assert.fail('still ' + response.status);
}

// Work that nobody waits for: looked at until it is done, called off, and streamed again from its middle.
async function background(target) {
  const client = clientOf(target);
  const begun = await client.responses.create({ model: target.model, input: exactPrompt, background: true });
  assert.ok(begun.background && ['queued', 'in_progress'].includes(begun.status), begun.status);
  const done = await until(client, begun, one => !['queued', 'in_progress'].includes(one.status));
  assert.equal(done.status, 'completed');
  assert.equal(done.output_text, exactText);
  const slowly = clientOf(target, { url: target.slowUrl });
  const long = await slowly.responses.create({ model: target.slowModel, input: longPrompt, background: true });
  assert.equal((await slowly.responses.cancel(long.id)).status, 'cancelled');
  assert.equal((await slowly.responses.retrieve(long.id)).status, 'cancelled');
  const sync = await client.responses.create({ model: target.model, input: exactPrompt });
  assert.equal((await errorOf(() => client.responses.cancel(sync.id))).status, 400);
}

// The conversation becomes short, and whoever asks next still knows what was said.
async function compact(target) {
  const client = clientOf(target);
  const input = [{ role: 'user', content: 'My name is Ada.' }, { role: 'assistant', content: 'Hello Ada.' }];
  const short = await client.responses.compact({ model: target.model, input });
  assert.equal(short.object, 'response.compaction');
  assert.deepEqual(short.output.map(item => item.type), ['message', 'compaction']);
  assert.ok(short.usage.input_tokens > 0);
  const answer = await client.responses.create({ model: target.model, input: [...short.output, { role: 'user', content: 'What is my name?' }] });
  assert.match(answer.output_text, /Ada/);
}

async function max_tokens(target) {
  const answer = await clientOf(target).responses.create({ model: target.model, input: countPrompt, max_output_tokens: 16 });
  assert.equal(answer.status, 'incomplete');
  assert.equal(answer.incomplete_details.reason, 'max_output_tokens');
  assert.ok(counted.startsWith(answer.output_text));
}

async function abort(target) {
  const id = crypto.randomUUID();
  const { data: events, response } = await clientOf(slow(target)).responses.create({
    model: target.slowModel, input: longPrompt, stream: true,
  }, { headers: { 'x-client-request-id': id } }).withResponse();
  let seen = 0;
  const error = await errorOf(async () => {
    for await (const event of events) {
      if (event.type === 'response.output_text.delta' && ++seen === 3) events.controller.abort();
    }
    throw new OpenAI.APIUserAbortError();
  });
  assert.ok(error instanceof OpenAI.APIUserAbortError || error.name === 'AbortError', String(error));
  await assertFree(target, text);
  return { id: response.headers.get('x-ballast-request-id') ?? id };
}

const classes = {
  400: OpenAI.BadRequestError, 401: OpenAI.AuthenticationError, 403: OpenAI.PermissionDeniedError, 404: OpenAI.NotFoundError, 429: OpenAI.RateLimitError, 500: OpenAI.InternalServerError,
};

// What fails in a stream is an event there, which holds the answer as far as it came.
const error_kinds = target => errorKinds(target, {
  ask: at => clientOf(at, at).responses.create({ model: at.model, input: at.wrong ? 7 : at.prompt }),
  streamed: async at => {
    for await (const event of await clientOf(at, at).responses.create({ model: at.model, input: at.prompt, stream: true })) {
      if (event.type === 'response.failed') throw Object.assign(new Error(event.response.error.message), { name: event.type, code: event.response.error.code });
    }
  },
  look: error => ({ status: error.status, id: error.requestID, wait: error.headers?.get('retry-after') }),
  classOf: status => status === undefined ? ['APIError', 'response.failed'] : classes[Math.min(status, 500)] ?? OpenAI.APIError,
  statuses: target.gateway ? {} : { unknown: [400, 404] },
});

async function errors(target) {
  const client = clientOf(target);
  const unknown = await errorOf(() => client.responses.create({ model: target.model.split('/')[0] + '/no-such-model', input: 'Hello' }));
  assert.ok([400, 404].includes(unknown.status) && unknown.requestID, String(unknown));
  const types = await errorOf(() => client.responses.create({ model: target.model, input: 7 }));
  assert.ok(types instanceof OpenAI.BadRequestError, String(types));
  const previous = await errorOf(() => client.responses.create({ model: target.model, input: 'Hello', previous_response_id: 'resp_none' }));
  assert.ok([400, 404].includes(previous.status), String(previous));
  assert.equal(previous.code, 'previous_response_not_found');
  const key = await errorOf(() => clientOf(target, { key: 'a-key-that-nobody-gave' }).responses.create({ model: target.model, input: 'Hello' }));
  assert.ok(key instanceof OpenAI.AuthenticationError, String(key));
}

async function state(target) {
  const client = clientOf(target);
  const first = await client.responses.create({ model: target.model, input: 'My name is Ada.' });
  assert.equal((await client.responses.retrieve(first.id)).id, first.id);
  const items = [];
  for await (const item of client.responses.inputItems.list(first.id)) items.push(item);
  assert.equal(items[0].content[0].text, 'My name is Ada.');
  const conversation = await client.conversations.create({ items: [{ type: 'message', role: 'user', content: 'My name is Grace.' }], metadata: { a: 'b' } });
  const answer = await client.responses.create({ model: target.model, input: 'What is my name?', conversation: conversation.id });
  assert.match(answer.output_text, /Grace/);
  const kept = [];
  for await (const item of client.conversations.items.list(conversation.id, { order: 'asc', limit: 2 })) kept.push(item.type);
  assert.deepEqual([kept[0], kept.at(-1), kept.length > 2], ['message', 'message', true]);
  assert.equal((await client.conversations.update(conversation.id, { metadata: { a: 'c' } })).metadata.a, 'c');
  await client.conversations.delete(conversation.id);
  assert.ok(await errorOf(() => client.conversations.retrieve(conversation.id)) instanceof OpenAI.NotFoundError);
  const unkept = await client.responses.create({ model: target.model, input: 'My name is Ada.', store: false });
  assert.ok(await errorOf(() => client.responses.retrieve(unkept.id)) instanceof OpenAI.NotFoundError);
  const second = await client.responses.create({ model: target.model, input: 'What is my name?', previous_response_id: first.id });
  assert.match(second.output_text, /Ada/);
  assert.equal(second.previous_response_id, first.id);
  await client.responses.delete(first.id);
  assert.ok(await errorOf(() => client.responses.retrieve(first.id)) instanceof OpenAI.NotFoundError);
}

await run({
  text, stream, stream_helper, tools, parallel_tools, structured, image, pdf, thinking_tools, thinking_tampered, thinking_stream, custom_tool, tool_groups, count, background, compact, max_tokens, abort, errors, error_kinds, state,
});
