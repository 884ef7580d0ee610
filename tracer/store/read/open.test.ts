import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TraceEvent } from '../../../engine/trace/event.ts';
import { traces } from '../../../engine/trace/events.testing.ts';
import { seqOf, timeNs } from '../../../engine/trace/position.ts';
import { good } from '../good.testing.ts';
import { headerOf } from '../header.testing.ts';
import { isProblem, openTrace, TraceFileError, type TraceProblem, TraceWriter } from '../index.ts';
import { scratch } from '../scratch.testing.ts';
import { openDatabase } from '../sqlite.ts';

const folder = scratch();
const path = (name: string): string => join(folder, name);

function mark(seq: number): TraceEvent {
  return {
    seq: seqOf(seq),
    t: timeNs(seq),
    kind: 'mark',
    what: 'note',
    text: `note ${seq}`,
    provenance: 'authored',
  };
}

function make(name: string, count = 300): void {
  const writer = good(TraceWriter.create(path(name), headerOf(), { force: true }));
  for (let i = 1; i <= count; i += 1) writer.append(mark(i));
  writer.close();
}

/** The one line about a file that does not open; checks that it is one line, names the file and leaves no litter. */
function refusal(name: string): TraceProblem {
  const before = readdirSync(folder);
  const opened = openTrace(path(name));
  assert.ok(isProblem(opened), `${name} opened`);
  assert.ok(opened.text.startsWith(path(name)) && !opened.text.includes('\n'), opened.text);
  assert.deepEqual(readdirSync(folder), before);
  return opened;
}

test('what is no trace is told by what it is', () => {
  make('whole.hvtrace');
  writeFileSync(path('empty'), '');
  writeFileSync(path('text.ndjson'), '{"profile":{}}\n'.repeat(20));
  writeFileSync(path('noise'), Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 197) & 0xff)));
  mkdirSync(path('folder'));
  const other = openDatabase(path('other.db'), {});
  other.exec('CREATE TABLE t (a)');
  other.close();
  copyFileSync(path('whole.hvtrace'), path('newer'));
  const newer = openDatabase(path('newer'), {});
  newer.pragma('user_version = 2');
  newer.close();
  copyFileSync(path('whole.hvtrace'), path('cut'));
  truncateSync(path('cut'), 9 * 4096);
  copyFileSync(path('whole.hvtrace'), path('short'));
  truncateSync(path('short'), 60);
  const expected = [
    ['nowhere.hvtrace', 'missing', /no such file/],
    ['folder', 'not-a-trace', /is a folder/],
    ['empty', 'not-a-trace', /is empty/],
    ['text.ndjson', 'not-a-trace', /is text.*import it first/],
    ['noise', 'not-a-trace', /is not a trace/],
    ['other.db', 'not-a-trace', /SQLite database of another program/],
    ['newer', 'newer', /format version 2.*update hvrewind/],
    ['cut', 'torn', /cut off.*recover/],
    ['short', 'torn', /cut off.*recover/],
  ] as const;
  for (const [name, code, text] of expected) {
    const found = refusal(name);
    assert.equal(found.code, code, found.text);
    assert.match(found.text, text);
  }
});

test('a schema that says more, less or other than ours is refused', () => {
  for (const sql of [
    'CREATE TABLE more (a)',
    'CREATE VIEW more AS SELECT 1',
    'CREATE INDEX more ON event (t)',
    "CREATE TRIGGER more AFTER INSERT ON note BEGIN INSERT INTO meta VALUES ('a', 'b'); END",
    'DROP VIEW event_view',
    'DROP VIEW msr_view; CREATE VIEW msr_view AS SELECT 1',
    'DROP TABLE gap',
    'ANALYZE',
  ]) {
    make('schema.hvtrace', 2);
    const db = openDatabase(path('schema.hvtrace'), {});
    db.exec(sql);
    db.close();
    const found = refusal('schema.hvtrace');
    assert.equal(found.code, 'foreign-schema', sql);
    assert.match(found.text, /recover/);
  }
});

/** A trace whose recorder was killed: the file, with some events in its -wal alone. */
function makeKilled(name: string, count: number): void {
  const at = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);
  const child = `
    import { TraceWriter } from ${at('../index.ts')};
    import { headerOf } from ${at('../header.testing.ts')};
    const writer = TraceWriter.create(${JSON.stringify(path(name))}, headerOf(), { force: true });
    for (let i = 1; i <= ${count}; i += 1)
      writer.append({ seq: i, t: i, kind: 'mark', what: 'note', text: 'note ' + i, provenance: 'authored' });
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 250);`;
  assert.throws(
    () => execFileSync(process.execPath, ['--input-type=module', '-e', child], { stdio: 'pipe' }),
    {
      signal: 'SIGKILL',
    },
  );
}

function eventsOf(name: string): { events: TraceEvent[]; notices: readonly string[]; complete: boolean } {
  const reader = good(openTrace(path(name)));
  const { notices, complete } = reader;
  const events = [...reader.range()];
  reader.close();
  return { events, notices, complete };
}

test('after a kill the file opens with its -wal, and says when that was left behind', () => {
  makeKilled('killed.hvtrace', 1000);
  copyFileSync(path('killed.hvtrace'), path('alone.hvtrace'));
  const whole = eventsOf('killed.hvtrace');
  assert.deepEqual(
    whole.events,
    Array.from({ length: 1000 }, (_, i) => mark(i + 1)),
  );
  assert.deepEqual([whole.notices, whole.complete], [[], false]);
  const alone = eventsOf('alone.hvtrace');
  assert.equal(alone.complete, false);
  assert.equal(alone.notices.length, 1);
  assert.match(alone.notices[0] ?? '', /no .*-wal lies beside it/);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('alone.')),
    ['alone.hvtrace'],
  );
});

const asNobody = {
  skip: process.getuid?.() === 0 ? false : 'only root can try what another user may not do',
};

test('in a folder that cannot be written the file and its -wal are copied', asNobody, () => {
  makeKilled('locked.hvtrace', 500);
  const locked = path('locked');
  mkdirSync(locked);
  for (const suffix of ['', '-wal'])
    copyFileSync(path(`locked.hvtrace${suffix}`), join(locked, `a.hvtrace${suffix}`));
  copyFileSync(path('locked.hvtrace'), join(locked, 'b.hvtrace'));
  const copies = path('copies');
  mkdirSync(copies);
  execFileSync('chmod', ['-R', 'a+rX', folder]);
  execFileSync('chmod', ['777', copies]);
  execFileSync('chmod', ['555', locked]);
  const child = `
    const { openTrace } = await import(${JSON.stringify(new URL('../index.ts', import.meta.url).href)});
    const { openDatabase } = await import(${JSON.stringify(new URL('../sqlite.ts', import.meta.url).href)});
    // SQLite is loaded while the checkout can be read for certain.
    openDatabase(':memory:', {}).close();
    process.setgid(65534);
    process.setuid(65534);
    const out = [];
    for (const name of ['a', 'b']) {
      const reader = openTrace(${JSON.stringify(locked)} + '/' + name + '.hvtrace');
      out.push(reader.text ?? [[...reader.range()].length, reader.notices.length]);
      reader.close?.();
    }
    console.log(JSON.stringify(out));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', child], {
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: copies },
  });
  assert.deepEqual(JSON.parse(output), [
    [500, 0],
    [0, 1],
  ]);
  assert.deepEqual(readdirSync(locked).sort(), ['a.hvtrace', 'a.hvtrace-wal', 'b.hvtrace']);
  assert.deepEqual(readdirSync(copies), []);
});

test('an answer that came since the events were counted is not there yet', async () => {
  const writer = good(TraceWriter.create(path('answers.hvtrace'), headerOf(), {}));
  const handle = { kind: 'device', open: 1 } as const;
  const common = { seq: seqOf(1), t: timeNs(1), provenance: 'observed' } as const;
  const call: TraceEvent = { ...common, kind: 'ioctl', fd: 5, handle, op: 0xb800 };
  writer.begin(call);
  writer.append({ ...mark(2), t: timeNs(5) });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const reader = good(openTrace(path('answers.hvtrace')));
  writer.complete(call.seq, { ret: 3, tEnd: timeNs(9) });
  writer.append({ ...mark(3), t: timeNs(9) });
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual([reader.events, reader.event(1)], [2, call]);
  reader.refresh();
  assert.deepEqual([reader.events, reader.event(1)], [3, { ...call, ret: 3, tEnd: 9 }]);
  reader.close();
  writer.close();
});

test('a trace can be read while it is written, and only one may write it', async () => {
  const writer = good(TraceWriter.create(path('live.hvtrace'), headerOf(), {}));
  const second = TraceWriter.create(path('live.hvtrace'), headerOf(), { force: true });
  assert.ok(isProblem(second) && second.code === 'busy', JSON.stringify(second));
  // A reader that leaves takes nothing of the recorder's with it.
  good(openTrace(path('live.hvtrace'))).close();
  assert.ok(existsSync(path('live.hvtrace-wal')));
  const reader = good(openTrace(path('live.hvtrace')));
  assert.equal(reader.events, 0);
  for (let i = 1; i <= 500; i += 1) writer.append(mark(i));
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(reader.events, 0);
  reader.refresh();
  assert.equal(reader.events, 500);
  assert.equal([...reader.range()].length, 500);
  assert.equal(reader.complete, false);
  writer.append(mark(501));
  writer.close();
  reader.refresh();
  assert.deepEqual([reader.events, reader.complete], [501, true]);
  reader.close();
  assert.equal(eventsOf('live.hvtrace').events.length, 501);
  const third = TraceWriter.create(path('live.hvtrace'), headerOf(), {});
  assert.ok(isProblem(third) && third.code === 'exists');
  good(TraceWriter.create(path('live.hvtrace'), headerOf(), { force: true })).abort();
  assert.equal(existsSync(path('live.hvtrace')), false);
});

/** Reads everything that a reader can give; true where all of it was readable. */
function readAll(name: string): boolean {
  const reader = openTrace(path(name));
  if (isProblem(reader)) {
    assert.ok(!reader.text.includes('\n'));
    return false;
  }
  try {
    for (const _ of reader.range());
    for (const _ of reader.journal());
    for (const _ of reader.checkpoints());
    reader.notes();
    reader.gaps();
    return true;
  } catch (error) {
    assert.ok(error instanceof TraceFileError, String(error));
    assert.ok(!error.message.includes('\n'));
    return false;
  } finally {
    reader.close();
  }
}

test('values that no writer writes are a problem of one line, never a crash', () => {
  const tables = ['event', 'blob', 'actor', 'handle', 'note', 'gap', 'meta'];
  const value = fc.oneof(
    fc.bigInt(-(1n << 63n), (1n << 63n) - 1n),
    fc.integer({ min: -3, max: 300 }),
    fc.double(),
    fc.string({ maxLength: 5 }),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc.constant(null),
  );
  let refused = 0;
  fc.assert(
    fc.property(
      traces(40),
      fc.array(fc.tuple(fc.constantFrom(...tables), fc.nat(), value), { minLength: 1, maxLength: 3 }),
      (events, changes) => {
        const writer = good(TraceWriter.create(path('hostile.hvtrace'), headerOf(), { force: true }));
        for (const event of events) writer.append(event);
        writer.note({ at: { seq: seqOf(1), sub: 0 }, text: 'x' });
        writer.close();
        const db = openDatabase(path('hostile.hvtrace'), {});
        for (const [table, column, to] of changes) {
          const columns = db
            .prepare(`SELECT name FROM pragma_table_info('${table}')`)
            .pluck()
            .all() as string[];
          const name = columns[1 + (column % (columns.length - 1))];
          // NOT NULL holds against some: that value cannot be in a file then.
          try {
            db.prepare(`UPDATE ${table} SET ${name} = ?`).run(to);
          } catch (error) {
            assert.match(String(error), /NOT NULL/);
          }
        }
        db.close();
        if (!readAll('hostile.hvtrace')) refused += 1;
      },
    ),
    { numRuns: 60 },
  );
  assert.ok(refused > 20, `only ${refused} were refused`);
});

test('a file with any bytes changed is read or refused, never a crash', () => {
  make('bytes.hvtrace', 600);
  const whole = readFileSync(path('bytes.hvtrace'));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.oneof(fc.nat(whole.length - 1), fc.nat(100)), fc.nat(255)), {
        minLength: 1,
        maxLength: 8,
      }),
      (changes) => {
        const changed = Buffer.from(whole);
        for (const [at, byte] of changed.length === 0 ? [] : changes) changed[at] = byte;
        writeFileSync(path('changed.hvtrace'), changed);
        readAll('changed.hvtrace');
        for (const suffix of ['-wal', '-shm']) rmSync(path(`changed.hvtrace${suffix}`), { force: true });
      },
    ),
    { numRuns: 200 },
  );
});
