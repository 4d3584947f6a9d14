// npm `@anthropic-ai/foundry-sdk`: Claude in Azure AI Foundry, with the resource's key and with tokens of Entra ID.
import { AnthropicFoundry } from '@anthropic-ai/foundry-sdk';
import { assert, run, errorOf, exactText, exactPrompt, countPrompt, counted, weather, checkWeatherArguments, png } from './suite.mjs';

const clientOf = (target, { key = target.key, token } = {}) => new AnthropicFoundry({
  baseURL: target.url + '/anthropic/', maxRetries: 0, resource: null, ...(token ? { azureADTokenProvider: async () => token } : { apiKey: key }),
});
const user = content => ({ role: 'user', content });
const tool = { name: weather.name, description: weather.description, input_schema: weather.schema };
const textOf = message => message.content.filter(block => block.type === 'text').map(block => block.text).join('');

async function text(target) {
  const answer = await clientOf(target).messages.create({ model: target.model, max_tokens: 500, messages: [user(exactPrompt)] });
  assert.equal(textOf(answer), exactText);
  assert.equal(answer.stop_reason, 'end_turn');
}

async function stream(target) {
  const final = await clientOf(target).messages.stream({ model: target.model, max_tokens: 500, messages: [user(countPrompt)] }).finalMessage();
  assert.equal(textOf(final), counted);
}

async function tools(target) {
  const client = clientOf(target);
  const messages = [user('Compare the weather in Paris and London.')];
  const first = await client.messages.stream({ model: target.model, max_tokens: 1000, messages, tools: [tool] }).finalMessage();
  const calls = first.content.filter(block => block.type === 'tool_use');
  assert.equal(calls.length, 2, JSON.stringify(first.content));
  checkWeatherArguments(calls[0].input, 'Paris');
  const answer = await client.messages.create({
    model: target.model, max_tokens: 1000, tools: [tool],
    messages: [...messages, { role: 'assistant', content: first.content }, user(calls.map((call, i) => ({
      type: 'tool_result', tool_use_id: call.id, content: ['Rain in the first', 'Fog in the second'][i],
    })))],
  });
  assert.match(textOf(answer), /Rain in the first.*Fog in the second/s);
}

async function thinking(target) {
  const client = clientOf(target);
  const ask = messages => client.messages.create({ model: target.model, max_tokens: 3000, thinking: { type: 'enabled', budget_tokens: 1100 }, messages });
  const messages = [user('Why do ships carry ballast?')];
  const first = await ask(messages);
  assert.ok(first.content[0].type === 'thinking' && first.content[0].signature, JSON.stringify(first.content));
  const second = await ask([...messages, { role: 'assistant', content: first.content }, user('And why water?')]);
  assert.ok(textOf(second).length > 10);
}

async function image(target) {
  const answer = await clientOf(target).messages.create({
    model: target.model, max_tokens: 500,
    messages: [user([{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: png(7, 5).toString('base64') } }, { type: 'text', text: 'What is this?' }])],
  });
  assert.match(textOf(answer), /7x5 png/);
}

async function pdf(target) {
  const answer = await clientOf(target).messages.create({
    model: target.model, max_tokens: 500,
    messages: [user([
      { type: 'document', title: 'terms.pdf', source: { type: 'base64', media_type: 'application/pdf', data: Buffer.from('%PDF-1.4\n%%EOF\n').toString('base64') } },
      { type: 'text', text: 'What is this?' },
    ])],
  });
  assert.match(textOf(answer), /the document terms/);
}

async function count(target) {
  const counted = await clientOf(target).messages.countTokens({ model: target.model, messages: [user('How many tokens are these?')] });
  assert.ok(counted.input_tokens > 3 && counted.input_tokens < 40, JSON.stringify(counted));
}

async function entra(target) {
  const answer = await clientOf(target, { token: target.token }).messages.create({ model: target.model, max_tokens: 500, messages: [user(exactPrompt)] });
  assert.equal(textOf(answer), exactText);
}

async function errors(target) {
  const wrong = await errorOf(() => clientOf(target, { key: 'a-key-that-nobody-gave' }).messages.create({ model: target.model, max_tokens: 50, messages: [user('Hello')] }));
  assert.equal(wrong.status, 401);
  const unknown = await errorOf(() => clientOf(target).messages.create({ model: 'no-such-model', max_tokens: 50, messages: [user('Hello')] }));
  assert.equal(unknown.status, 404);
}

await run({ text, stream, tools, thinking, image, pdf, count, entra, errors });
