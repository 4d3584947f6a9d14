// npm `@google/genai`: generateContent as Google's own client speaks it, in its mode for Vertex AI where a target has `vertex: true`.
import { GoogleGenAI, ApiError, FunctionCallingConfigMode } from '@google/genai';
import { OAuth2Client } from 'google-auth-library';
import {
  assert, run, errorOf, exactText, exactPrompt, countPrompt, counted, longPrompt, weather, checkWeatherArguments, png, onePage, errorKinds, assertFree, slow, checkDocument, lastId,
  lastLosses,
} from './suite.mjs';

// In the mode for Vertex AI the client finds its way to project and location itself, and asks Google's own library for a token.
function clientOf(target, { key = target.key, url = target.url, headers } = {}) {
  if (target.vertex) {
    const authClient = new OAuth2Client();
    authClient.setCredentials({ access_token: key });
    return new GoogleGenAI({
      vertexai: true, project: 'sandbox-project', location: 'europe-west1', httpOptions: { baseUrl: url, headers }, googleAuthOptions: { authClient },
    });
  }
  return new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url, headers } });
}

const declared = [{ functionDeclarations: [{ name: weather.name, description: weather.description, parametersJsonSchema: weather.schema }] }];
const any = { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } };
const user = (...parts) => ({ role: 'user', parts: parts.map(part => typeof part === 'string' ? { text: part } : part) });
const result = (call, output) => ({ functionResponse: { ...(call.id && { id: call.id }), name: call.name, response: { output } } });
const finishOf = answer => answer.candidates[0].finishReason;

function checkUsage(usage) {
  assert.ok(usage.promptTokenCount > 3 && usage.candidatesTokenCount > 0, JSON.stringify(usage));
  assert.equal(usage.totalTokenCount, usage.promptTokenCount + usage.candidatesTokenCount + (usage.thoughtsTokenCount ?? 0));
}

async function collect(chunks) {
  const parts = [];
  let last;
  let finishes = 0;
  for await (const chunk of chunks) {
    parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
    finishes += chunk.candidates?.[0]?.finishReason ? 1 : 0;
    last = chunk;
  }
  return { parts, last, finishes, text: parts.filter(part => !part.thought).map(part => part.text ?? '').join('') };
}

async function text(target) {
  const answer = await clientOf(target).models.generateContent({
    model: target.model, contents: exactPrompt, config: { systemInstruction: 'You are terse.' },
  });
  assert.equal(answer.text, exactText);
  assert.equal(finishOf(answer), 'STOP');
  assert.ok(answer.responseId && answer.modelVersion);
  checkUsage(answer.usageMetadata);
}

async function turns(target) {
  const chat = clientOf(target).chats.create({ model: target.model });
  await chat.sendMessage({ message: 'My name is Ada.' });
  const answer = await chat.sendMessage({ message: 'What is my name?' });
  assert.match(answer.text, /Ada/);
  assert.equal(chat.getHistory(true).length, 4);
}

async function stream(target) {
  const { text: content, last, finishes, parts } = await collect(await clientOf(target).models.generateContentStream({ model: target.model, contents: countPrompt }));
  assert.match(content, new RegExp(counted));
  assert.equal(finishes, 1);
  assert.ok(parts.length > 3, `${parts.length} pieces`);
  checkUsage(last.usageMetadata);
}

async function stream_chat(target) {
  const chat = clientOf(target).chats.create({ model: target.model });
  await collect(await chat.sendMessageStream({ message: 'My name is Ada.' }));
  const { text: content } = await collect(await chat.sendMessageStream({ message: 'What is my name?' }));
  assert.match(content, /Ada/);
  assert.ok(chat.getHistory(true).length >= 4, 'the client took a turn for invalid');
}

async function tools(target) {
  const client = clientOf(target);
  const contents = [user('What is the weather in Paris right now?')];
  const first = await client.models.generateContent({ model: target.model, contents, config: { tools: declared } });
  assert.equal(first.functionCalls?.length, 1);
  assert.equal(finishOf(first), 'STOP');
  checkWeatherArguments(first.functionCalls[0].args, 'Paris');
  const second = await client.models.generateContent({
    model: target.model, config: { tools: declared },
    contents: [...contents, first.candidates[0].content, user(result(first.functionCalls[0], 'Sunny at 21 degrees'))],
  });
  assert.match(second.text, /Sunny at 21 degrees/);
}

async function parallel_tools(target) {
  const client = clientOf(target);
  const contents = [user('Compare the weather in Paris and London.')];
  const { parts, last } = await collect(await client.models.generateContentStream({ model: target.model, contents, config: { tools: declared, toolConfig: any } }));
  const calls = parts.filter(part => part.functionCall).map(part => part.functionCall);
  assert.equal(calls.length, 2, JSON.stringify(parts));
  assert.equal(last.candidates[0].finishReason, 'STOP');
  checkWeatherArguments(calls[0].args, 'Paris');
  checkWeatherArguments(calls[1].args, 'London');
  const answer = await client.models.generateContent({
    model: target.model, config: { tools: declared },
    contents: [...contents, { role: 'model', parts }, user(result(calls[0], 'Rain in the first'), result(calls[1], 'Fog in the second'))],
  });
  assert.match(answer.text, /Rain in the first/);
  assert.match(answer.text, /Fog in the second/);
}

// Ids are optional here: a client that sends none finds its results with their calls all the same.
async function tools_without_ids(target) {
  const client = clientOf(target);
  const contents = [user('Compare the weather in Paris and London.')];
  const first = await client.models.generateContent({ model: target.model, contents, config: { tools: declared, toolConfig: any } });
  const parts = first.candidates[0].content.parts.map(part => part.functionCall ? { ...part, functionCall: { name: part.functionCall.name, args: part.functionCall.args } } : part);
  const calls = parts.filter(part => part.functionCall).map(part => part.functionCall);
  const answer = await client.models.generateContent({
    model: target.model, config: { tools: declared },
    contents: [...contents, { role: 'model', parts }, user(...calls.map((call, i) => result(call, `Number ${i}`)))],
  });
  assert.match(answer.text, /Number 0/);
  assert.match(answer.text, /Number 1/);
}

const shipSchema = {
  type: 'OBJECT',
  properties: { name: { type: 'STRING' }, masts: { type: 'INTEGER', nullable: true }, crew: { type: 'ARRAY', items: { type: 'STRING' } } },
  required: ['name', 'masts', 'crew'],
  propertyOrdering: ['name', 'masts', 'crew'],
};

async function structured(target) {
  const answer = await clientOf(target).models.generateContent({
    model: target.model, contents: 'Describe a sailing ship.', config: { responseMimeType: 'application/json', responseSchema: shipSchema },
  });
  const ship = JSON.parse(answer.text);
  assert.equal(typeof ship.name, 'string');
  assert.ok(ship.masts === null || Number.isInteger(ship.masts), answer.text);
  assert.ok(Array.isArray(ship.crew));
  assert.equal(answer.functionCalls, undefined, 'the envelope of an emulation shows');
}

async function image(target) {
  const answer = await clientOf(target).models.generateContent({
    model: target.model, contents: [user('What is in this picture?', { inlineData: { mimeType: 'image/png', data: png(7, 5).toString('base64') } })],
  });
  assert.match(answer.text, /7x5 png/);
}

async function thinking_tools(target) {
  const client = clientOf(target);
  const config = { tools: declared, thinkingConfig: { includeThoughts: true, thinkingBudget: 1500 }, maxOutputTokens: 4000 };
  const contents = [user('What is the weather in Paris right now?')];
  const { parts } = await collect(await client.models.generateContentStream({ model: target.model, contents, config }));
  if (target.lacks.includes('reasoning') || target.lacks.includes('foreign reasoning')) assert.match(lastLosses(), /\/generationConfig\/thinkingConfig/);
  const call = parts.find(part => part.functionCall)?.functionCall;
  assert.ok(call, JSON.stringify(parts));
  if (target.vendor === 'anthropic') {
    assert.ok(parts.some(part => part.thought && part.text?.length > 5), 'no thought');
    const signature = parts.find(part => part.thoughtSignature)?.thoughtSignature;
    assert.ok(Buffer.from(signature, 'base64').toString('base64') === signature, 'the signature is not base64');
  }
  const second = await client.models.generateContent({
    model: target.model, config, contents: [...contents, { role: 'model', parts }, user(result(call, 'Sunny at 21 degrees'))],
  });
  assert.match(second.text, /Sunny at 21 degrees/);
}

async function pdf(target) {
  const ask = () => clientOf(target).models.generateContent({
    model: target.model, contents: [user('Summarise this.', { inlineData: { mimeType: 'application/pdf', data: onePage.toString('base64') } })],
  });
  await checkDocument(target, ask, answer => answer.text, /\/contents\/0\/parts\/1/);
}

// It shows no headers of an error: what there is of ids and waits stands in the body.
const error_kinds = target => errorKinds(target, {
  ask: at => clientOf(at, at).models.generateContent({ model: at.model, contents: at.prompt, ...(at.wrong && { config: { stopSequences: [7] } }) }),
  streamed: async at => { await collect(await clientOf(at, at).models.generateContentStream({ model: at.model, contents: at.prompt })); },
  look: error => {
    const details = /^\{/.test(error.message) ? JSON.parse(error.message).error.details ?? [] : [];
    const detail = name => details.find(one => one['@type'].endsWith(name));
    return { status: error.status, id: detail('RequestInfo')?.requestId, wait: parseFloat(detail('RetryInfo')?.retryDelay) };
  },
  classOf: () => ApiError,
});

// What the model signed comes back unchanged, or the next turn is refused.
async function signed_calls(target) {
  const client = clientOf(target);
  const contents = [user('Compare the weather in Paris and London.')];
  const first = await client.models.generateContent({ model: target.model, contents, config: { tools: declared, toolConfig: any } });
  const { parts } = first.candidates[0].content;
  const calls = parts.filter(part => part.functionCall);
  assert.deepEqual(calls.map(part => Boolean(part.thoughtSignature)), [true, false]);
  const ask = told => client.models.generateContent({
    model: target.model, config: { tools: declared },
    contents: [...contents, { role: 'model', parts: told }, user(...calls.map((part, i) => result(part.functionCall, `Number ${i}`)))],
  });
  assert.match((await ask(parts)).text, /Number 0.*Number 1/s);
  const error = await errorOf(() => ask(parts.map(part => ({ ...part, thoughtSignature: undefined }))));
  checkError(error, 400, 'INVALID_ARGUMENT', target);
  assert.match(error.message, /missing a thought_signature/);
}

async function max_tokens(target) {
  const answer = await clientOf(target).models.generateContent({ model: target.model, contents: countPrompt, config: { maxOutputTokens: 16 } });
  assert.equal(finishOf(answer), 'MAX_TOKENS');
}

async function count_tokens(target) {
  const { totalTokens } = await clientOf(target).models.countTokens({ model: target.model, contents: 'How many tokens are these?' });
  assert.ok(totalTokens > 3 && totalTokens < 60, String(totalTokens));
}

async function abort(target) {
  const controller = new AbortController();
  const id = crypto.randomUUID();
  let seen = 0;
  const error = await errorOf(async () => {
    const chunks = await clientOf(slow(target), { headers: { 'x-client-request-id': id } }).models.generateContentStream({
      model: target.slowModel, contents: longPrompt, config: { abortSignal: controller.signal },
    });
    for await (const chunk of chunks) {
      if (chunk.text && ++seen === 3) controller.abort();
    }
  });
  assert.equal(error.name, 'AbortError', String(error));
  assert.ok(seen >= 3 && seen < 300, `${seen} pieces`);
  const seenAs = lastId() ?? id;
  await assertFree(target, text);
  return { id: seenAs };
}

function checkError(error, status, word, target) {
  assert.ok(error instanceof ApiError, `${error?.constructor?.name}: ${error}`);
  assert.equal(error.status, status, String(error));
  const { error: told } = JSON.parse(error.message);
  assert.equal(told.code, status);
  assert.equal(told.status, word);
  return target.gateway && { request_id: told.details.find(detail => detail['@type'].endsWith('RequestInfo')).requestId };
}

async function unknown_model(target) {
  const error = await errorOf(() => clientOf(target).models.generateContent({ model: 'nowhere-' + crypto.randomUUID(), contents: 'Hello' }));
  return checkError(error, 404, 'NOT_FOUND', target);
}

async function wrong_key(target) {
  const error = await errorOf(() => clientOf(target, { key: 'wrong' }).models.generateContent({ model: target.model, contents: 'Hello' }));
  return checkError(error, target.wrongKeyStatus, target.wrongKeyStatus === 400 ? 'INVALID_ARGUMENT' : 'UNAUTHENTICATED', target);
}

async function wrong_types_stream(target) {
  const error = await errorOf(() => clientOf(target).models.generateContentStream({ model: target.model, contents: 'Hello', config: { stopSequences: [7] } }));
  return checkError(error, 400, 'INVALID_ARGUMENT', target);
}

async function models(target) {
  const names = [];
  for await (const model of await clientOf(target).models.list()) names.push(model.name);
  assert.ok(names.includes('models/' + target.model), names.join(' '));
  const pager = await clientOf(target).models.list({ config: { pageSize: 2 } });
  const paged = pager.page.map(model => model.name);
  assert.equal(paged.length, 2);
  while (pager.hasNextPage()) paged.push(...(await pager.nextPage()).map(model => model.name));
  assert.deepEqual(paged, names);
  const error = await errorOf(() => clientOf(target).models.list({ config: { pageToken: 'bm8tc3VjaC1tb2RlbA' } }));
  checkError(error, 400, 'INVALID_ARGUMENT', target);
  assert.equal((await clientOf(target).models.get({ model: target.model })).name, 'models/' + target.model);
}

await run({
  text, turns, stream, stream_chat, tools, parallel_tools, tools_without_ids, structured, image, thinking_tools, max_tokens, count_tokens, abort, unknown_model,
  wrong_key, wrong_types_stream, models, pdf, signed_calls, error_kinds,
});
