/** Recordings with guest memory: their guests run again to the same end, and what was changed in a file is found where it is. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { GUEST_ENTRY, sampleGuest, sampleOutput } from '../../samples/clients/guest.ts';
import { atPrompt } from '../cli/prompt.testing.ts';
import { build, emulate, events, LACKING, scratch, verify } from './build.testing.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Executed {
  readonly vps: number;
  readonly instructions: number;
  readonly compared: number;
  readonly bytes: number;
  readonly difference: Readonly<Record<string, unknown>> | null;
}

async function execute(trace: string): Promise<Executed> {
  const { exit, out, err } = await atPrompt(['replay', '--execute', '--json', trace], ROOT);
  assert.equal(err, '');
  const { executed } = JSON.parse(out) as { executed: Executed };
  assert.equal(exit, executed.difference === null ? 0 : 1);
  return executed;
}

describe('recordings whose guests are executed again', { skip: LACKING, concurrency: 2 }, () => {
  const folder = scratch();
  let count = 0;

  async function capture(command: readonly string[], output: string): Promise<string> {
    const { exit, out, err, trace } = await emulate(folder, command, { more: ['--capture-memory'] });
    assert.deepEqual([exit, out, err], [0, output, '']);
    return trace;
  }

  /** A program of clients/captured.c; its recording replays, and its guests run again. */
  async function captured(what: string, output: string): Promise<{ trace: string; executed: Executed }> {
    const program = build('test/emulate/clients/captured.c', folder);
    const trace = await capture([program, what], output);
    const { divergences, verified } = await verify(trace);
    assert.deepEqual([divergences, verified], [[], true]);
    const executed = await execute(trace);
    assert.equal(executed.difference, null);
    return { trace, executed };
  }

  /** The lines of a recording's event text. */
  async function exported(trace: string): Promise<string[]> {
    const path = join(folder, `events-${count++}.ndjson`);
    const { exit, err } = await atPrompt(['export', trace, '--format', 'events', '-o', path], ROOT);
    assert.equal(exit, 0);
    assert.match(err, /: it holds \d+ pages? of guest memory/);
    return readFileSync(path, 'utf8').trimEnd().split('\n');
  }

  async function imported(lines: readonly string[]): Promise<string> {
    const path = join(folder, `lines-${count++}.hvtrace.ndjson`);
    writeFileSync(path, `${lines.join('\n')}\n`);
    const trace = `${path}.hvtrace`;
    assert.equal((await atPrompt(['import', path, '-o', trace], ROOT)).exit, 0);
    return trace;
  }

  test('a guest that does a bit of everything, as recorded, exported and packed', async () => {
    const guest = join(folder, 'guest.bin');
    writeFileSync(guest, sampleGuest('Twice. '));
    const client = join(ROOT, 'samples/clients/hello.ts');
    const trace = await capture([process.execPath, client, guest], sampleOutput('Twice. '));
    const executed = await execute(trace);
    assert.equal(executed.difference, null);
    assert.ok(executed.instructions > 4000 && executed.compared > 50, JSON.stringify(executed));
    const [first] = await events(trace, 'kind == page && component == vmm');
    assert.equal(first?.gpa, `0x${(GUEST_ENTRY & ~0xfff).toString(16)}`);
    const packed = join(folder, 'packed.hvtrace.zst');
    const { exit, err } = await atPrompt(['pack', trace, '-o', packed], ROOT);
    assert.equal(exit, 0);
    const told =
      /: it holds (\d+) pages? of guest memory, with all that is private in it; look at it before you send it$/m.exec(
        err,
      );
    const gpas = (await events(trace, 'kind == page')).map(({ gpa }) => gpa);
    assert.equal(told?.[1], String(new Set(gpas).size), err);
    for (const other of [packed, await imported(await exported(trace))]) {
      const { instructions, compared, bytes, difference } = await execute(other);
      assert.deepEqual(
        { instructions, compared, bytes, difference },
        {
          instructions: executed.instructions,
          compared: executed.compared,
          bytes: executed.bytes,
          difference: null,
        },
      );
    }
  });

  test('a page that the program rewrites between runs, and changes to the file', async () => {
    const { trace, executed } = await captured('rewritten', 'seen=5 6 7\n');
    assert.deepEqual([executed.vps, executed.instructions, executed.bytes], [1, 9, 3]);
    const lines = await exported(trace);
    const find = (...parts: readonly string[]) =>
      lines.findIndex((line) => parts.every((part) => line.includes(part)));
    const told = (value: string) => `"bytes":{${value}}`;
    const change = async (index: number, from: string, to: string) => {
      const line = lines[index] ?? '';
      assert.ok(line.includes(from), line);
      return execute(await imported(lines.with(index, line.replace(from, to))));
    };
    // Line 1 is the header: the number of an event is that of its line less one, and the index of its line.
    const copy = find('"component":"guest"', told('"0x701":"05"'));
    const given = find('"component":"vmm"', '"0x700":"05"');
    assert.ok(copy > given && given > 0);
    const memory = { at: String(copy), vp: '2.0', what: 'memory', gpa: '0x701' };
    // Behind the jump and two moves; the HLT is next.
    const place = { instructions: 3, rip: '0x606' };
    assert.deepEqual((await change(copy, '"0x701":"05"', '"0x701":"09"')).difference, {
      ...memory,
      ...place,
      expected: '0x9',
      found: '0x5',
    });
    assert.deepEqual((await change(given, '"0x700":"05"', '"0x700":"09"')).difference, {
      ...memory,
      ...place,
      expected: '0x5',
      found: '0x9',
    });
    const halt = find('"kind":"intercept"', 'HVMSG_X64_HALT', '"rip":"0x606"');
    const message = (await change(halt, '"instruction_length":1', '"instruction_length":2')).difference;
    assert.deepEqual([message?.at, message?.what, message?.offset], [String(halt), 'message', 4]);
    const al = (
      await change(
        halt,
        '"name":"HV_X64_REGISTER_RAX","value":"0x5"',
        '"name":"HV_X64_REGISTER_RAX","value":"0x6"',
      )
    ).difference;
    assert.deepEqual(
      [al?.at, al?.register, al?.expected, al?.found],
      [String(halt), 'HV_X64_REGISTER_RAX', '0x6', '0x5'],
    );
    const early = (await change(halt, '"instructions":3', '"instructions":4')).difference;
    assert.deepEqual(
      [early?.at, early?.what, early?.found],
      [String(halt), 'stop', 'a stop of type 0x80010007'],
    );
  });

  test('a program that writes to memory while its guest runs: it is said, and still repeated', async () => {
    const { trace, executed } = await captured('meanwhile', 'seen=1\n');
    assert.ok(executed.instructions > 10);
    const marks = await events(trace, 'kind == mark');
    assert.match(
      String(marks[0]?.text),
      /^the program wrote to memory of the guest while its VP ran: page 0x0;/,
    );
    assert.ok(Number(marks[0]?.instructions) > 0);
  });

  test('a byte written anywhere in much memory, by a mapping, by another of the same file, by read(2)', async () => {
    const program = build('test/emulate/clients/captured.c', folder);
    for (const what of ['own', 'file']) {
      const { exit, out, trace } = await emulate(folder, [program, what], { more: ['--capture-memory'] });
      assert.equal(exit, 0);
      const written = await events(trace, 'kind == page && component == vmm');
      // Each run of the guest sees the one byte that was written before it, and nothing else.
      const later = written.flatMap(({ seq, gpa, bytes }) => {
        const parts = Object.entries((bytes ?? {}) as Record<string, string>);
        return parts.map(([offset, hex]) => ({
          seq,
          at: `0x${(Number(gpa) + Number(offset)).toString(16)}:${hex}`,
        }));
      });
      const expected = out.trimEnd().split('\n');
      assert.equal(expected.length, 30);
      assert.deepEqual(
        later.slice(-expected.length).map(({ at }) => at),
        expected,
        what,
      );
      const halts = (await events(trace, 'kind == intercept')).filter(
        ({ type }) => type === 'HVMSG_X64_HALT',
      );
      assert.equal(halts.length, expected.length + 1);
      halts.slice(0, -1).forEach(({ seq }, n) => {
        const place = later[later.length - expected.length + n];
        assert.ok(Number(place?.seq) > Number(seq) && Number(place?.seq) < Number(halts[n + 1]?.seq));
      });
      assert.equal((await execute(trace)).difference, null);
    }
  });

  test('two VPs that count in one word', async () => {
    // 2 x 40000 in 16 bits.
    const { executed } = await captured('two', 'count=14464\n');
    assert.deepEqual([executed.vps, executed.instructions], [2, 2 * (1 + 1 + 2 * 40000)]);
  });

  test('interrupts by irqfd, timers and other VPs', async () => {
    for (const [source, least] of [
      ['interrupts', 5],
      ['apic', 10],
    ] as const) {
      const program = build(`test/emulate/clients/${source}.c`, folder);
      const { exit, trace } = await emulate(folder, [program], { more: ['--capture-memory'] });
      assert.equal(exit, 0);
      const { difference, compared } = await execute(trace);
      assert.equal(difference, null);
      assert.ok(compared >= least, `${source}: ${compared}`);
    }
  });

  test('what cannot be executed says why', async () => {
    const { trace } = await emulate(folder, ['true']);
    const { exit, err } = await atPrompt(['replay', '--execute', trace], ROOT);
    assert.equal(exit, 2);
    assert.match(err, /recorded without --capture-memory/);
    const ringed = await emulate(folder, ['true'], { more: ['--capture-memory', '--ring', '1000'] });
    assert.equal(ringed.exit, 2);
    assert.match(ringed.err, /leave out --filter and --ring/);
  });
});
