// npm `ai` with `@ai-sdk/openai` (targets with `protocol: "openai"`: Chat Completions; `protocol: "responses"`: the Responses API) and `@ai-sdk/anthropic`
// (`protocol: "anthropic"`).
import { generateText, streamText, tool, jsonSchema, stepCountIs, Output, APICallError } from 'ai';
import { createOpenAI } from '@ai-sdk/openai';
import { createAnthropic } from '@ai-sdk/anthropic';
import { z } from 'zod';
import {
  assert, run, errorOf, exactText, exactPrompt, countPrompt, counted, longPrompt, weather, checkWeatherArguments, png, onePage, errorKinds, assertFree, slow,
  checkDocument, lastLosses,
} from './suite.mjs';

const silent = { onError: () => {} };

function modelOf(target, { key = target.key, url = target.url, model = target.model, fetch } = {}) {
  const settings = { baseURL: url + (target.prefix ?? '/v1'), apiKey: key, fetch };
  switch (target.protocol) {
    case 'anthropic': return createAnthropic(settings)(model);
    case 'responses': return createOpenAI(settings)(model);
    default: return createOpenAI(settings).chat(model);
  }
}

function call(target, more, settings) {
  return { model: modelOf(target, settings), maxRetries: 0, maxOutputTokens: 1000, ...more };
}

function weatherTool(asked, answer) {
  return tool({
    description: weather.description,
    inputSchema: jsonSchema(weather.schema),
    execute: async given => {
      asked.push(given);
      return answer;
    },
  });
}

const pick = ({ key, url, model }) => ({ key, url, model });

async function text(target) {
  const answer = await generateText(call(target, { instructions: 'You are terse.', prompt: exactPrompt }));
  assert.equal(answer.text, exactText);
  assert.equal(answer.finishReason, 'stop');
  assert.ok(answer.usage.inputTokens > 5 && answer.usage.outputTokens > 2, JSON.stringify(answer.usage));
}

async function stream(target) {
  const answer = streamText(call(target, { prompt: countPrompt, ...silent }));
  let content = '';
  let pieces = 0;
  for await (const piece of answer.textStream) {
    content += piece;
    pieces++;
  }
  assert.equal(content, counted);
  assert.ok(pieces > 5, `only ${pieces} pieces`);
  assert.equal(await answer.finishReason, 'stop');
  assert.ok((await answer.usage).outputTokens > 20);
}

async function tools(target) {
  const asked = [];
  const answer = await generateText(call(target, {
    prompt: 'What is the weather in Paris right now?',
    tools: { get_weather: weatherTool(asked, 'Sunny at 21 degrees') }, stopWhen: stepCountIs(3),
  }));
  assert.equal(asked.length, 1);
  checkWeatherArguments(asked[0], 'Paris');
  assert.match(answer.text, /Sunny at 21 degrees/);
  assert.equal(answer.steps.length, 2);
}

async function parallel_tools(target) {
  const asked = [];
  const answer = streamText(call(target, {
    prompt: 'Compare the weather in Paris and London.',
    tools: { get_weather: weatherTool(asked, 'Fog and rain') }, stopWhen: stepCountIs(3), ...silent,
  }));
  const text = await answer.text;
  assert.equal(asked.length, 2, JSON.stringify(asked));
  checkWeatherArguments(asked[0], 'Paris');
  checkWeatherArguments(asked[1], 'London');
  assert.match(text, /Fog and rain.*Fog and rain/s);
}

async function structured(target) {
  const schema = z.object({ name: z.string(), masts: z.number().int(), kind: z.enum(['barque', 'brig', 'sloop']) });
  const answer = await generateText(call(target, { prompt: 'Describe a sailing ship.', output: Output.object({ schema }) }));
  schema.parse(answer.output);
}

async function image(target) {
  const answer = await generateText(call(target, {
    messages: [{ role: 'user', content: [{ type: 'text', text: 'What is in this picture?' }, { type: 'file', data: png(7, 5), mediaType: 'image/png' }] }],
  }));
  assert.match(answer.text, /7x5 png/);
}

async function pdf(target) {
  const ask = () => generateText(call(target, {
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Summarise this.' }, { type: 'file', data: onePage, mediaType: 'application/pdf', filename: 'page.pdf' }] }],
  }));
  await checkDocument(target, ask, answer => answer.text, /\/(messages|input)\/0\/content\/1/);
}

const reasons = {
  anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } },
  openai: { reasoningEffort: 'medium', forceReasoning: true },
};

// The SDK itself sends back what the first turn thought, with its signature.
async function thinking_tools(target) {
  const asked = [];
  const losses = [];
  const answer = await generateText(call(target, {
    prompt: 'What is the weather in Paris right now?', providerOptions: reasons, maxOutputTokens: 3000,
    tools: { get_weather: weatherTool(asked, 'Sunny at 21 degrees') }, stopWhen: stepCountIs(3), onStepFinish: () => { losses.push(lastLosses()); },
  }));
  assert.equal(asked.length, 1);
  assert.match(answer.text, /Sunny at 21 degrees/);
  if (target.lacks.includes('reasoning') || (target.lacks.includes('foreign reasoning') && target.protocol !== 'openai')) {
    assert.match(losses[0], /\/(thinking|reasoning|reasoning_effort)/);
  } else if (target.vendor === 'anthropic' && target.protocol === 'anthropic') {
    assert.match(JSON.stringify(answer.steps[0].response.messages), /"signature":"[^"]{10}/);
  }
}

// The other side keeps the conversation.
async function state(target) {
  const first = await generateText(call(target, { prompt: 'My name is Ada.' }));
  const { responseId } = first.finalStep?.providerMetadata?.openai ?? first.providerMetadata.openai;
  const second = await generateText(call(target, { prompt: 'What is my name?', providerOptions: { openai: { previousResponseId: responseId } } }));
  assert.match(second.text, /Ada/);
}

async function thinking(target) {
  const providerOptions = reasons;
  const messages = [{ role: 'user', content: 'Why do ships carry ballast?' }];
  const first = await generateText(call(target, { messages, providerOptions }));
  assert.ok(first.text.length > 10);
  if (target.protocol === 'anthropic' && target.vendor === 'anthropic') {
    assert.ok(first.reasoningText.length > 10);
  }
  const second = await generateText(call(target, {
    messages: [...messages, ...first.response.messages, { role: 'user', content: 'And why water?' }], providerOptions,
  }));
  assert.ok(second.text.length > 10);
  assert.equal(second.finishReason, 'stop');
}

async function max_tokens(target) {
  const answer = await generateText(call(target, { prompt: countPrompt, maxOutputTokens: 16 }));
  assert.equal(answer.finishReason, 'length');
  assert.ok(counted.startsWith(answer.text));
}

async function abort(target) {
  const controller = new AbortController();
  let id = crypto.randomUUID();
  const headers = { 'x-client-request-id': id };
  const watched = async (...request) => {
    const response = await fetch(...request);
    id = response.headers.get('x-ballast-request-id') ?? id;
    return response;
  };
  const answer = streamText(call(
    target, { prompt: longPrompt, maxOutputTokens: 4000, abortSignal: controller.signal, headers, ...silent },
    { ...pick(slow(target)), fetch: watched }));
  let seen = 0;
  let aborted = false;
  for await (const part of answer.fullStream) {
    if (part.type === 'text-delta' && ++seen === 3) controller.abort();
    aborted ||= part.type === 'abort';
  }
  assert.ok(aborted && seen >= 3, `aborted: ${aborted}, seen: ${seen}`);
  await assertFree(target, text);
  return { id };
}

async function checkRefusal(target, status, settings, more) {
  const error = await errorOf(() => generateText(call(target, { prompt: 'Hello', ...more }, settings)));
  assert.ok(APICallError.isInstance(error), String(error));
  assert.ok([status].flat().includes(error.statusCode), String(error.statusCode));
  assert.ok(error.message.length > 5, error.message);
  return { request_id: error.responseHeaders[target.protocol === 'anthropic' ? 'request-id' : 'x-request-id'] };
}

const unknown_model = target =>
  checkRefusal(target, target.protocol === 'responses' && !target.gateway ? 400 : 404, { model: target.model.includes('/') ? target.model.split('/')[0] + '/no-such-model' : 'no-such-model' });

const wrong_key = target => checkRefusal(target, target.wrongKeyStatus ?? 401, { key: 'a-key-that-nobody-gave' });

const wrong_types = target => checkRefusal(target, [400, 404], undefined, wrong(target));

// What goes wrong in a stream is a part of it, which holds what the platform or the gateway said.
const error_kinds = target => errorKinds(target, {
  ask: at => generateText(call(at, { prompt: at.prompt, ...(at.wrong && wrong(at)) }, at)),
  streamed: async at => {
    for await (const part of streamText(call(at, { prompt: at.prompt, ...silent }, at)).fullStream) {
      if (part.type === 'error') throw Object.assign(new Error(JSON.stringify(part.error)), { name: 'error part' });
    }
  },
  look: error => ({
    status: error.statusCode, id: error.responseHeaders?.[target.protocol === 'anthropic' ? 'request-id' : 'x-request-id'], wait: error.responseHeaders?.['retry-after'],
  }),
  classOf: status => status === undefined ? 'error part' : APICallError,
  statuses: target.protocol === 'responses' ? { wrong: [400, 404], unknown: target.gateway ? 404 : 400 } : {},
});

// The Responses API knows no stop sequences, and the SDK sends none: there it is an answer that nobody has given.
const wrong = at => at.protocol === 'responses' ? { providerOptions: { openai: { previousResponseId: 'resp_none' } } } : { stopSequences: [7] };

async function stream_error(target) {
  const errors = [];
  const answer = streamText({
    ...call(target, { prompt: 'Hello' }, { key: 'a-key-that-nobody-gave' }), onError: ({ error }) => errors.push(error),
  });
  for await (const part of answer.fullStream) {
    if (part.type === 'error') errors.push(part.error);
  }
  assert.ok(errors.length > 0 && APICallError.isInstance(errors[0]), String(errors[0]));
  assert.equal(errors[0].statusCode, target.wrongKeyStatus ?? 401);
}

await run({ text, stream, tools, parallel_tools, structured, image, pdf, thinking, thinking_tools, state, max_tokens, abort, unknown_model, wrong_key, wrong_types, stream_error, error_kinds });
