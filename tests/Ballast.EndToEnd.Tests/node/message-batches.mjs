// npm `@anthropic-ai/sdk`: batches of Messages, from requests to results, as its own pages and streams hand them out.
import Anthropic from '@anthropic-ai/sdk';
import { assert, run, errorOf, exactPrompt, exactText } from './suite.mjs';

const clientOf = target => new Anthropic({ baseURL: target.url, apiKey: target.key, maxRetries: 0 });
const request = (custom_id, model, content) => ({ custom_id, params: { model, max_tokens: 200, messages: [{ role: 'user', content }] } });

async function batches(target) {
  const { batches } = clientOf(target).messages;
  const begun = await batches.create({ requests: [request('a', target.model, exactPrompt), request('b', target.model, 'Greet b.')] });
  assert.match(begun.id, /^msgbatch_[0-9a-f]{32}$/);
  assert.equal(begun.type, 'message_batch');
  assert.equal(begun.results_url, null);
  const other = await batches.create({ requests: [request('c', target.model, 'Greet c.')] });
  assert.match((await batches.cancel(other.id)).processing_status, /canceling|ended/);
  let batch = begun;
  while (batch.processing_status !== 'ended') {
    await new Promise(resolve => setTimeout(resolve, 50));
    batch = await batches.retrieve(begun.id);
  }
  assert.deepEqual(batch.request_counts, { processing: 0, succeeded: 2, errored: 0, canceled: 0, expired: 0 });
  const results = [];
  for await (const result of await batches.results(begun.id)) results.push(result);
  assert.deepEqual(results.map(one => [one.custom_id, one.result.type]), [['a', 'succeeded'], ['b', 'succeeded']]);
  assert.equal(results[0].result.message.content[0].text, exactText);
  assert.equal(results[0].result.message.usage.service_tier, 'batch');
  const listed = [];
  for await (const one of batches.list({ limit: 1 })) listed.push(one.id);
  assert.deepEqual(listed, [other.id, begun.id]);
  const newer = await batches.list({ before_id: begun.id });
  assert.deepEqual(newer.data.map(one => one.id), [other.id]);
  const deleted = await batches.delete(begun.id);
  assert.deepEqual([deleted.id, deleted.type], [begun.id, 'message_batch_deleted']);
  const gone = await errorOf(() => batches.retrieve(begun.id));
  assert.ok(gone instanceof Anthropic.NotFoundError, String(gone));
}

async function refused(target) {
  const { batches } = clientOf(target).messages;
  const unknown = await errorOf(() => batches.create({ requests: [request('a', target.model, 'x'), request('b', 'nobody', 'x')] }));
  assert.ok(unknown instanceof Anthropic.NotFoundError, String(unknown));
  assert.equal(unknown.error.error.code, 'ballast_model_not_found');
  assert.match(unknown.message, /request 2/);
  const empty = await errorOf(() => batches.create({ requests: [] }));
  assert.ok(empty instanceof Anthropic.BadRequestError, String(empty));
}

await run({ batches, refused });
