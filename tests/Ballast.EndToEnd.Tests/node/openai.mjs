// npm `openai`: its client OpenAI and, for targets with `azure: true`, AzureOpenAI.
import OpenAI, { AzureOpenAI } from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import {
  assert, run, errorOf, exactText, exactPrompt, countPrompt, counted, longPrompt, weather, checkWeatherArguments, png, onePage, errorKinds, assertFree, slow, checkDocument, lastLosses,
} from './suite.mjs';

function clientOf(target, { key = target.key, url = target.url } = {}) {
  return target.azure
    ? new AzureOpenAI({ endpoint: url, apiKey: key, apiVersion: '2025-04-01-preview', maxRetries: 0 })
    : new OpenAI({ baseURL: url + (target.prefix ?? '/v1'), apiKey: key, maxRetries: 0 });
}

const user = content => ({ role: 'user', content });
const tool = { type: 'function', function: { name: weather.name, description: weather.description, parameters: weather.schema } };

async function text(target) {
  const { data, response, request_id } = await clientOf(target).chat.completions.create({
    model: target.model,
    messages: [{ role: 'system', content: 'You are terse.' }, user(exactPrompt)],
  }).withResponse();
  assert.equal(data.object, 'chat.completion');
  assert.equal(data.choices.length, 1);
  assert.equal(data.choices[0].message.role, 'assistant');
  assert.equal(data.choices[0].message.content, exactText);
  assert.equal(data.choices[0].finish_reason, 'stop');
  assert.ok(data.usage.prompt_tokens > 5 && data.usage.completion_tokens > 2, JSON.stringify(data.usage));
  assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
  assert.ok(data.id && data.model && Number.isInteger(data.created));
  assert.ok(request_id, 'no x-request-id');
  return { request_id, deployment: response.headers.get('x-ballast-deployment') };
}

async function developer(target) {
  const answer = await clientOf(target).chat.completions.create({
    model: target.model,
    messages: [
      { role: 'developer', content: 'Be brief.' }, user('My name is Ada.'), { role: 'assistant', content: 'Hello Ada.' }, user('What is my name?'),
    ],
  });
  assert.match(answer.choices[0].message.content, /Ada/);
}

async function stream(target) {
  const chunks = await clientOf(target).chat.completions.create({
    model: target.model, messages: [user(countPrompt)], stream: true, stream_options: { include_usage: true },
  });
  let content = '';
  const finishes = [];
  let usages = 0;
  let deltas = 0;
  let last;
  for await (const chunk of chunks) {
    assert.equal(chunk.object === 'chat.completion.chunk' || chunk.object === '', true);
    for (const choice of chunk.choices) {
      content += choice.delta.content ?? '';
      deltas += choice.delta.content ? 1 : 0;
      if (choice.finish_reason) finishes.push(choice.finish_reason);
    }
    usages += chunk.usage ? 1 : 0;
    last = chunk;
  }
  assert.equal(content, counted);
  assert.ok(deltas > 5, `only ${deltas} pieces`);
  assert.deepEqual(finishes, ['stop']);
  assert.ok(usages >= 1 && last.usage?.completion_tokens > 20, JSON.stringify(last));
}

async function stream_without_usage(target) {
  const chunks = await clientOf(target).chat.completions.create({ model: target.model, messages: [user(countPrompt)], stream: true });
  for await (const chunk of chunks) {
    assert.equal(chunk.usage ?? null, null, 'usage came unasked');
  }
}

async function stream_helper(target) {
  const stream = clientOf(target).chat.completions.stream({ model: target.model, messages: [user(exactPrompt)] });
  assert.equal(await stream.finalContent(), exactText);
  assert.equal((await stream.finalChatCompletion()).choices[0].finish_reason, 'stop');
}

async function tools(target) {
  const asked = [];
  const runner = clientOf(target).chat.completions.runTools({
    model: target.model,
    messages: [user('What is the weather in Paris right now?')],
    tools: [{
      type: 'function',
      function: {
        name: weather.name, description: weather.description, parameters: weather.schema, parse: JSON.parse,
        function: given => {
          asked.push(given);
          return 'Sunny at 21 degrees';
        },
      },
    }],
  });
  const final = await runner.finalContent();
  assert.equal(asked.length, 1);
  checkWeatherArguments(asked[0], 'Paris');
  assert.match(final, /Sunny at 21 degrees/);
}

async function tool_choice(target) {
  const answer = await clientOf(target).chat.completions.create({
    model: target.model, messages: [user('Good morning!')], tools: [tool],
    tool_choice: { type: 'function', function: { name: weather.name } },
  });
  const [call] = answer.choices[0].message.tool_calls;
  assert.equal(call.type, 'function');
  assert.equal(call.function.name, weather.name);
  checkWeatherArguments(JSON.parse(call.function.arguments), '');
  assert.ok(['tool_calls', 'stop'].includes(answer.choices[0].finish_reason));
}

// A tool that takes free text: whole, in pieces, and as history.
async function custom_tool(target) {
  const client = clientOf(target);
  const messages = [user('Use run_sql to list all tables.')];
  const asked = {
    model: target.model, messages,
    tools: [{ type: 'custom', custom: { name: 'run_sql', description: 'Runs SQL.' } }, { type: 'function', function: { name: 'unrelated', parameters: { type: 'object', properties: {} } } }],
  };
  const first = await client.chat.completions.create(asked);
  const message = first.choices[0].message;
  const [call] = message.tool_calls;
  assert.deepEqual([call.type, call.custom?.name], ['custom', 'run_sql'], JSON.stringify(message));
  assert.ok(call.custom.input.length > 0 && !call.custom.input.startsWith('{'), JSON.stringify(message));
  let input = '';
  let named;
  let finish;
  for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) {
    for (const delta of chunk.choices[0]?.delta.tool_calls ?? []) {
      assert.ok(delta.custom && !delta.function, JSON.stringify(delta));
      named ??= [delta.type, delta.custom.name, typeof delta.id];
      input += delta.custom.input ?? '';
    }
    finish = chunk.choices[0]?.finish_reason ?? finish;
  }
  assert.deepEqual(named, ['custom', 'run_sql', 'string']);
  assert.ok(input.length > 0 && !input.startsWith('{'), input);
  assert.equal(finish, 'tool_calls');
  const second = await client.chat.completions.create({ ...asked, messages: [...messages, message, { role: 'tool', tool_call_id: call.id, content: 'users, orders' }] });
  assert.match(second.choices[0].message.content, /users, orders/);
}

async function parallel_tools(target) {
  const client = clientOf(target);
  const messages = [user('Compare the weather in Paris and London.')];
  const chunks = await client.chat.completions.create({
    model: target.model, messages, tools: [tool], tool_choice: 'required', parallel_tool_calls: true, stream: true,
  });
  const calls = [];
  let finish = null;
  for await (const chunk of chunks) {
    for (const choice of chunk.choices) {
      for (const delta of choice.delta.tool_calls ?? []) {
        const call = calls[delta.index] ??= { id: '', type: 'function', function: { name: '', arguments: '' } };
        if (delta.id) call.id = delta.id;
        call.function.name += delta.function?.name ?? '';
        call.function.arguments += delta.function?.arguments ?? '';
      }
      finish = choice.finish_reason ?? finish;
    }
  }
  assert.equal(calls.length, 2, JSON.stringify(calls));
  assert.equal(finish, 'tool_calls');
  assert.notEqual(calls[0].id, calls[1].id);
  checkWeatherArguments(JSON.parse(calls[0].function.arguments), 'Paris');
  checkWeatherArguments(JSON.parse(calls[1].function.arguments), 'London');
  const answer = await client.chat.completions.create({
    model: target.model, tools: [tool],
    messages: [
      ...messages,
      { role: 'assistant', content: null, tool_calls: calls },
      { role: 'tool', tool_call_id: calls[0].id, content: 'Rain in the first' },
      { role: 'tool', tool_call_id: calls[1].id, content: 'Fog in the second' },
    ],
  });
  assert.match(answer.choices[0].message.content, /Rain in the first.*Fog in the second/s);
  assert.equal(answer.choices[0].finish_reason, 'stop');
}

const shipSchema = z.object({
  name: z.string(),
  masts: z.number().int(),
  cargo: z.array(z.object({ label: z.string(), tons: z.number() })),
  kind: z.enum(['barque', 'brig', 'sloop']),
});

async function structured(target) {
  const answer = await clientOf(target).chat.completions.parse({
    model: target.model, messages: [user('Describe a sailing ship.')], response_format: zodResponseFormat(shipSchema, 'ship'),
  });
  assert.equal(answer.choices[0].finish_reason, 'stop');
  shipSchema.parse(answer.choices[0].message.parsed);
  assert.equal(answer.choices[0].message.tool_calls?.length ?? 0, 0, 'the envelope of an emulation shows');
}

async function structured_stream(target) {
  const stream = clientOf(target).chat.completions.stream({
    model: target.model, messages: [user('Describe a sailing ship.')], response_format: zodResponseFormat(shipSchema, 'ship'),
  });
  const answer = await stream.finalChatCompletion();
  shipSchema.parse(answer.choices[0].message.parsed);
  assert.equal(answer.choices[0].finish_reason, 'stop');
}

async function image(target) {
  const url = 'data:image/png;base64,' + png(7, 5).toString('base64');
  const answer = await clientOf(target).chat.completions.create({
    model: target.model, messages: [user([{ type: 'text', text: 'What is in this picture?' }, { type: 'image_url', image_url: { url } }])],
  });
  assert.match(answer.choices[0].message.content, /7x5 png/);
}

async function image_url(target) {
  const answer = await clientOf(target).chat.completions.create({
    model: target.model,
    messages: [user([{ type: 'image_url', image_url: { url: 'https://example.com/ship.png' } }, { type: 'text', text: 'What is in this picture?' }])],
  });
  assert.match(answer.choices[0].message.content, /the image at the given address/);
}

async function thinking(target) {
  const client = clientOf(target);
  const messages = [user('Why do ships carry ballast?')];
  const first = await client.chat.completions.create({ model: target.model, messages, reasoning_effort: 'medium' });
  const message = first.choices[0].message;
  assert.ok(message.content.length > 10);
  if (target.vendor === 'openai') {
    assert.ok(first.usage.completion_tokens_details.reasoning_tokens > 0, JSON.stringify(first.usage));
  } else if (target.vendor !== 'any') {
    assert.ok((message.reasoning_content ?? message.reasoning ?? '').length > 10, 'the thoughts are not shown: ' + JSON.stringify(message));
  }
  const second = await client.chat.completions.create({
    model: target.model, messages: [...messages, message, user('And why water?')], reasoning_effort: 'medium',
  });
  assert.ok(second.choices[0].message.content.length > 10);
  assert.equal(second.choices[0].finish_reason, 'stop');
}

async function max_tokens(target) {
  const answer = await clientOf(target).chat.completions.create({
    model: target.model, messages: [user(countPrompt)], max_completion_tokens: 9,
  });
  assert.equal(answer.choices[0].finish_reason, 'length');
  assert.ok(answer.usage.completion_tokens <= 9 && answer.usage.completion_tokens > 0);
  assert.ok(counted.startsWith(answer.choices[0].message.content));
}

async function max_tokens_stream(target) {
  const chunks = await clientOf(target).chat.completions.create({
    model: target.model, messages: [user(countPrompt)], max_tokens: 9, stream: true,
  });
  let finish = null;
  for await (const chunk of chunks) finish = chunk.choices[0]?.finish_reason ?? finish;
  assert.equal(finish, 'length');
}

async function stop(target) {
  const answer = await clientOf(target).chat.completions.create({ model: target.model, messages: [user(countPrompt)], stop: [', 7'] });
  assert.equal(answer.choices[0].message.content, '1, 2, 3, 4, 5, 6');
  assert.equal(answer.choices[0].finish_reason, 'stop');
}

async function abort(target) {
  const id = crypto.randomUUID();
  const { data: chunks, response } = await clientOf(slow(target)).chat.completions.create({
    model: target.slowModel, messages: [user(longPrompt)], stream: true,
  }, { headers: { 'x-client-request-id': id } }).withResponse();
  let seen = 0;
  const error = await errorOf(async () => {
    for await (const chunk of chunks) {
      if (chunk.choices[0]?.delta.content && ++seen === 3) chunks.controller.abort();
    }
    throw new OpenAI.APIUserAbortError();
  });
  assert.ok(error instanceof OpenAI.APIUserAbortError || error.name === 'AbortError', String(error));
  assert.ok(seen >= 3 && seen < 300, `${seen} pieces`); // what had come with the third is still handed out
  await assertFree(target, text);
  return { id: response.headers.get('x-ballast-request-id') ?? id };
}

function checkError(target, error, kind, status) {
  assert.ok(error instanceof kind, `${error?.constructor?.name}: ${error}`);
  assert.equal(error.status, status);
  assert.ok(error.message.length > 10);
  if (target.gateway) {
    assert.ok(error.requestID?.startsWith('req_'), `request id is ${error.requestID}`);
    assert.ok(error.type && typeof error.error?.message === 'string', JSON.stringify(error.error));
  }
  return { request_id: error.requestID, code: error.code, type: error.type, param: error.param };
}

async function unknown_model(target) {
  const model = target.model.includes('/') ? target.model.split('/')[0] + '/no-such-model' : 'no-such-model';
  const error = await errorOf(() => clientOf(target).chat.completions.create({ model, messages: [user('Hello')] }));
  return checkError(target, error, OpenAI.NotFoundError, 404);
}

async function wrong_key(target) {
  const error = await errorOf(() => clientOf(target, { key: 'a-key-that-nobody-gave' }).chat.completions.create({
    model: target.model, messages: [user('Hello')],
  }));
  return target.wrongKeyStatus === 403
    ? checkError(target, error, OpenAI.PermissionDeniedError, 403)
    : checkError(target, error, OpenAI.AuthenticationError, 401);
}

async function wrong_types(target) {
  const error = await errorOf(() => clientOf(target).chat.completions.create({ model: target.model, messages: 'Hello' }));
  return checkError(target, error, OpenAI.BadRequestError, 400);
}

async function wrong_types_stream(target) {
  const error = await errorOf(() => clientOf(target).chat.completions.create({
    model: target.model, messages: [user('Hello')], tools: 'hammer', stream: true,
  }));
  return checkError(target, error, OpenAI.BadRequestError, 400);
}

async function unknown_path(target) {
  const error = await errorOf(() => clientOf(target).post('/no/such/path', { body: { model: target.model } }));
  return checkError(target, error, OpenAI.NotFoundError, 404);
}

// The gateway answers before it has read such a body; the SDK must come to see that answer, not a broken connection.
async function oversize(target) {
  const error = await errorOf(() => clientOf(target).chat.completions.create({ model: target.model, messages: [user('x'.repeat(3 << 20))] }));
  return checkError(target, error, OpenAI.APIError, 413);
}

// An application that knows nothing of reasoning keeps it all the same: it sends an answer's message back as it came.
async function thinking_tools(target) {
  const client = clientOf(target);
  const messages = [user('What is the weather in Paris right now?')];
  const first = await client.chat.completions.create({ model: target.model, messages, tools: [tool], reasoning_effort: 'medium' });
  if (target.lacks.includes('reasoning')) assert.match(lastLosses(), /\/reasoning_effort/);
  const [{ message, finish_reason }] = first.choices;
  assert.equal(finish_reason, 'tool_calls');
  if (target.vendor === 'openai') assert.ok(first.usage.completion_tokens_details.reasoning_tokens > 0, JSON.stringify(first.usage));
  const result = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'Sunny at 21 degrees' };
  const ask = told => client.chat.completions.create({
    model: target.model, messages: [...messages, told, result], tools: [tool], reasoning_effort: 'medium',
  });
  const second = await ask(message);
  assert.match(second.choices[0].message.content, /Sunny at 21 degrees/);
  if (!target.gateway || target.vendor !== 'anthropic') return;
  assert.ok(message.reasoning_details.some(detail => detail.signature?.length > 10), JSON.stringify(message));
  // Proof that the signature went on and was verified: with another text it does not fit.
  const reasoning_details = message.reasoning_details.map(detail => detail.text ? { ...detail, text: detail.text + ' Or not.' } : detail);
  const error = await errorOf(() => ask({ ...message, reasoning_details }));
  assert.ok(error instanceof OpenAI.BadRequestError, String(error));
  assert.match(error.message, /signature/i);
}

// A conversation begun with one vendor goes on at another: what only the first can read is withheld there, named, and there again afterwards.
async function switch_vendor(target) {
  const client = clientOf(target);
  const ask = (model, messages) => client.chat.completions.create({ model, messages, tools: [tool], reasoning_effort: 'medium' }).withResponse();
  const messages = [user('What is the weather in Paris right now?')];
  const first = await ask('anthropic/claude-haiku-4-5', messages);
  const { message } = first.data.choices[0];
  assert.ok(message.reasoning_details.some(detail => detail.signature?.length > 10), JSON.stringify(message));
  messages.push(message, { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'Sunny at 21 degrees' });
  const second = await ask(target.model, messages);
  assert.match(second.data.choices[0].message.content, /Sunny at 21 degrees/);
  const answeredBy = second.response.headers.get('x-ballast-deployment');
  const losses = second.response.headers.get('x-ballast-loss') ?? '';
  assert.equal(/\/messages\/1\/reasoning/.test(losses), !/\/claude-haiku-4-5$/.test(answeredBy), `${answeredBy} lost '${losses}'`);
  messages.push(second.data.choices[0].message, user('And in London?'));
  const third = await ask('anthropic/claude-haiku-4-5', messages);
  assert.ok(['stop', 'tool_calls'].includes(third.data.choices[0].finish_reason));
}

// A call that Google's model signed goes back with its signature, though the application knows nothing of it: with another one it is refused, and where the application has
// thrown it away, the conversation goes on all the same.
async function signed_calls(target) {
  const client = clientOf(target);
  const messages = [user('Compare the weather in Paris and London.')];
  const first = await client.chat.completions.create({ model: target.model, messages, tools: [tool], tool_choice: 'required' });
  const { message } = first.choices[0];
  assert.equal(message.tool_calls.length, 2);
  const results = message.tool_calls.map((call, i) => ({ role: 'tool', tool_call_id: call.id, content: `Number ${i}` }));
  const ask = told => client.chat.completions.create({ model: target.model, messages: [...messages, told, ...results], tools: [tool] });
  assert.match((await ask(message)).choices[0].message.content, /Number 0.*Number 1/s);
  const { reasoning_details, ...bare } = message;
  assert.ok(reasoning_details.some(detail => detail.data?.length > 10), JSON.stringify(message));
  assert.match((await ask(bare)).choices[0].message.content, /Number 0.*Number 1/s);
  const tampered = reasoning_details.map(detail => detail.data ? { ...detail, data: detail.data.replace(/.{8}$/, 'AAAAAAA=') } : detail);
  const error = await errorOf(() => ask({ ...bare, reasoning_details: tampered }));
  assert.ok(error instanceof OpenAI.BadRequestError, String(error));
  assert.match(error.message, /thought signature/);
}

// The same from Google's model: its signed call goes to another vendor without the signature, named as lost, and back to Google with it.
async function switch_from_google(target) {
  const client = clientOf(target);
  const ask = (model, messages) => client.chat.completions.create({ model, messages, tools: [tool], reasoning_effort: 'medium' }).withResponse();
  const messages = [user('What is the weather in Paris right now?')];
  const first = await ask('gemini/gemini-3.5-flash', messages);
  const { message } = first.data.choices[0];
  assert.ok(message.reasoning_details.some(detail => detail.data?.length > 10), JSON.stringify(message));
  messages.push(message, { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'Sunny at 21 degrees' });
  const second = await ask(target.model, messages);
  assert.match(second.data.choices[0].message.content, /Sunny at 21 degrees/);
  const answeredBy = second.response.headers.get('x-ballast-deployment');
  const losses = second.response.headers.get('x-ballast-loss') ?? '';
  assert.equal(/\/messages\/1\/reasoning_details/.test(losses), !/gemini/.test(answeredBy), `${answeredBy} lost '${losses}'`);
  messages.push(second.data.choices[0].message, user('And in London?'));
  const third = await ask('gemini/gemini-3.5-flash', messages);
  assert.ok(['stop', 'tool_calls'].includes(third.data.choices[0].finish_reason));
}

async function pdf(target) {
  const file = { filename: 'page.pdf', file_data: 'data:application/pdf;base64,' + onePage.toString('base64') };
  const ask = () => clientOf(target).chat.completions.create({
    model: target.model, messages: [user([{ type: 'text', text: 'Summarise this.' }, { type: 'file', file }])],
  });
  await checkDocument(target, ask, answer => answer.choices[0].message.content, /\/messages\/0\/content\/1/);
}

const classes = {
  400: OpenAI.BadRequestError, 401: OpenAI.AuthenticationError, 403: OpenAI.PermissionDeniedError, 404: OpenAI.NotFoundError, 429: OpenAI.RateLimitError, 500: OpenAI.InternalServerError,
};

const error_kinds = target => errorKinds(target, {
  ask: at => clientOf(at, at).chat.completions.create({ model: at.model, messages: at.wrong ? 'Hello' : [user(at.prompt)] }),
  streamed: async at => {
    for await (const chunk of await clientOf(at, at).chat.completions.create({ model: at.model, messages: [user(at.prompt)], stream: true })) void chunk;
  },
  look: error => ({ status: error.status, id: error.requestID, wait: error.headers?.get('retry-after') }),
  classOf: status => status === undefined ? OpenAI.APIError : classes[Math.min(status, 500)] ?? OpenAI.APIError,
});

// Chat Completions keeps nothing here: what was asked to be stored cannot be had again, and the SDK is told so.
async function stored(target) {
  const client = clientOf(target);
  const answer = await client.chat.completions.create({ model: target.model, messages: [user(exactPrompt)], store: true });
  assert.equal(answer.choices[0].message.content, exactText);
  const error = await errorOf(() => client.chat.completions.retrieve(answer.id));
  return checkError(target, error, OpenAI.NotFoundError, 404);
}

// Whatever the platform's own headers are called, the caller finds those of its protocol.
async function rate_limits(target) {
  const { response } = await clientOf(target).chat.completions.create({ model: target.model, messages: [user('Hello')] }).withResponse();
  const platform = response.headers.get('x-ballast-deployment').split('/')[0].split('-')[0];
  if (['openai', 'azure', 'anthropic'].includes(platform)) {
    for (const kind of ['requests', 'tokens']) {
      assert.ok(Number(response.headers.get(`x-ratelimit-limit-${kind}`)) > 100, `${platform}: ${[...response.headers]}`);
      // How much is left depends on what the other tests take within the minute: it is a number, and no more than the limit.
      const remaining = response.headers.get(`x-ratelimit-remaining-${kind}`) ?? 'none';
      assert.match(remaining, /^[0-9]+$/, `${platform}: ${[...response.headers]}`);
      assert.ok(Number(remaining) <= Number(response.headers.get(`x-ratelimit-limit-${kind}`)), `${platform}: ${[...response.headers]}`);
    }
  }
  assert.deepEqual([...response.headers.keys()].filter(name => /anthropic|azureml|apim|amzn|envoy/.test(name)), []);
}

async function models(target) {
  const ids = [];
  for await (const model of clientOf(target).models.list()) {
    assert.equal(model.object, 'model');
    ids.push(model.id);
  }
  assert.ok(ids.includes(target.model), ids.join(' '));
}

await run({
  text, developer, stream, stream_without_usage, stream_helper, tools, tool_choice, custom_tool, parallel_tools, structured, structured_stream, image, image_url,
  thinking, max_tokens, max_tokens_stream, stop, abort, unknown_model, wrong_key, wrong_types, wrong_types_stream, unknown_path, models,
  oversize, thinking_tools, switch_vendor, rate_limits, signed_calls, switch_from_google, pdf, error_kinds, stored,
});
