// npm `openai`, `@anthropic-ai/sdk` and `@google/genai` through a gateway that redacts: what they sent comes back to them as it was.
import OpenAI from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { assert, run, errorOf } from './suite.mjs';

const mail = 'mara.olsen@example.org';
const exact = `Mara: ${mail}, +49 151 23456789, DE89 3704 0044 0532 0130 00, 4111 1111 1111 1111, ghp_16C7e42F292c6912E7710c838347Ae178B4a, EMP-424242`;
const prompt = `Reply with exactly "${exact}"`;
const toolPrompt = `Use send_mail for "${mail}".`;
const schema = {
  type: 'object',
  properties: { to: { type: 'string', pattern: '^EMAIL-[0-9A-HJKMNP-TV-Z]{10}$' } },
  required: ['to'],
};
const described = { name: 'send_mail', description: 'Sends a mail to somebody.' };
const user = content => ({ role: 'user', content });

const openai = target => new OpenAI({ baseURL: target.url + '/v1', apiKey: target.key, maxRetries: 0 });
const anthropic = target => new Anthropic({ baseURL: target.url, apiKey: target.key, authToken: null, maxRetries: 0 });
const google = target => new GoogleGenAI({ apiKey: target.key, httpOptions: { baseUrl: target.url } });
const chatTool = { type: 'function', function: { ...described, parameters: schema } };

const cases = {
  async chat(target) {
    for (const model of ['openai/gpt-5-mini', 'anthropic/claude-haiku-4-5', 'ollama/qwen3', 'cohere/command-a']) {
      for (const replayed of [null, 'true']) {
        const request = openai(target).chat.completions.create({ model, messages: [user(prompt)] }, { headers: { 'Idempotency-Key': `once-${model}` } });
        const { data, response } = await request.withResponse();
        assert.equal(data.choices[0].message.content, exact, model);
        assert.equal(response.headers.get('idempotent-replayed'), replayed);
      }
    }
  },

  async chat_stream(target) {
    for (const model of ['openai/gpt-5-mini', 'gemini/gemini-3.5-flash', 'ollama/qwen3', 'cohere/command-a']) {
      const stream = openai(target).chat.completions.stream({ model, messages: [user(prompt)] });
      assert.equal(await stream.finalContent(), exact, model);
    }
  },

  async chat_choices(target) {
    const text = { model: 'openai/gpt-5-mini', n: 3, messages: [user(prompt)] };
    const calls = { model: 'openai/gpt-5-mini', n: 2, messages: [user(toolPrompt)], tools: [chatTool], tool_choice: 'required' };
    const whole = await openai(target).chat.completions.create(text);
    assert.deepEqual(whole.choices.map(choice => choice.message.content), [exact, exact, exact]);
    const streamed = await openai(target).chat.completions.stream(text).finalChatCompletion();
    assert.deepEqual(streamed.choices.map(choice => choice.message.content), [exact, exact, exact]);
    let usages = 0;
    for await (const chunk of await openai(target).chat.completions.create({ ...text, stream: true })) usages += chunk.usage ? 1 : 0;
    assert.equal(usages, 0);
    const called = await openai(target).chat.completions.stream(calls).finalChatCompletion();
    assert.deepEqual(called.choices.map(choice => JSON.parse(choice.message.tool_calls[0].function.arguments).to), [mail, mail]);
    // An endpoint with one answer gives one, and says so.
    const one = await openai(target).chat.completions.stream({ ...text, model: 'cohere/command-a' }).finalChatCompletion();
    assert.deepEqual(one.choices.map(choice => choice.message.content), [exact]);
  },

  async chat_tools(target) {
    for (const model of ['openai/gpt-5-mini', 'anthropic/claude-haiku-4-5']) {
      const messages = [user(toolPrompt)];
      const first = await openai(target).chat.completions.create({ model, messages, tools: [chatTool], tool_choice: 'required' });
      const call = first.choices[0].message.tool_calls[0];
      assert.deepEqual(JSON.parse(call.function.arguments), { to: mail }, model);
      const second = await openai(target).chat.completions.create({
        model, tools: [chatTool], messages: [...messages, first.choices[0].message, { role: 'tool', tool_call_id: call.id, content: `Sent to ${mail}.` }],
      });
      assert.match(second.choices[0].message.content, /Sent to mara\.olsen@example\.org\./, model);
    }
  },

  async chat_tools_stream(target) {
    for (const model of ['openai/gpt-5-mini', 'anthropic/claude-haiku-4-5', 'bedrock/claude-haiku-4-5']) {
      const chunks = await openai(target).chat.completions.create({ model, messages: [user(toolPrompt)], tools: [chatTool], tool_choice: 'required', stream: true });
      let args = '';
      for await (const chunk of chunks) args += chunk.choices[0]?.delta?.tool_calls?.[0]?.function?.arguments ?? '';
      assert.deepEqual(JSON.parse(args), { to: mail }, model);
    }
  },

  // What a tool of free text is given is text: values come back as they are, neither quoted nor escaped.
  async custom_tools(target) {
    const client = openai(target);
    const format = { type: 'grammar', syntax: 'regex', definition: 'EMAIL-[0-9A-HJKMNP-TV-Z]{10}' };
    for (const model of ['openai/gpt-5-mini', 'anthropic/claude-haiku-4-5', 'gemini/gemini-3.5-flash']) {
      const asked = { model, input: [user(toolPrompt)], tools: [{ type: 'custom', ...described, format }], tool_choice: { type: 'custom', name: described.name } };
      const whole = await client.responses.create(asked);
      assert.equal(whole.output.find(item => item.type === 'custom_tool_call').input, mail, model);
      const streamed = await client.responses.stream(asked).finalResponse();
      assert.equal(streamed.output.find(item => item.type === 'custom_tool_call').input, mail, model);
      const chunks = await client.chat.completions.create({
        model, messages: [user(toolPrompt)], stream: true, tool_choice: { type: 'custom', custom: { name: described.name } },
        tools: [{ type: 'custom', custom: { ...described, format: { type: 'grammar', grammar: { syntax: format.syntax, definition: format.definition } } } }],
      });
      let input = '';
      for await (const chunk of chunks) input += chunk.choices[0]?.delta?.tool_calls?.[0]?.custom?.input ?? '';
      assert.equal(input, mail, model);
      const call = whole.output.find(item => item.type === 'custom_tool_call');
      const next = await client.responses.create({ ...asked, tool_choice: 'auto', input: [...asked.input, ...whole.output, { type: 'custom_tool_call_output', call_id: call.call_id, output: `Sent to ${mail}.` }] });
      assert.match(next.output_text, /Sent to mara\.olsen@example\.org\./, model);
    }
  },

  async responses(target) {
    const client = openai(target);
    for (const model of ['openai/gpt-5-mini', 'anthropic/claude-haiku-4-5']) {
      const first = await client.responses.create({ model, input: prompt, instructions: `Mara's address is ${mail}.` });
      assert.equal(first.output_text, exact, model);
      assert.equal(first.instructions, `Mara's address is ${mail}.`);
      const again = await client.responses.retrieve(first.id);
      assert.equal(again.output_text, exact, model);
      const items = await client.responses.inputItems.list(first.id);
      assert.match(JSON.stringify(items.data), /mara\.olsen@example\.org/);
      const next = await client.responses.create({ model, previous_response_id: first.id, input: `Use send_mail for "${mail}".`, tools: [{ type: 'function', ...described, parameters: schema, strict: false }], tool_choice: 'required' });
      assert.deepEqual(JSON.parse(next.output.find(item => item.type === 'function_call').arguments), { to: mail });
    }
  },

  async responses_stream(target) {
    for (const model of ['openai/gpt-5-mini', 'gemini/gemini-3.5-flash']) {
      const stream = await openai(target).responses.create({ model, input: prompt, instructions: `Mara's address is ${mail}.`, stream: true });
      let text = '';
      let done;
      for await (const event of stream) {
        if (event.type === 'response.output_text.delta') text += event.delta;
        if (event.type === 'response.output_text.done') assert.equal(event.text, exact);
        if (event.type === 'response.created') assert.equal(event.response.instructions, `Mara's address is ${mail}.`);
        if (event.type === 'response.completed') done = event.response;
      }
      assert.equal(text, exact, model);
      assert.equal(done.output.flatMap(item => item.content ?? []).map(part => part.text).join(''), exact, model);
      assert.equal((await openai(target).responses.retrieve(done.id)).output_text, exact);
    }
  },

  async embeddings(target) {
    const answer = await openai(target).embeddings.create({ model: 'openai/text-embedding-3-small', input: [exact, mail] });
    assert.equal(answer.data.length, 2);
    const error = await errorOf(() => openai(target).embeddings.create({ model: 'openai/text-embedding-3-small', input: [1, 2, 3] }));
    assert.equal(error.code, 'ballast_unreadable');
  },

  async moderations(target) {
    await openai(target).moderations.create({ model: 'openai/omni-moderation-latest', input: exact });
  },

  async completions(target) {
    await openai(target).completions.create({ model: 'openai/gpt-3.5-turbo-instruct', prompt: exact });
    let text = '';
    for await (const chunk of await openai(target).completions.create({ model: 'openai/gpt-3.5-turbo-instruct', prompt: exact, stream: true })) text += chunk.choices[0]?.text ?? '';
    assert.ok(text.length > 3, text);
  },

  async pictures(target) {
    const content = [{ type: 'text', text: 'What is this?' }, { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }];
    const error = await errorOf(() => openai(target).chat.completions.create({ model: 'openai/gpt-5-mini', messages: [user(content)] }));
    assert.equal(error.status, 400);
    assert.equal(error.code, 'ballast_unreadable');
    const file = await errorOf(() => openai(target).files.create({ file: new File(['{}'], 'a.jsonl'), purpose: 'batch' }));
    assert.equal(file.code, 'ballast_unreadable');
  },

  async messages(target) {
    for (const model of ['anthropic/claude-haiku-4-5', 'openai/gpt-5-mini', 'bedrock/claude-haiku-4-5']) {
      const answer = await anthropic(target).messages.create({ model, max_tokens: 500, messages: [user(prompt)] });
      assert.equal(answer.content.find(block => block.type === 'text').text, exact, model);
      const counted = await anthropic(target).messages.countTokens({ model, messages: [user(prompt)] });
      assert.ok(counted.input_tokens > 10);
    }
  },

  async messages_stream(target) {
    for (const model of ['anthropic/claude-haiku-4-5', 'openai/gpt-5-mini', 'bedrock/claude-haiku-4-5']) {
      const answer = await anthropic(target).messages.stream({ model, max_tokens: 500, messages: [user(prompt)] }).finalMessage();
      assert.equal(answer.content.find(block => block.type === 'text').text, exact, model);
    }
  },

  async messages_tools(target) {
    const tools = [{ ...described, input_schema: schema }];
    for (const model of ['anthropic/claude-haiku-4-5', 'gemini/gemini-3.5-flash']) {
      const messages = [user(toolPrompt)];
      const streamed = await anthropic(target).messages.stream({ model, max_tokens: 500, messages, tools, tool_choice: { type: 'any' } }).finalMessage();
      const call = streamed.content.find(block => block.type === 'tool_use');
      assert.deepEqual(call.input, { to: mail }, model);
      const answer = await anthropic(target).messages.create({
        model, max_tokens: 500, tools,
        messages: [...messages, { role: 'assistant', content: streamed.content }, user([{ type: 'tool_result', tool_use_id: call.id, content: `Sent to ${mail}.` }])],
      });
      assert.match(answer.content.map(block => block.text).join(''), /Sent to mara\.olsen@example\.org\./, model);
    }
  },

  async messages_thinking(target) {
    const first = await anthropic(target).messages.stream({
      model: 'anthropic/claude-haiku-4-5', max_tokens: 3000, thinking: { type: 'enabled', budget_tokens: 1024 }, messages: [user(`Write about ${mail} please.`)],
    }).finalMessage();
    assert.ok(first.content.some(block => block.type === 'thinking' && block.signature), JSON.stringify(first.content));
    // The signature is over what the model thought: it holds only if the same is sent again.
    const again = await anthropic(target).messages.create({
      model: 'anthropic/claude-haiku-4-5', max_tokens: 3000, thinking: { type: 'enabled', budget_tokens: 1024 },
      messages: [user(`Write about ${mail} please.`), { role: 'assistant', content: first.content }, user('Go on.')],
    });
    assert.ok(again.content.length > 0);
  },

  async google(target) {
    for (const model of ['gemini/gemini-3.5-flash', 'openai/gpt-5-mini']) {
      const answer = await google(target).models.generateContent({ model, contents: prompt });
      assert.equal(answer.text, exact, model);
    }
  },

  async google_stream(target) {
    for (const model of ['gemini/gemini-3.5-flash', 'anthropic/claude-haiku-4-5']) {
      let text = '';
      for await (const chunk of await google(target).models.generateContentStream({ model, contents: prompt })) {
        text += (chunk.candidates?.[0]?.content?.parts ?? []).filter(part => !part.thought).map(part => part.text ?? '').join('');
      }
      assert.equal(text, exact, model);
    }
  },

  async google_tools(target) {
    const config = { tools: [{ functionDeclarations: [{ ...described, parametersJsonSchema: schema }] }], toolConfig: { functionCallingConfig: { mode: 'ANY' } } };
    for (const model of ['gemini/gemini-3.5-flash', 'anthropic/claude-haiku-4-5']) {
      const whole = await google(target).models.generateContent({ model, contents: toolPrompt, config });
      assert.deepEqual(whole.functionCalls[0].args, { to: mail }, model);
      let args;
      for await (const chunk of await google(target).models.generateContentStream({ model, contents: toolPrompt, config })) args ??= chunk.functionCalls?.[0]?.args;
      assert.deepEqual(args, { to: mail }, model);
    }
  },
};

await run(cases);
