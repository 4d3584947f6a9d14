// npm `openai`: files and batches, from upload to output, as its own pages and streams hand them out.
import OpenAI, { AzureOpenAI, toFile } from 'openai';
import { assert, run, errorOf } from './suite.mjs';

const clientOf = target => target.azure
  ? new AzureOpenAI({ endpoint: target.url, apiKey: target.key, apiVersion: '2025-04-01-preview', maxRetries: 0 })
  : new OpenAI({ baseURL: target.url + '/v1', apiKey: target.key, maxRetries: 0 });

const line = (custom_id, model) => JSON.stringify({
  custom_id, method: 'POST', url: '/v1/chat/completions', body: { model, messages: [{ role: 'user', content: `Greet ${custom_id}.` }] },
});

async function files(target) {
  const client = clientOf(target);
  const made = [];
  for (let i = 0; i < 3; i++) {
    made.unshift(await client.files.create({ file: await toFile(Buffer.from(`content ${i}`), `part ${i}.txt`), purpose: 'user_data' }));
  }
  assert.match(made[0].id, /^file-[0-9a-f]{32}$/);
  assert.equal(made[0].filename, 'part 2.txt');
  assert.deepEqual(await client.files.retrieve(made[1].id), made[1]);
  assert.equal(await (await client.files.content(made[2].id)).text(), 'content 0');
  const listed = [];
  for await (const file of client.files.list({ limit: 1, purpose: 'user_data' })) listed.push(file.id);
  assert.deepEqual(listed, made.map(file => file.id));
  assert.equal((await client.files.delete(made[0].id)).deleted, true);
  assert.equal((await errorOf(() => client.files.retrieve(made[0].id))).status, 404);
}

async function batches(target) {
  const client = clientOf(target);
  const input = await client.files.create({ file: await toFile(Buffer.from(line('a', target.model) + '\n' + line('b', target.model)), 'in.jsonl'), purpose: 'batch' });
  const begun = await client.batches.create({ input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: '24h', metadata: { of: input.id } });
  assert.match(begun.id, /^batch_[0-9a-f]{32}$/);
  let batch = begun;
  while (batch.status !== 'completed') {
    await new Promise(resolve => setTimeout(resolve, 50));
    batch = await client.batches.retrieve(begun.id);
  }
  assert.equal(batch.input_file_id, input.id);
  assert.deepEqual(batch.request_counts, { total: 2, completed: 2, failed: 0 });
  const output = await (await client.files.content(batch.output_file_id)).text();
  assert.deepEqual(output.trim().split('\n').map(text => JSON.parse(text).custom_id), ['a', 'b']);
  const listed = [];
  for await (const one of client.batches.list({ limit: 1 })) listed.push(one.id);
  assert.ok(listed.includes(begun.id), listed.join(' '));
  const refused = await errorOf(async () => client.files.create({ file: await toFile(Buffer.from(line('a', 'nobody')), 'in.jsonl'), purpose: 'batch' }));
  assert.equal(refused.status, 404);
  assert.equal(refused.code, 'ballast_model_not_found');
}

await run({ files, batches });
