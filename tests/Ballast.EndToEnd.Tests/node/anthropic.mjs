// npm `@anthropic-ai/sdk`, and for targets with `cloud`: `@anthropic-ai/bedrock-sdk`, `@anthropic-ai/vertex-sdk` or `@anthropic-ai/foundry-sdk`.
import Anthropic from '@anthropic-ai/sdk';
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk';
import { AnthropicFoundry } from '@anthropic-ai/foundry-sdk';
import { AnthropicVertex } from '@anthropic-ai/vertex-sdk';
import { OAuth2Client } from 'google-auth-library';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { z } from 'zod';
import {
  assert, run, errorOf, exactText, exactPrompt, countPrompt, counted, longPrompt, weather, checkWeatherArguments, png, onePage, errorKinds, assertFree, slow, checkDocument, lastId,
  lastLosses,
} from './suite.mjs';

function clientOf(target, { key = target.key, url = target.url, aws = target.aws, token } = {}) {
  const maxRetries = 0;
  switch (target.cloud) {
    case 'bedrock':
      return new AnthropicBedrock({
        baseURL: url, awsRegion: 'eu-west-1', maxRetries,
        ...(aws ? { awsAccessKey: aws.accessKeyId, awsSecretKey: aws.secretAccessKey, awsSessionToken: aws.sessionToken ?? null } : { apiKey: key }),
      });
    case 'vertex': {
      const authClient = new OAuth2Client();
      authClient.setCredentials({ access_token: key });
      return new AnthropicVertex({ baseURL: url + '/v1', region: 'europe-west1', projectId: 'sandbox-project', authClient, maxRetries });
    }
    case 'foundry':
      return new AnthropicFoundry({ baseURL: url + '/anthropic/', resource: null, maxRetries, ...(token ? { azureADTokenProvider: async () => token } : { apiKey: key }) });
    default:
      return new Anthropic({ baseURL: url, apiKey: key, authToken: null, maxRetries });
  }
}

const user = content => ({ role: 'user', content });
const tool = { name: weather.name, description: weather.description, input_schema: weather.schema };
const textOf = message => message.content.filter(block => block.type === 'text').map(block => block.text).join('');

async function text(target) {
  const { data, response, request_id } = await clientOf(target).messages.create({
    model: target.model, max_tokens: 500, system: 'You are terse.', messages: [user(exactPrompt)],
  }).withResponse();
  assert.equal(data.type, 'message');
  assert.equal(data.role, 'assistant');
  assert.equal(data.content.length, 1);
  assert.equal(data.content[0].type, 'text');
  assert.equal(data.content[0].text, exactText);
  assert.equal(data.stop_reason, 'end_turn');
  assert.ok(data.usage.input_tokens > 5 && data.usage.output_tokens > 2, JSON.stringify(data.usage));
  assert.ok(data.id && data.model);
  assert.ok(request_id || target.cloud === 'bedrock', 'no request-id'); // this client does not look where AWS puts it
  return { request_id, deployment: response.headers.get('x-ballast-deployment') };
}

async function turns(target) {
  const answer = await clientOf(target).messages.create({
    model: target.model, max_tokens: 500, system: [{ type: 'text', text: 'Be brief.' }],
    messages: [user([{ type: 'text', text: 'My name is Ada.' }]), { role: 'assistant', content: 'Hello Ada.' }, user('What is my name?')],
  });
  assert.match(textOf(answer), /Ada/);
}

async function stream(target) {
  const events = await clientOf(target).messages.create({ model: target.model, max_tokens: 500, messages: [user(countPrompt)], stream: true });
  const names = [];
  let content = '';
  let deltas = 0;
  let ending;
  for await (const event of events) {
    names.push(event.type);
    if (event.type === 'content_block_delta') {
      content += event.delta.text;
      deltas++;
    }
    if (event.type === 'message_delta') ending = event;
  }
  assert.equal(content, counted);
  assert.ok(deltas > 5, `only ${deltas} pieces`);
  assert.equal(names[0], 'message_start');
  assert.equal(names.at(-1), 'message_stop');
  assert.equal(names.filter(name => name === 'message_stop').length, 1);
  assert.equal(ending.delta.stop_reason, 'end_turn');
  assert.ok(ending.usage.output_tokens > 20, JSON.stringify(ending.usage));
}

async function stream_helper(target) {
  const stream = clientOf(target).messages.stream({ model: target.model, max_tokens: 500, messages: [user(exactPrompt)] });
  assert.equal(await stream.finalText(), exactText);
  const message = await stream.finalMessage();
  assert.equal(message.stop_reason, 'end_turn');
  assert.ok(message.usage.input_tokens > 5 && message.usage.output_tokens > 2, JSON.stringify(message.usage));
}

async function tools(target) {
  const client = clientOf(target);
  const messages = [user('What is the weather in Paris right now?')];
  const first = await client.messages.create({ model: target.model, max_tokens: 500, messages, tools: [tool] });
  assert.equal(first.stop_reason, 'tool_use');
  const call = first.content.find(block => block.type === 'tool_use');
  assert.equal(call.name, weather.name);
  checkWeatherArguments(call.input, 'Paris');
  const second = await client.messages.create({
    model: target.model, max_tokens: 500, tools: [tool],
    messages: [...messages, { role: 'assistant', content: first.content },
      user([{ type: 'tool_result', tool_use_id: call.id, content: [{ type: 'text', text: 'Sunny at 21 degrees' }] }])],
  });
  assert.equal(second.stop_reason, 'end_turn');
  assert.match(textOf(second), /Sunny at 21 degrees/);
}

// This client would leave the conversation at its vendor, and sends it whole where it is told that nobody has it.
async function tool_runner(target) {
  const calls = [];
  const runner = clientOf(target).beta.messages.toolRunner({
    model: target.model, max_tokens: 500, messages: [user('What is the weather in Paris right now?')],
    tools: [{ ...tool, parse: input => input, run: input => { calls.push(input); return 'Sunny at 21 degrees'; } }],
  });
  const answer = await runner.runUntilDone();
  assert.equal(calls.length, 1);
  checkWeatherArguments(calls[0], 'Paris');
  assert.match(textOf(answer), /Sunny at 21 degrees/);
}

async function message_thread(target) {
  const thread = clientOf(target).beta.messages.thread({ model: target.model, max_tokens: 500, system: 'Be brief.' });
  const first = await thread.send(user('My name is Ada.')).withResponse();
  if (target.model !== 'assistant') assert.ok(lastLosses().includes('/thread'), lastLosses());
  await thread.send(user('The weather is fine.'));
  assert.match(textOf(await thread.stream(user('What is my name?')).finalMessage()), /Ada/);
  assert.ok(first.data.id);
}

async function tool_choice(target) {
  const answer = await clientOf(target).messages.create({
    model: target.model, max_tokens: 500, messages: [user('Good morning!')], tools: [tool], tool_choice: { type: 'tool', name: weather.name },
  });
  const call = answer.content.find(block => block.type === 'tool_use');
  checkWeatherArguments(call.input, '');
  assert.equal(answer.stop_reason, 'tool_use');
}

async function parallel_tools(target) {
  const client = clientOf(target);
  const messages = [user('Compare the weather in Paris and London.')];
  const stream = client.messages.stream({ model: target.model, max_tokens: 500, messages, tools: [tool], tool_choice: { type: 'any' } });
  const first = await stream.finalMessage();
  const calls = first.content.filter(block => block.type === 'tool_use');
  assert.equal(first.stop_reason, 'tool_use');
  assert.equal(calls.length, 2, JSON.stringify(first.content));
  assert.notEqual(calls[0].id, calls[1].id);
  checkWeatherArguments(calls[0].input, 'Paris');
  checkWeatherArguments(calls[1].input, 'London');
  const second = await client.messages.create({
    model: target.model, max_tokens: 500, tools: [tool],
    messages: [...messages, { role: 'assistant', content: first.content }, user([
      { type: 'tool_result', tool_use_id: calls[0].id, content: 'Rain in the first' },
      { type: 'tool_result', tool_use_id: calls[1].id, content: 'Fog in the second' },
    ])],
  });
  assert.match(textOf(second), /Rain in the first.*Fog in the second/s);
  assert.equal(second.stop_reason, 'end_turn');
}

const shipSchema = z.object({
  name: z.string(),
  masts: z.number().int(),
  cargo: z.array(z.object({ label: z.string(), tons: z.number() })),
  kind: z.enum(['barque', 'brig', 'sloop']),
});

async function structured(target) {
  const answer = await clientOf(target).messages.parse({
    model: target.model, max_tokens: 500, messages: [user('Describe a sailing ship.')], output_config: { format: zodOutputFormat(shipSchema) },
  });
  assert.equal(answer.stop_reason, 'end_turn');
  shipSchema.parse(answer.parsed_output);
  assert.ok(answer.content.every(block => block.type === 'text'), 'the envelope of an emulation shows: ' + JSON.stringify(answer.content));
}

async function image(target) {
  const answer = await clientOf(target).messages.create({
    model: target.model, max_tokens: 500,
    messages: [user([
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png(7, 5).toString('base64') } },
      { type: 'text', text: 'What is in this picture?' },
    ])],
  });
  assert.match(textOf(answer), /7x5 png/);
}

async function image_url(target) {
  const answer = await clientOf(target).messages.create({
    model: target.model, max_tokens: 500,
    messages: [user([{ type: 'image', source: { type: 'url', url: 'https://example.com/ship.png' } }, { type: 'text', text: 'What is in this picture?' }])],
  });
  assert.match(textOf(answer), /the image at the given address/);
}

const enabled = { type: 'enabled', budget_tokens: 1024 };

async function thinking(target) {
  const client = clientOf(target);
  const messages = [user('Why do ships carry ballast?')];
  const first = await client.messages.create({ model: target.model, max_tokens: 3000, messages, thinking: enabled });
  assert.ok(textOf(first).length > 10);
  if (target.vendor === 'anthropic') {
    assert.equal(first.content[0].type, 'thinking');
    assert.ok(first.content[0].thinking.length > 10);
    assert.ok(first.content[0].signature.length > 10);
  }
  const second = await client.messages.create({
    model: target.model, max_tokens: 3000, messages: [...messages, { role: 'assistant', content: first.content }, user('And why water?')], thinking: enabled,
  });
  assert.ok(textOf(second).length > 10);
  assert.equal(second.stop_reason, 'end_turn');
}

// With tools, the thinking block before a call must come back with its signature, or the vendor refuses the next turn.
async function thinking_tools(target) {
  const client = clientOf(target);
  const messages = [user('What is the weather in Paris right now?')];
  const first = await client.messages.stream({ model: target.model, max_tokens: 3000, messages, tools: [tool], thinking: enabled }).finalMessage();
  assert.equal(first.stop_reason, 'tool_use');
  const call = first.content.find(block => block.type === 'tool_use');
  if (target.vendor === 'anthropic') {
    assert.equal(first.content[0].type, 'thinking');
    assert.ok(first.content[0].signature.length > 10);
  }
  if (target.lacks.includes('reasoning') || target.lacks.includes('foreign reasoning')) assert.match(lastLosses(), /\/thinking/);
  const second = await client.messages.create({
    model: target.model, max_tokens: 3000, tools: [tool], thinking: enabled,
    messages: [...messages, { role: 'assistant', content: first.content }, user([{ type: 'tool_result', tool_use_id: call.id, content: 'Sunny at 21 degrees' }])],
  });
  assert.match(textOf(second), /Sunny at 21 degrees/);
}

// A signature that was tampered with must reach its issuer as it is, and be refused there: proof that signatures are really verified.
async function thinking_tampered(target) {
  const client = clientOf(target);
  const messages = [user('What is the weather in Paris right now?')];
  const first = await client.messages.create({ model: target.model, max_tokens: 3000, messages, tools: [tool], thinking: enabled });
  const content = first.content.map(block => block.type === 'thinking' ? { ...block, thinking: block.thinking + ' Or not.' } : block);
  const call = first.content.find(block => block.type === 'tool_use');
  const error = await errorOf(() => client.messages.create({
    model: target.model, max_tokens: 3000, tools: [tool], thinking: enabled,
    messages: [...messages, { role: 'assistant', content }, user([{ type: 'tool_result', tool_use_id: call.id, content: 'Sunny' }])],
  }));
  assert.ok(error instanceof Anthropic.BadRequestError, String(error));
  assert.match(error.message, /signature/i);
  return { request_id: error.requestID };
}

// A conversation begun with one vendor goes on at another: the signature of the first is withheld there, named, and there again afterwards.
async function switch_vendor(target) {
  const client = clientOf(target);
  const ask = (model, messages) => client.messages.create({ model, max_tokens: 3000, messages, tools: [tool], thinking: enabled }).withResponse();
  const messages = [user('What is the weather in Paris right now?')];
  const first = await ask('anthropic/claude-haiku-4-5', messages);
  assert.ok(first.data.content[0].signature.length > 10);
  const call = first.data.content.find(block => block.type === 'tool_use');
  messages.push({ role: 'assistant', content: first.data.content }, user([{ type: 'tool_result', tool_use_id: call.id, content: 'Sunny at 21 degrees' }]));
  const second = await ask(target.model, messages);
  assert.match(textOf(second.data), /Sunny at 21 degrees/);
  const answeredBy = second.response.headers.get('x-ballast-deployment');
  const losses = second.response.headers.get('x-ballast-loss') ?? '';
  assert.equal(/\/messages\/1\/content\/0/.test(losses), !/\/claude-haiku-4-5$/.test(answeredBy), `${answeredBy} lost '${losses}'`);
  messages.push({ role: 'assistant', content: second.data.content }, user('And in London?'));
  const third = await ask('anthropic/claude-haiku-4-5', messages);
  assert.ok(['end_turn', 'tool_use'].includes(third.data.stop_reason));
}

// A call that Google's model signed: its signature comes as a block that only Google can read, and goes back unchanged; with another it is refused.
async function signed_calls(target) {
  const client = clientOf(target);
  const messages = [user('Compare the weather in Paris and London.')];
  const first = await client.messages.stream({ model: target.model, max_tokens: 3000, messages, tools: [tool], tool_choice: { type: 'any' } }).finalMessage();
  const calls = first.content.filter(block => block.type === 'tool_use');
  assert.equal(calls.length, 2);
  assert.ok(first.content.some(block => block.type === 'redacted_thinking'), JSON.stringify(first.content));
  const results = user(calls.map((call, i) => ({ type: 'tool_result', tool_use_id: call.id, content: `Number ${i}` })));
  const ask = content => client.messages.create({ model: target.model, max_tokens: 3000, messages: [...messages, { role: 'assistant', content }, results], tools: [tool] });
  assert.match(textOf(await ask(first.content)), /Number 0.*Number 1/s);
  assert.match(textOf(await ask(calls)), /Number 0.*Number 1/s);
  const tampered = first.content.map(block => block.type === 'redacted_thinking' ? { ...block, data: block.data.replace(/.{8}$/, 'AAAAAAA=') } : block);
  const error = await errorOf(() => ask(tampered));
  assert.ok(error instanceof Anthropic.BadRequestError, String(error));
  assert.match(error.message, /thought signature/);
}

// The same from Google's model: its signed call goes to another vendor without the signature, named as lost, and back to Google with it.
async function switch_from_google(target) {
  const client = clientOf(target);
  const ask = (model, messages) => client.messages.create({ model, max_tokens: 3000, messages, tools: [tool], thinking: enabled }).withResponse();
  const messages = [user('What is the weather in Paris right now?')];
  const first = await ask('gemini/gemini-3.5-flash', messages);
  assert.ok(first.data.content.some(block => block.type === 'redacted_thinking'), JSON.stringify(first.data.content));
  const call = first.data.content.find(block => block.type === 'tool_use');
  messages.push({ role: 'assistant', content: first.data.content }, user([{ type: 'tool_result', tool_use_id: call.id, content: 'Sunny at 21 degrees' }]));
  const second = await ask(target.model, messages);
  assert.match(textOf(second.data), /Sunny at 21 degrees/);
  const answeredBy = second.response.headers.get('x-ballast-deployment');
  const losses = second.response.headers.get('x-ballast-loss') ?? '';
  assert.equal(/\/messages\/1\/content\/1/.test(losses), !/gemini/.test(answeredBy), `${answeredBy} lost '${losses}'`);
  messages.push({ role: 'assistant', content: second.data.content }, user('And in London?'));
  const third = await ask('gemini/gemini-3.5-flash', messages);
  assert.ok(['end_turn', 'tool_use'].includes(third.data.stop_reason));
}

async function pdf(target) {
  const source = { type: 'base64', media_type: 'application/pdf', data: onePage.toString('base64') };
  const ask = () => clientOf(target).messages.create({
    model: target.model, max_tokens: 500, messages: [user([{ type: 'document', source }, { type: 'text', text: 'Summarise this.' }])],
  });
  await checkDocument(target, ask, textOf, /\/messages\/0\/content\/0/);
}

const classes = {
  400: Anthropic.BadRequestError, 401: Anthropic.AuthenticationError, 403: Anthropic.PermissionDeniedError, 404: Anthropic.NotFoundError, 429: Anthropic.RateLimitError,
  500: Anthropic.InternalServerError,
};

// AWS has other statuses than Anthropic for two of them, and its client looks for an id where AWS has none.
const error_kinds = target => errorKinds(target, {
  ask: at => clientOf(at).messages.create({ model: at.model, max_tokens: 50, messages: at.wrong ? 'Hello' : [user(at.prompt)] }),
  streamed: async at => {
    for await (const event of await clientOf(at).messages.create({ model: at.model, max_tokens: 50, messages: [user(at.prompt)], stream: true })) void event;
  },
  look: error => ({ status: error.status, id: target.cloud === 'bedrock' ? undefined : error.requestID, wait: error.headers?.get('retry-after') }),
  classOf: status => status === undefined ? Anthropic.APIError : classes[Math.min(status, 500)] ?? Anthropic.APIError,
  statuses: target.cloud === 'bedrock' ? { key: 403, unknown: target.gateway ? 404 : 400 } : {},
  waits: !(target.cloud === 'vertex' && !target.gateway), // Google tells the wait in the body
});

// A token of the directory in the key's place.
async function entra(target) {
  const answer = await clientOf(target, { token: target.token }).messages.create({ model: target.model, max_tokens: 500, messages: [user(exactPrompt)] });
  assert.equal(textOf(answer), exactText);
}

// The vendor demands a limit; a caller that gives none to the gateway gets one that does not cut its answer.
async function no_max_tokens(target) {
  const answer = await clientOf(target).post('/v1/messages', { body: { model: target.model, messages: [user(countPrompt)] } });
  assert.equal(answer.stop_reason, 'end_turn');
  assert.equal(textOf(answer), counted);
}

// The gateway answers before it has read such a body; the SDK must come to see that answer, not a broken connection.
async function oversize(target) {
  const error = await errorOf(() => clientOf(target).messages.create({ model: target.model, max_tokens: 10, messages: [user('x'.repeat(3 << 20))] }));
  return checkError(target, error, Anthropic.APIError, 413, 'request_too_large');
}

// Whatever the platform's own headers are called, the caller finds those of its protocol.
async function rate_limits(target) {
  const { response } = await clientOf(target).messages.create({ model: target.model, max_tokens: 50, messages: [user('Hello')] }).withResponse();
  const platform = response.headers.get('x-ballast-deployment').split('/')[0].split('-')[0];
  if (['openai', 'azure', 'anthropic'].includes(platform)) {
    for (const kind of ['requests', 'tokens']) {
      const limit = Number(response.headers.get(`anthropic-ratelimit-${kind}-limit`));
      const remaining = response.headers.get(`anthropic-ratelimit-${kind}-remaining`) ?? 'none';
      assert.ok(limit > 100, `${platform}: ${[...response.headers]}`);
      assert.match(remaining, /^[0-9]+$/, `${platform}: ${[...response.headers]}`);
      assert.ok(Number(remaining) <= limit, `${platform}: ${[...response.headers]}`);
      assert.ok(Date.parse(response.headers.get(`anthropic-ratelimit-${kind}-reset`)) > 0, `${platform}: ${[...response.headers]}`);
    }
  }
  assert.deepEqual([...response.headers.keys()].filter(name => /^x-ratelimit|azureml|apim|amzn|openai|envoy/.test(name)), []);
}

async function max_tokens(target) {
  const answer = await clientOf(target).messages.create({ model: target.model, max_tokens: 9, messages: [user(countPrompt)] });
  assert.equal(answer.stop_reason, 'max_tokens');
  assert.ok(answer.usage.output_tokens <= 9 && answer.usage.output_tokens > 0);
  assert.ok(counted.startsWith(textOf(answer)));
}

async function max_tokens_stream(target) {
  const answer = await clientOf(target).messages.stream({ model: target.model, max_tokens: 9, messages: [user(countPrompt)] }).finalMessage();
  assert.equal(answer.stop_reason, 'max_tokens');
}

async function stop(target) {
  const answer = await clientOf(target).messages.create({
    model: target.model, max_tokens: 500, messages: [user(countPrompt)], stop_sequences: [', 7'],
  });
  assert.equal(textOf(answer), '1, 2, 3, 4, 5, 6');
  // OpenAI's protocol cannot tell a stop sequence from a natural end; Converse can, for every vendor.
  const reasons = { anthropic: ['stop_sequence'], any: ['stop_sequence', 'end_turn'], meta: ['stop_sequence', 'end_turn'] };
  assert.ok((reasons[target.vendor] ?? ['end_turn']).includes(answer.stop_reason), answer.stop_reason);
}

async function cache_control(target) {
  const system = [{ type: 'text', text: 'Ballast keeps a ship upright. '.repeat(400), cache_control: { type: 'ephemeral' } }];
  const client = clientOf(target);
  const ask = () => client.messages.create({ model: target.model, max_tokens: 100, system, messages: [user(exactPrompt)] });
  const first = await ask();
  const second = await ask();
  const all = usage => usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
  assert.ok(second.usage.cache_read_input_tokens > 1000, JSON.stringify(second.usage));
  assert.equal(all(first.usage), all(second.usage));
}

async function abort(target) {
  const id = crypto.randomUUID();
  const { data: events, response } = await clientOf(slow(target)).messages.create({
    model: target.slowModel, max_tokens: 4000, messages: [user(longPrompt)], stream: true,
  }, { headers: { 'x-client-request-id': id } }).withResponse();
  let seen = 0;
  const error = await errorOf(async () => {
    for await (const event of events) {
      if (event.type === 'content_block_delta' && ++seen === 3) events.controller.abort();
    }
    throw new Anthropic.APIUserAbortError();
  });
  assert.ok(error instanceof Anthropic.APIUserAbortError || error.name === 'AbortError', String(error));
  assert.ok(seen >= 3 && seen < 300, `${seen} pieces`); // what had come with the third is still handed out
  const seenAs = lastId() ?? (target.cloud === 'bedrock' ? response.headers.get('x-amzn-requestid') : id);
  await assertFree(target, text);
  return { id: seenAs };
}

async function count_tokens(target) {
  const count = await clientOf(target).messages.countTokens({ model: target.model, messages: [user('How many tokens are these?')] });
  assert.ok(count.input_tokens > 4 && count.input_tokens < 60, JSON.stringify(count));
}

function checkError(target, error, kind, status, type) {
  assert.ok(error instanceof kind, `${error?.constructor?.name}: ${error}`);
  assert.equal(error.status, status);
  assert.equal(error.error?.type, 'error', JSON.stringify(error.error));
  assert.equal(error.error.error.type, type);
  assert.ok(error.error.error.message.length > 5);
  assert.ok(error.requestID, 'no request id');
  if (target.gateway) {
    assert.ok(error.requestID.startsWith('req_'));
    assert.equal(error.error.request_id, error.requestID);
  }
  return { request_id: error.requestID, type };
}

async function unknown_model(target) {
  const model = target.model.includes('/') ? target.model.split('/')[0] + '/no-such-model' : 'no-such-model';
  const error = await errorOf(() => clientOf(target).messages.create({ model, max_tokens: 10, messages: [user('Hello')] }));
  return checkError(target, error, Anthropic.NotFoundError, 404, 'not_found_error');
}

async function wrong_key(target) {
  const error = await errorOf(() => clientOf(target, { key: 'a-key-that-nobody-gave' }).messages.create({
    model: target.model, max_tokens: 10, messages: [user('Hello')],
  }));
  return checkError(target, error, Anthropic.AuthenticationError, 401, 'authentication_error');
}

async function wrong_types(target) {
  const error = await errorOf(() => clientOf(target).messages.create({ model: target.model, max_tokens: 10, messages: 'Hello' }));
  return checkError(target, error, Anthropic.BadRequestError, 400, 'invalid_request_error');
}

async function wrong_types_stream(target) {
  const error = await errorOf(() => clientOf(target).messages.create({
    model: target.model, max_tokens: 10, messages: [user('Hello')], tools: 'hammer', stream: true,
  }));
  return checkError(target, error, Anthropic.BadRequestError, 400, 'invalid_request_error');
}

async function unknown_path(target) {
  const error = await errorOf(() => clientOf(target).post('/v1/messages/no/such/path', { body: { model: target.model } }));
  return checkError(target, error, Anthropic.NotFoundError, 404, 'not_found_error');
}

async function models(target) {
  const ids = [];
  for await (const model of clientOf(target).models.list()) {
    assert.equal(model.type, 'model');
    ids.push(model.id);
  }
  assert.ok(ids.includes(target.model), ids.join(' '));
  // Page by page to the end, by the SDK's own pager; and back from the last one.
  let pages = 0;
  const paged = [];
  for await (const page of (await clientOf(target).models.list({ limit: 2 })).iterPages()) {
    assert.ok(page.data.length > 0 && page.data.length <= 2, JSON.stringify(page.data));
    assert.deepEqual([page.first_id, page.last_id], [page.data[0].id, page.data.at(-1).id]);
    paged.push(...page.data.map(model => model.id));
    pages++;
  }
  assert.deepEqual(paged, ids);
  assert.equal(pages, Math.ceil(ids.length / 2));
  if (target.gateway) {
    const back = [];
    for await (const page of (await clientOf(target).models.list({ limit: 3, before_id: ids.at(-1) })).iterPages()) back.unshift(...page.data.map(model => model.id));
    assert.deepEqual(back, ids.slice(0, -1));
    for (const wrong of [{ limit: 0 }, { limit: 1001 }, { after_id: 'no-such-model' }]) {
      const error = await errorOf(() => clientOf(target).models.list(wrong));
      checkError(target, error, Anthropic.BadRequestError, 400, 'invalid_request_error');
      assert.ok(error.message.includes(Object.keys(wrong)[0]), error.message);
    }
  }
}

await run({
  text, turns, stream, stream_helper, tools, tool_runner, message_thread, tool_choice, parallel_tools, structured, image, image_url, thinking, thinking_tools, thinking_tampered,
  max_tokens, max_tokens_stream, stop, cache_control, abort, count_tokens, unknown_model, wrong_key, wrong_types, wrong_types_stream, unknown_path,
  models, switch_vendor, no_max_tokens, oversize, rate_limits, signed_calls, switch_from_google, pdf, error_kinds, entra,
});
