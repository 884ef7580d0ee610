import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TraceEvent } from '../../../engine/trace/event.ts';
import { traces } from '../../../engine/trace/events.testing.ts';
import { at, seqOf, timeNs } from '../../../engine/trace/position.ts';
import { good } from '../good.testing.ts';
import { headerOf } from '../header.testing.ts';
import { isProblem, openTrace, type Recovery, recoverTrace, TraceWriter } from '../index.ts';
import { scratch } from '../scratch.testing.ts';

const folder = scratch();
const path = (name: string): string => join(folder, name);
const PAGE = 4096;

/** Event `i` of a trace whose payloads are long enough for overflow pages now and then. */
function eventAt(i: number): TraceEvent {
  const common = {
    seq: seqOf(i),
    t: timeNs(i * 100),
    cpu: i % 4,
    component: 'mshv',
    provenance: 'emulated',
  } as const;
  if (i % 3 === 0)
    return {
      ...common,
      kind: 'hypercall',
      control: 0x1_0000_0050n,
      input: new Uint8Array(24).fill(i & 0xff),
      output: new Uint8Array(i % 30 === 0 ? 9000 : 40).map((_, k) => (i * 7 + k * 13) & 0xff),
      result: { status: 0, reps: 1 },
      parent: seqOf(i - 1),
    };
  return {
    ...common,
    kind: 'msr',
    dir: 'write',
    msr: 0x40000090 + (i % 16),
    value: BigInt(i) << 40n,
    fault: false,
  };
}

function make(name: string, count: number): void {
  const writer = good(TraceWriter.create(path(name), headerOf({ cpus: 4 }), { force: true, engine: '3' }));
  for (let i = 1; i <= count; i += 1) writer.append(eventAt(i));
  writer.note({ at: at(10), text: 'here' });
  writer.close();
}

function recover(name: string): { report: Recovery; events: TraceEvent[] } {
  const report = good(recoverTrace(path(name), path('out.hvtrace'), { force: true }));
  const reader = good(openTrace(path('out.hvtrace')));
  const events = [...reader.range()];
  reader.close();
  return { report, events };
}

/** What a recovered trace must be: every event that was saved is one that was there, with its new number. */
function checkRecovered({ report, events }: ReturnType<typeof recover>, total: number): void {
  const lost = report.missing.flatMap(({ from, to = total }) =>
    Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i),
  );
  assert.equal(report.saved + lost.length, total);
  const marks = events.filter((event) => event.kind === 'mark');
  assert.equal(marks.length, report.missing.length);
  const gone = new Set(lost);
  const kept = Array.from({ length: total }, (_, i) => i + 1).filter((seq) => !gone.has(seq));
  const newSeq = new Map(
    events.filter((event) => event.kind !== 'mark').map((event, i) => [kept[i], event.seq]),
  );
  let incomplete = 0;
  for (const event of events) {
    if (event.kind === 'mark') continue;
    const seq = event.t / 100;
    const { parent, ...original } = eventAt(seq);
    assert.equal(event.seq, newSeq.get(seq));
    if (event.note !== undefined) {
      incomplete += 1;
      continue;
    }
    const { parent: newParent, ...saved } = event;
    assert.deepStrictEqual(saved, { ...original, seq: event.seq });
    if (parent === undefined) assert.equal(newParent, undefined);
    else if (newSeq.has(parent)) assert.equal(newParent, newSeq.get(parent));
    else assert.equal(events[(newParent ?? 0) - 1]?.kind, 'mark');
  }
  assert.equal(incomplete, report.incomplete);
}

test('an intact trace is recovered whole, whatever else is in the file', () => {
  make('whole.hvtrace', 4000);
  execFileSync('sqlite3', [
    path('whole.hvtrace'),
    'CREATE TABLE more (a, b); INSERT INTO more VALUES (1, 2);',
  ]);
  assert.ok(isProblem(openTrace(path('whole.hvtrace'))));
  const { report, events } = recover('whole.hvtrace');
  assert.deepEqual(report, { saved: 4000, incomplete: 0, missing: [], headerLost: false });
  assert.deepStrictEqual(
    events,
    Array.from({ length: 4000 }, (_, i) => eventAt(i + 1)),
  );
});

test('any trace is recovered as it was', () => {
  fc.assert(
    fc.property(traces(40), (events) => {
      const writer = good(TraceWriter.create(path('any.hvtrace'), headerOf(), { force: true }));
      for (const event of events) writer.append(event);
      writer.close();
      assert.deepStrictEqual(recover('any.hvtrace').events, events);
    }),
    { numRuns: 30 },
  );
});

test('cut at any page, the events of the pages before are saved', () => {
  make('cut.hvtrace', 1500);
  const pages = statSync(path('cut.hvtrace')).size / PAGE;
  let last = -1;
  for (let keep = 20; keep <= pages; keep += Math.ceil(pages / 12)) {
    copyFileSync(path('cut.hvtrace'), path('short.hvtrace'));
    truncateSync(path('short.hvtrace'), keep * PAGE - (keep % 2 === 0 ? 0 : 100));
    const opened = openTrace(path('short.hvtrace'));
    assert.ok(isProblem(opened) && opened.text.includes('recover'), JSON.stringify(opened));
    const recovered = recover('short.hvtrace');
    checkRecovered(recovered, 1500);
    assert.ok(recovered.report.saved >= last);
    last = recovered.report.saved;
  }
  assert.ok(last > 1000);
});

test('pages of noise or zeros lose only what stood in them', () => {
  make('noise.hvtrace', 1500);
  const whole = readFileSync(path('noise.hvtrace'));
  const pages = whole.length / PAGE;
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(pages - 2), { minLength: 1, maxLength: 6 }),
      fc.uint8Array({ minLength: PAGE, maxLength: PAGE }),
      fc.boolean(),
      (places, noise, zero) => {
        const torn = Buffer.from(whole);
        for (const place of places) torn.set(zero ? new Uint8Array(PAGE) : noise, (place + 1) * PAGE);
        writeFileSync(path('torn.hvtrace'), torn);
        const recovered = recoverTrace(path('torn.hvtrace'), path('out.hvtrace'), { force: true });
        if (isProblem(recovered)) assert.fail(recovered.text);
        // A page of events holds fewer than 120; the header or the actors may be in the page that is lost.
        assert.ok(recovered.saved >= 1500 - 120 * places.length, JSON.stringify(recovered));
        const reader = good(openTrace(path('out.hvtrace')));
        for (const _ of reader.range());
        reader.close();
      },
    ),
    { numRuns: 40 },
  );
});

test('the frames of a -wal are saved too, those of a transaction that was not committed are not', () => {
  const child = `
    import { TraceWriter } from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)};
    import { headerOf } from ${JSON.stringify(new URL('../header.testing.ts', import.meta.url).href)};
    const writer = TraceWriter.create(${JSON.stringify(path('wal.hvtrace'))}, headerOf(), {});
    for (let i = 1; i <= 3000; i += 1)
      writer.append({ seq: i, t: i * 100, kind: 'mark', what: 'note', text: 'n' + i, provenance: 'authored' });
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 250);`;
  const spawn = (): unknown =>
    execFileSync(process.execPath, ['--input-type=module', '-e', child], { stdio: 'pipe' });
  assert.throws(spawn, { signal: 'SIGKILL' });
  assert.ok(existsSync(path('wal.hvtrace-wal')));
  const { report, events } = recover('wal.hvtrace');
  assert.equal(report.saved, 3000);
  assert.deepEqual(report.missing, []);
  assert.equal(events.at(-1)?.seq, 3000);
  // Without its first half the -wal still gives what stands before the first damaged frame.
  const wal = readFileSync(path('wal.hvtrace-wal'));
  wal[wal.length >> 1] = (wal[wal.length >> 1] as number) ^ 1;
  writeFileSync(path('wal.hvtrace-wal'), wal);
  const less = good(recoverTrace(path('wal.hvtrace'), path('out.hvtrace'), { force: true }));
  assert.ok(less.saved < 3000);
});

test('what is no trace is told in one line, and nothing is written', () => {
  writeFileSync(path('noise'), Buffer.alloc(20_000, 7));
  writeFileSync(path('empty'), '');
  for (const name of ['noise', 'empty', 'missing', '.']) {
    const report = recoverTrace(path(name), path('none.hvtrace'), { force: false });
    assert.ok(isProblem(report) && !report.text.includes('\n'), name);
    assert.equal(existsSync(path('none.hvtrace')), false);
  }
});
