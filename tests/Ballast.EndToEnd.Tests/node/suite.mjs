// Runs the cases of one SDK against every target and prints one JSON line per case. Targets come in BALLAST_TARGETS:
// [{ name, url, key, model, slowUrl, slowModel, vendor, gateway, cases: [...] }]. Targets run side by side, the cases of one target in turn.
import assert from 'node:assert/strict';
import { deflateSync, crc32 } from 'node:zlib';

export { assert };

const caseTimeoutMs = 20_000;

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
      line.notes = await withTimeout(cases[name](target));
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
