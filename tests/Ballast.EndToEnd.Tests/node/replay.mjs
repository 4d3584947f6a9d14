// Gives every translated answer of a folder (`ballast replay --keep`) to the vendors' own clients, unmodified, over a fetch that only hands it out. Writes one line of
// JSON: how many were read, and what is wrong with the others.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

const folder = process.argv[2];
const entries = readFileSync(join(folder, 'index.jsonl'), 'utf8').split('\n').filter(Boolean).map(line => JSON.parse(line));

const handOut = entry => async () => new Response(readFileSync(join(folder, entry.file)), {
  status: entry.status,
  headers: { 'content-type': entry.stream ? 'text/event-stream; charset=utf-8' : 'application/json', 'request-id': entry.id, 'x-request-id': entry.id },
});

async function readChat(entry) {
  const client = new OpenAI({ apiKey: 'none', baseURL: 'http://127.0.0.1:1/v1', maxRetries: 0, fetch: handOut(entry) });
  const request = { model: 'any', messages: [{ role: 'user', content: 'any' }] };
  const answer = entry.stream
    ? await client.chat.completions.stream(request).finalChatCompletion()
    : await client.chat.completions.create(request);
  const message = answer.choices[0].message;
  return { text: (message.content ?? '') + (message.refusal ?? ''), calls: (message.tool_calls ?? []).map(call => (call.custom ?? call.function).name) };
}

async function readMessages(entry) {
  const client = new Anthropic({ apiKey: 'none', baseURL: 'http://127.0.0.1:1', maxRetries: 0, fetch: handOut(entry) });
  const request = { model: 'any', max_tokens: 1, messages: [{ role: 'user', content: 'any' }] };
  const answer = entry.stream ? await client.messages.stream(request).finalMessage() : await client.messages.create(request);
  return {
    text: answer.content.filter(block => block.type === 'text').map(block => block.text).join(''),
    calls: answer.content.filter(block => block.type === 'tool_use').map(block => block.name),
  };
}

async function check(entry) {
  let answer;
  try {
    answer = await (entry.api === 'messages' ? readMessages(entry) : readChat(entry));
  } catch (error) {
    const isExpected = !entry.whole && (error instanceof OpenAI.APIError || error instanceof Anthropic.APIError);
    return isExpected ? null : `${error.constructor.name}: ${error.message}`;
  }

  if (!entry.whole) {
    return 'an answer that failed was read as if it were whole';
  }

  if (answer.text !== entry.text) {
    return `text ${JSON.stringify(answer.text.slice(0, 80))}, expected ${JSON.stringify(entry.text.slice(0, 80))}`;
  }

  return answer.calls.join() === entry.calls.join() ? null : `calls ${answer.calls}, expected ${entry.calls}`;
}

const faults = [];
for (const entry of entries) {
  const fault = await check(entry);
  if (fault) {
    faults.push(`${entry.id}: ${fault}`);
  }
}

process.stdout.write(`${JSON.stringify({ read: entries.length, faults })}\n`);
