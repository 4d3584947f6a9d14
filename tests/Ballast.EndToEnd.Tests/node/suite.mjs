// Runs the cases of one SDK against every target and prints one JSON line per case. Targets come in BALLAST_TARGETS:
// [{ name, url, key, model, slowUrl, slowModel, vendor, gateway, cases: [...] }]. Targets run side by side, the cases of one target in turn.
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { deflateSync, crc32 } from 'node:zlib';

export { assert };

// Only something that hangs takes as long.
const caseTimeoutMs = 60_000;

// What the gateway said of the last answer of each case: not every SDK shows headers. The SDKs' own requests go through unchanged.
const store = new AsyncLocalStorage();
const plainFetch = globalThis.fetch;
globalThis.fetch = async (...request) => {
  const response = await plainFetch(...request);
  note(name => response.headers.get(name));
  return response;
};

/** Keeps what the headers of an answer say, for SDKs that do not ask by fetch. */
export function note(header) {
  const seen = store.getStore();
  if (seen) Object.assign(seen, { id: header('x-ballast-request-id'), losses: header('x-ballast-loss') ?? '' });
}

/** The gateway's id of the last request of this case, and what that request had lost. */
export const lastId = () => store.getStore().id;
export const lastLosses = () => store.getStore().losses;

export async function run(cases) {
  const targets = JSON.parse(process.env.BALLAST_TARGETS);
  await Promise.all(targets.map(target => runTarget(target, cases)));
}

async function runTarget(target, cases) {
  for (const name of target.cases) {
    const started = performance.now();
    const line = { target: target.name, case: name, ok: true };
    try {
      assert.ok(cases[name], `there is no case '${name}'`);
      line.notes = await withTimeout(store.run({ id: null, losses: '' }, () => cases[name](target)));
    } catch (error) {
      line.ok = false;
      line.error = String(error?.stack ?? error).slice(0, 4000);
    }
    line.ms = Math.round(performance.now() - started);
    process.stdout.write(JSON.stringify(line) + '\n');
  }
}

function withTimeout(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${caseTimeoutMs} ms`)), caseTimeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** The error that an action throws; fails where it throws none. */
export async function errorOf(action) {
  try {
    await action();
  } catch (error) {
    return error;
  }
  assert.fail('no error was thrown');
}

export const exactText = 'Grüße, 世界 🌍!';
export const exactPrompt = `Reply with exactly "${exactText}"`;
export const countPrompt = 'Count from 1 to 40.';
export const counted = Array.from({ length: 40 }, (_, i) => i + 1).join(', ');
export const longPrompt = 'Count from 1 to 900.';

export const weather = {
  name: 'get_weather',
  description: 'Tells the current weather of a city.',
  schema: {
    type: 'object',
    properties: {
      city: { type: 'string', description: 'Name of the city' },
      unit: { type: 'string', enum: ['celsius', 'fahrenheit'] },
    },
    required: ['city', 'unit'],
    additionalProperties: false,
  },
};

export function checkWeatherArguments(value, city) {
  assert.equal(typeof value.city, 'string');
  assert.match(value.city, new RegExp(city));
  assert.ok(['celsius', 'fahrenheit'].includes(value.unit), JSON.stringify(value));
}

/** A PNG of the given size, whole and valid. */
export function png(width, height) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(data.length);
    const tail = Buffer.alloc(4);
    tail.writeUInt32BE(crc32(body));
    return Buffer.concat([head, body, tail]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (1 + width * 3), 0x40);
  for (let row = 0; row < height; row++) {
    rows[row * (1 + width * 3)] = 0;
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

/** A PDF of one empty page. */
export const onePage = Buffer.from(
  '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n'
  + '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n', 'latin1');

/**
 * A document in a request: the answer names it. Where a platform takes none, the request is refused with a reason, or goes on without it, and `pointer`, where it stood, is
 * named; of a route whose deployments differ either is good.
 */
export async function checkDocument(target, ask, textOf, pointer) {
  const mayLack = target.lacks.includes('documents') || target.vendor === 'any';
  let answer;
  try {
    answer = await ask();
  } catch (error) {
    assert.ok(mayLack && (error.status ?? error.statusCode ?? error.$metadata?.httpStatusCode) === 400 && error.message.length > 20, String(error));
    return;
  }
  const told = textOf(answer);
  if (/the document/.test(told)) {
    assert.ok(!target.lacks.includes('documents'), told);
    assertWhole();
  } else {
    assert.ok(mayLack, `${told} lost '${lastLosses()}'`);
    assert.match(lastLosses(), pointer);
  }
}

/** The target at natural speed, where answers last long enough to be hung up on: by its key one request at a time may run at a gateway. */
export const slow = target => ({ ...target, url: target.slowUrl, key: target.slowKey, model: target.slowModel });

/** Whoever has hung up is let in again by the same key, once the other side has seen it: its place is free. */
export async function assertFree(target, ask) {
  const late = performance.now() + 20_000;
  while (target.gateway) {
    try {
      return void await ask(slow(target));
    } catch (error) {
      const status = error.status ?? error.statusCode ?? error.status_code ?? error.$metadata?.httpStatusCode;
      if (status !== 429 || performance.now() > late) throw error;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }
}

/** Nothing of what the request said was left out. */
const assertWhole = () => assert.doesNotMatch(lastLosses(), /(^|, )\/(messages|input|contents)\//);

const retryAfterSeconds = 7;

// What each platform calls overloaded: 529 where it has that status. An own machine with 503 means just that, and Anthropic's protocol has a word for it.
const overloaded = [529, 503, 429];
const unavailable = target => target.vendor === 'alibaba' ? [503, 529] : [503];

/**
 * Every kind of error, at its platform or through the gateway: the SDK raises the class that it has for it, with the id by which the request is found again, and the time to
 * wait where there is one. Given: `ask(at)` sends `at.prompt`, or something wrong where `at.wrong` is set; `streamed(at)` reads a stream to its end; `look(error)` finds
 * { status, id, wait } in an error; `classOf(status)` says of what class it must be. Statuses that differ from the usual stand in `statuses`.
 */
export async function errorKinds(target, { ask, streamed, look, classOf, statuses = {}, waits = true }) {
  const here = { ...target, url: target.failingUrl, prompt: 'Hello' };
  const fault = kind => ({ ...here, prompt: `Please meet fault:${kind} now.` });
  const kinds = {
    wrong: [400, { ...here, wrong: true }],
    key: [target.wrongKeyStatus ?? 401, { ...here, key: 'a-key-that-nobody-gave', aws: target.aws && { ...target.aws, secretAccessKey: 'not the secret' } }],
    forbidden: [403, target.gateway ? { ...here, key: target.narrowKey } : fault('forbidden-403')],
    unknown: [404, { ...here, model: target.unknownModel }],
    large: [413, target.gateway ? { ...here, prompt: 'x'.repeat(1_200_000) } : fault('too-large-413')],
    limited: [429, { ...fault('rate-limit'), model: target.limitedModel }],
    failed: [500, fault('error-500')],
    unavailable: [unavailable(target), fault('error-503')],
    overloaded: [overloaded, fault('overloaded-529')],
  };
  const ids = [];
  for (const [kind, [usual, at]] of Object.entries(kinds)) {
    const error = await errorOf(() => ask(at));
    const { status, id, wait } = look(error);
    const told = `${kind}: ${error?.constructor?.name} ${error?.name} ${status}: ${String(error?.message).slice(0, 500)}`;
    const allowed = [statuses[kind] ?? usual].flat();
    assert.ok(allowed.includes(status), told);
    const expected = classOf(status, kind);
    assert.ok(typeof expected === 'function' ? error instanceof expected : [error.name, error.constructor.name].includes(expected), `${told}; expected ${expected?.name ?? expected}`);
    assert.ok(String(error.message).length > 5, told);
    if (id !== undefined) assert.ok(target.gateway ? /^req_[0-9a-z]+$/.test(id) : id.length > 5, `${told}; its id is ${id}`);
    if (waits && kind === 'limited') assert.equal(Number(wait), retryAfterSeconds, told);
    if (target.gateway) ids.push(id ?? lastId());
  }
  // The answer has begun, so that the status is 200: the error comes in the stream, as one of the protocol.
  const error = await errorOf(() => streamed({ ...here, prompt: `${countPrompt} And meet fault:stream-error-after.` }));
  const expected = classOf(undefined, 'stream');
  assert.ok(typeof expected === 'function' ? error instanceof expected : [expected].flat().some(name => [error.name, error.constructor.name].includes(name)), `stream: ${error?.constructor?.name} ${error?.name}: ${error?.message}`);
  const { id } = look(error);
  assert.ok(!id || !target.gateway || id === lastId(), `stream: its id is ${id}`);
  return target.gateway ? { ids: ids.join(' '), streamed: lastId() } : {};
}
