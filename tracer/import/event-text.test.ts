import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { anyEvents } from '../../engine/trace/events.testing.ts';
import { formatEvent, formatHeader, textContext } from '../../engine/trace/text/index.ts';
import { eventTextImporter } from './event-text.ts';
import { ImportError, type ImportProgress } from './importer.ts';

const folder = mkdtempSync(join(tmpdir(), 'hvrewind-import-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'trace.hvtrace.ndjson');
const HEADER = '{"profile":{"cpus":4}}';
const EVENT = '{"t":"1us","kind":"msr","dir":"write","cpu":0,"msr":"HV_X64_MSR_SIMP","value":"0x1"}';

async function importAll(
  text: string | Uint8Array,
  onProgress?: (progress: ImportProgress) => void,
): Promise<TraceEvent[]> {
  writeFileSync(path, text);
  const { events } = await eventTextImporter.open(path, onProgress === undefined ? {} : { onProgress });
  const all: TraceEvent[] = [];
  for await (const batch of events) all.push(...batch);
  return all;
}

async function errorOf(text: string | Uint8Array): Promise<string> {
  try {
    await importAll(text);
  } catch (error) {
    assert.ok(error instanceof ImportError, String(error));
    assert.ok(!error.message.includes('\n'));
    return error.message.replace(path, 'F');
  }
  assert.fail('imported');
}

test('every event comes back from a file', async () => {
  await fc.assert(
    fc.asyncProperty(anyEvents, fc.boolean(), fc.constantFrom('\n', '\r\n'), async (events, end, feed) => {
      writeFileSync(path, HEADER);
      const { header, close } = await eventTextImporter.open(path);
      await close();
      const lines = [
        formatHeader(header),
        ...events.map((event) => formatEvent(event, textContext(header.profile))),
      ];
      assert.deepEqual(await importAll(lines.join(feed) + (end ? feed : '')), events);
    }),
    { numRuns: 60 },
  );
});

test('a large file comes in pieces, with progress', async () => {
  const count = 20_000;
  const note = 'ä'.repeat(40);
  const lines = Array.from({ length: count }, (_, i) => `${EVENT.slice(0, -1)},"note":"${i} ${note}"}`);
  const text = Buffer.from(`${HEADER}\n${lines.join('\n')}\n`);
  const steps: ImportProgress[] = [];
  const events = await importAll(text, (progress) => steps.push(progress));
  assert.equal(events.length, count);
  assert.ok(events.every((event, i) => event.seq === i + 1 && event.note === `${i} ${note}`));
  assert.ok(steps.length > 5);
  assert.deepEqual(steps.at(-1), { bytesRead: text.length, bytesTotal: text.length, events: count });
});

test('what is wrong is one line with file, line and column', async () => {
  assert.match(await errorOf(''), /^F:1:1: is empty/);
  assert.match(await errorOf('\n'), /^F:1:1: expected a JSON value, found the end of the line$/);
  assert.match(await errorOf('hello\n'), /^F:1:1: expected a JSON value, found "h"$/);
  assert.match(await errorOf(`${HEADER}\n${EVENT}\n{"t":"0"}\n`), /^F:3:1: expected the key "kind"$/);
  assert.match(await errorOf(`${HEADER}\n${EVENT}\n\n${EVENT}\n`), /^F:3:1: expected a JSON value/);
  assert.match(
    await errorOf(`${HEADER}\n${EVENT}\n${EVENT.replace('1us', '1ns')}`),
    /^F:3:6: t: expected a time/,
  );
  assert.match(
    await errorOf(`${HEADER}\n${EVENT.replace('SIMP', 'SIMPLE')}`),
    /^F:2:\d+: msr: expected an MSR/,
  );
  const wrong = Buffer.from(`${HEADER}\n${EVENT}\n{"t":"1us","note":"é"}`);
  wrong[wrong.length - 4] = 0xff;
  assert.match(await errorOf(wrong), /^F:3:20: expected text in UTF-8$/);
  assert.match(
    await errorOf(Buffer.from([0x53, 0x51, 0x4c, 0, 0xff, 0x0a])),
    /^F:1:5: expected text in UTF-8$/,
  );
  assert.match(await errorOf(`${HEADER}\n{"t":"${'9'.repeat(51_000_000)}`), /^F:2:1: a line is longer than/);
});

test('a file that cannot be read is named', async () => {
  const messageOf = async (at: string): Promise<string> => {
    const error = await eventTextImporter.open(at).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ImportError, String(error));
    return error.message;
  };
  assert.equal(await messageOf(join(folder, 'none')), `${join(folder, 'none')}: there is no such file`);
  assert.equal(await messageOf(folder), `${folder}: is a folder`);
});

test('an import can be stopped', async () => {
  const stop = new AbortController();
  writeFileSync(path, `${HEADER}\n${`${EVENT}\n`.repeat(20_000)}`);
  const { events } = await eventTextImporter.open(path, { signal: stop.signal });
  await assert.rejects(async () => {
    for await (const batch of events) if (batch.length > 0) stop.abort(new Error('stopped'));
  }, /stopped/);
});
