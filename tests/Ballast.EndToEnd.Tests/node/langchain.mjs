// npm `@langchain/openai` (targets with `protocol: "openai"`: Chat Completions; `protocol: "responses"`: the Responses API) and `@langchain/anthropic`.
import { ChatOpenAI } from '@langchain/openai';
import { ChatAnthropic } from '@langchain/anthropic';
import { HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { z } from 'zod';
import { assert, run, errorOf, exactText, exactPrompt, countPrompt, counted, longPrompt, weather, checkWeatherArguments, png, onePage, errorKinds, assertFree, slow, checkDocument, lastId, lastLosses } from './suite.mjs';

function modelOf(target, { key = target.key, url = target.url, model = target.model, headers, ...more } = {}) {
  const common = { model, maxTokens: 1000, maxRetries: 0, ...more };
  return target.protocol === 'anthropic'
    ? new ChatAnthropic({ ...common, apiKey: key, anthropicApiUrl: url, clientOptions: { defaultHeaders: headers } })
    : new ChatOpenAI({
      ...common, apiKey: key, configuration: { baseURL: url + (target.prefix ?? '/v1'), defaultHeaders: headers }, useResponsesApi: target.protocol === 'responses',
    });
}

const tool = { type: 'function', function: { name: weather.name, description: weather.description, parameters: weather.schema } };
const textOf = message => typeof message.content === 'string' ? message.content : message.content.filter(part => part.type === 'text').map(part => part.text).join('');

async function text(target) {
  const answer = await modelOf(target).invoke([new SystemMessage('You are terse.'), new HumanMessage(exactPrompt)]);
  assert.equal(textOf(answer), exactText);
  assert.ok(answer.usage_metadata.input_tokens > 5 && answer.usage_metadata.output_tokens > 2, JSON.stringify(answer.usage_metadata));
}

async function stream(target) {
  let whole;
  let pieces = 0;
  for await (const chunk of await modelOf(target).stream([new HumanMessage(countPrompt)])) {
    whole = whole ? whole.concat(chunk) : chunk;
    pieces++;
  }
  assert.equal(textOf(whole), counted);
  assert.ok(pieces > 5, `only ${pieces} pieces`);
  assert.ok(whole.usage_metadata.output_tokens > 20, JSON.stringify(whole.usage_metadata));
}

async function tools(target) {
  const bound = modelOf(target).bindTools([tool]);
  const messages = [new HumanMessage('What is the weather in Paris right now?')];
  const first = await bound.invoke(messages);
  assert.equal(first.tool_calls.length, 1, JSON.stringify(first.tool_calls));
  checkWeatherArguments(first.tool_calls[0].args, 'Paris');
  const second = await bound.invoke([...messages, first, new ToolMessage({ tool_call_id: first.tool_calls[0].id, content: 'Sunny at 21 degrees' })]);
  assert.match(textOf(second), /Sunny at 21 degrees/);
}

async function parallel_tools(target) {
  const bound = modelOf(target).bindTools([tool]);
  const messages = [new HumanMessage('Compare the weather in Paris and London.')];
  let first;
  for await (const chunk of await bound.stream(messages)) first = first ? first.concat(chunk) : chunk;
  assert.equal(first.tool_calls.length, 2, JSON.stringify(first.tool_calls));
  checkWeatherArguments(first.tool_calls[0].args, 'Paris');
  checkWeatherArguments(first.tool_calls[1].args, 'London');
  const answer = await bound.invoke([
    ...messages, first, ...first.tool_calls.map((call, i) => new ToolMessage({ tool_call_id: call.id, content: ['Rain in the first', 'Fog in the second'][i] })),
  ]);
  assert.match(textOf(answer), /Rain in the first.*Fog in the second/s);
}

async function structured(target) {
  const ship = z.object({ name: z.string(), masts: z.number().int() });
  const answer = await modelOf(target).withStructuredOutput(ship, { name: 'ship', method: 'jsonSchema' }).invoke('Describe a sailing ship.');
  ship.parse(answer);
}

async function image(target) {
  const url = 'data:image/png;base64,' + png(7, 5).toString('base64');
  const answer = await modelOf(target).invoke([new HumanMessage({ content: [{ type: 'text', text: 'What is in this picture?' }, { type: 'image_url', image_url: { url } }] })]);
  assert.match(textOf(answer), /7x5 png/);
}

async function pdf(target) {
  const page = { type: 'file', source_type: 'base64', mime_type: 'application/pdf', data: onePage.toString('base64'), metadata: { filename: 'page.pdf' } };
  const ask = () => modelOf(target).invoke([new HumanMessage({ content: [{ type: 'text', text: 'Summarise this.' }, page] })]);
  await checkDocument(target, ask, textOf, /\/(messages|input)\/0\/content\/1/);
}

// The first turn's message goes back as it came, with what it holds of thoughts and signatures.
async function thinking_tools(target) {
  const thinks = target.protocol === 'anthropic' ? { thinking: { type: 'enabled', budget_tokens: 1024 }, maxTokens: 3000 } : { reasoning: { effort: 'medium' } };
  const bound = modelOf(target, thinks).bindTools([tool]);
  const messages = [new HumanMessage('What is the weather in Paris right now?')];
  const first = await bound.invoke(messages);
  // Its chat model for OpenAI asks for reasoning only where a model is named as OpenAI names those that reason.
  if (target.lacks.includes('foreign reasoning') && target.protocol === 'anthropic') assert.match(lastLosses(), /\/thinking/);
  if (target.vendor === 'anthropic' && target.protocol === 'anthropic') {
    assert.ok(first.content.some(part => part.type === 'thinking' && part.signature?.length > 10), JSON.stringify(first.content));
  }
  const second = await bound.invoke([...messages, first, new ToolMessage({ tool_call_id: first.tool_calls[0].id, content: 'Sunny at 21 degrees' })]);
  assert.match(textOf(second), /Sunny at 21 degrees/);
}

// The other side keeps the conversation.
async function state(target) {
  const first = await modelOf(target).invoke([new HumanMessage('My name is Ada.')]);
  const second = await modelOf(target).invoke([new HumanMessage('What is my name?')], { previous_response_id: first.response_metadata.id });
  assert.match(textOf(second), /Ada/);
}

async function max_tokens(target) {
  const answer = await modelOf(target, { maxTokens: 16 }).invoke([new HumanMessage(countPrompt)]);
  assert.ok(counted.startsWith(textOf(answer)) && textOf(answer).length < counted.length, textOf(answer));
}

async function abort(target) {
  const id = crypto.randomUUID();
  const control = new AbortController();
  const model = modelOf(slow(target), { headers: { 'x-client-request-id': id } });
  let seen = 0;
  const error = await errorOf(async () => {
    for await (const chunk of await model.stream([new HumanMessage(longPrompt)], { signal: control.signal })) {
      if (textOf(chunk) && ++seen === 3) control.abort();
    }
    throw new Error('AbortError');
  });
  assert.match(error.name + error.message, /[Aa]bort/);
  const seenAs = lastId() ?? id;
  await assertFree(target, text);
  return { id: seenAs };
}

async function errors(target) {
  const ask = settings => errorOf(() => modelOf(target, settings).invoke([new HumanMessage('Hello')]));
  assert.ok([400, 404].includes((await ask({ model: target.gateway ? 'no/such-model' : 'no-such-model' })).status));
  assert.ok([401, 403].includes((await ask({ key: 'a-key-that-nobody-gave' })).status));
}

const classes = { 400: 'BadRequestError', 401: 'AuthenticationError', 403: 'PermissionDeniedError', 404: 'NotFoundError', 429: 'RateLimitError', 500: 'InternalServerError' };

// It hands on the errors of the SDKs that it is built on.
const error_kinds = target => errorKinds(target, {
  ask: at => modelOf(at, { ...pick(at), ...(at.wrong && { temperature: 'hot' }) }).invoke([new HumanMessage(at.prompt)]),
  streamed: async at => {
    for await (const chunk of await modelOf(at, pick(at)).stream([new HumanMessage(at.prompt)])) void chunk;
  },
  look: error => ({ status: error.status, id: error.requestID, wait: error.headers?.get('retry-after') }),
  classOf: status => status === undefined ? ['APIError', 'Error'] : classes[Math.min(status, 500)] ?? 'APIError',
  statuses: target.protocol === 'responses' && !target.gateway ? { unknown: [400, 404] } : {},
});

const pick = ({ key, url, model }) => ({ key, url, model });

await run({ text, stream, tools, parallel_tools, structured, image, pdf, thinking_tools, state, max_tokens, abort, errors, error_kinds });
