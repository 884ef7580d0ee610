import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { imported } from './collected.testing.ts';
import { FORMS } from './forms.ts';

const folder = mkdtempSync(join(tmpdir(), 'hvrewind-any-text-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'any.txt');
const CORPUS = join(import.meta.dirname, 'corpus');
const realLines = readdirSync(CORPUS)
  .filter((name) => name !== 'became')
  .sort()
  .flatMap((name) => readFileSync(join(CORPUS, name), 'utf8').split('\n'));

/** Real lines, cut, joined and with characters changed, and lines of anything. */
const line = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...realLines) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...realLines), fc.nat(200), fc.nat(20), fc.string({ maxLength: 8 }))
      .map(([text, at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut)),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...realLines), fc.constantFrom(...realLines), fc.nat(80))
      .map(([a, b, at]) => a.slice(0, at) + b.slice(at)),
  },
);

for (const { name } of FORMS) {
  test(`any text that is said to be of ${name} becomes a trace, and no line is lost`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 60 }), async (lines) => {
        const text = lines.map((one) => one.replaceAll('\n', ' ')).join('\n');
        writeFileSync(path, text);
        const { summary } = await imported([path], { from: name });
        const expected = text === '' ? 0 : text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
        assert.equal(summary.lines, expected);
      }),
      { numRuns: 150 },
    );
  });
}

test('any bytes become a trace', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(...FORMS), async (bytes, form) => {
      writeFileSync(path, bytes);
      await imported([path], { from: form.name });
    }),
    { numRuns: 100 },
  );
});

test('a form that nobody knows is said in one line', async () => {
  writeFileSync(path, 'once upon a time\nthere was a text\n');
  await assert.rejects(imported([path]), /^Error: .*any\.txt: is of no known form; name it: --from strace/);
  writeFileSync(path, '');
  await assert.rejects(imported([path]), /is of no known form/);
});

test('of very many lines that cannot be read the first are kept, and all are counted', async () => {
  writeFileSync(path, `ioctl(3, 0, 0) = 0\n${'what is this\n'.repeat(12_000)}`);
  const { summary, events } = await imported([path], { from: 'strace' });
  assert.deepEqual(summary.unreadable, { 'not a line of strace': 12_000 });
  assert.equal(
    events.filter((event) => event.kind === 'mark' && event.text?.includes('what is this')).length,
    10_000,
  );
});

test('a line that is longer than any should be is cut and told', async () => {
  writeFileSync(path, `ioctl(3, 0, 0) = 0\n${'x'.repeat(1_000_000)}\nioctl(3, 0, 0) = 0\n`);
  const { summary, events } = await imported([path]);
  assert.ok((summary.unreadable['not a line of strace'] ?? 0) >= 1);
  assert.equal(summary.other.ioctl, 2);
  for (const event of events) assert.ok(event.kind !== 'mark' || (event.text?.length ?? 0) <= 256);
});

test('an import can be stopped between two pieces', async () => {
  writeFileSync(path, 'ioctl(3, 0, 0) = 0\n'.repeat(100_000));
  const stop = new AbortController();
  const options = { signal: stop.signal, onProgress: () => stop.abort(new Error('stopped')) };
  await assert.rejects(imported([path], options), /stopped/);
});
