import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { memorySource } from '../../engine/replay/source.ts';
import { formatStart, readStart } from '../../engine/replay/start-text.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { type JsonObject, parseJson } from '../../engine/trace/text/json.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { kindOf, openTraceFile } from '../../main/cli/trace.ts';
import { ringTarget, type Target } from '../../tracer/live/target.ts';
import { pack } from '../../tracer/share/pack.ts';
import { midLife } from '../../tracer/sink/filtered.ts';
import { isProblem, openTrace, recoverTrace, TraceWriter } from '../../tracer/store/index.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { build } from '../emulate/build.testing.ts';
import { bootOfQemu } from '../mutation/corpus.ts';
import { DEPTHS } from '../mutation/depths.ts';
import { finalOf } from '../mutation/outcome.ts';
import { load } from '../rules/scenario.testing.ts';
import { eventsOf } from './calls.testing.ts';
import { HVREWIND, LACKING } from './record.testing.ts';

const folder = scratch();
let files = 0;

/** A flight recorder of that size, and the files that it has written. */
function flightRecorder(header: TraceHeader, events: number) {
  const paths: string[] = [];
  const findings: string[] = [];
  const target = ringTarget(
    { kind: 'events', most: events },
    header,
    SIDES,
    (present, started) => {
      const path = join(folder, `${files++}.hvtrace`);
      const writer = TraceWriter.create(path, started ? present : midLife(present));
      if (isProblem(writer)) assert.fail(writer.text);
      paths.push(path);
      return writer;
    },
    (finding) => findings.push(finding),
  );
  return { target, paths, findings };
}

/** Gives events to it as a recorder does: a call at its entry, its answer when it returns, which may be after later events. */
function observe({ sink }: Target, events: readonly TraceEvent[]): void {
  const returns: { readonly tEnd: number; readonly event: TraceEvent }[] = [];
  const returned = (before: number): void => {
    returns.sort((a, b) => a.tEnd - b.tEnd);
    while (returns[0] !== undefined && returns[0].tEnd <= before) {
      const { event } = returns.shift() as (typeof returns)[number];
      if (event.kind !== 'ioctl') continue;
      const { ret, out, tEnd } = event;
      sink.complete(event.seq, { ...{ ret, tEnd }, ...(out === undefined ? {} : { out }) } as never);
    }
  };
  for (const event of events) {
    returned(event.t - 1);
    if (event.kind !== 'ioctl' || typeof event.ret !== 'number') {
      sink.append(event);
      continue;
    }
    const { out: _out, tEnd = event.t, ...entry } = event;
    sink.begin({ ...entry, ret: null });
    returns.push({ tEnd, event: { ...event, tEnd } });
  }
  returned(Number.MAX_SAFE_INTEGER);
}

/** All that is known at the end of a trace's replay, but for the numbers of calls, which are others in a ring. */
function endOf(source: Parameters<typeof finalOf>[0]) {
  const { report, known } = finalOf(source);
  return { report, known: [...known].filter(([path]) => !path.endsWith('.creator')).sort() };
}

describe('a flight recorder of calls', () => {
  test('keeps the last of a boot with two VPs, which replay without a divergence to the state of the whole', () => {
    const boot = bootOfQemu();
    const calls = DEPTHS.find(({ name }) => name === 'calls of programs alone')?.seen(boot.events) ?? [];
    const whole = endOf({ ...memorySource(boot.header, calls), cut: true });
    const { target, paths } = flightRecorder(boot.header, 1500);
    observe(target, calls);
    target.close(true);
    const trace = openTraceFile(paths[0] ?? '');
    try {
      const { source } = trace;
      assert.ok(source.count >= 1500 && source.count < 2500, `${source.count} events`);
      assert.equal(target.dropped + source.count - (source.start?.open.length ?? 0), calls.length);
      assert.ok(source.start !== undefined, 'it has no state');
      const last = endOf(source);
      assert.deepEqual(last.report.divergences, []);
      assert.ok(last.report.checked > 1000, `${last.report.checked} checked`);
      assert.deepEqual(last.known, whole.known);
      // The state as text, with the calls that were under way.
      const { start } = source;
      assert.ok(start.open.length > 0, 'no VP was waiting');
      const json = parseJson(formatStart(start));
      if ('problem' in json) assert.fail(json.problem.message);
      assert.deepEqual(readStart(json.value as JsonObject, kindOf), start);
      const packed = join(folder, 'packed.hvtrace.zst');
      pack(trace.file, packed, { force: true, origin: start });
      const unpacked = openTraceFile(packed);
      try {
        assert.deepEqual(endOf(unpacked.source), last);
      } finally {
        unpacked.close();
      }
      // What is recovered of it starts with the state as well.
      const saved = join(folder, 'saved.hvtrace');
      const recovered = recoverTrace(paths[0] ?? '', saved, { force: true, registry: kindOf });
      if (isProblem(recovered)) assert.fail(recovered.text);
      const again = openTraceFile(saved);
      try {
        assert.deepEqual(endOf(again.source), last);
      } finally {
        again.close();
      }
    } finally {
      trace.close();
    }
  });

  test('writes a copy when a rule is broken, and one for each finding', () => {
    const source = load(
      join(import.meta.dirname, '../../samples/scenarios/teardown-l1vh-kexec-before.hvtrace.ndjson'),
    );
    const events = [...source.range(1, source.count)].filter(({ kind }) => kind === 'lifecycle');
    const { target, paths, findings } = flightRecorder(source.header, 100);
    for (const event of events.slice(0, -1)) target.sink.append(event);
    target.tick();
    const before = findings.length;
    for (const event of events.slice(-1)) target.sink.append(event);
    target.tick();
    target.tick();
    assert.deepEqual([before, findings], [0, ['R01:mshv:off:vmbus']]);
    assert.equal(paths.length, 1);
    assert.equal(eventsOf(paths[0] ?? '').length, events.length);
  });
});

describe('record --ring', { skip: LACKING }, () => {
  test('SIGUSR2 writes what it holds beside the file, the program goes on, and the end writes the file', async () => {
    const program = build('test/live/clients/busy.c', folder, '-pthread');
    const trace = join(folder, 'last.hvtrace');
    const words = ['record', '--quiet', '--ring', '50', '-o', trace, '--', program];
    const child = spawn(HVREWIND, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    await once(child.stdout, 'data');
    const copy = join(folder, 'last-1.hvtrace');
    await wait(1000);
    child.kill('SIGUSR2');
    await wait(1500);
    process.kill(Number.parseInt(text, 10), 'SIGTERM');
    await ended;
    assert.match(text, /unexpected=0 /);
    const [one, last] = [eventsOf(copy), eventsOf(trace)];
    for (const events of [one, last]) assert.ok(events.length >= 50, `${events.length} events`);
    // How much more than 50 it holds depends on when the machine rested.
    const reader = openTrace(trace);
    if (isProblem(reader)) assert.fail(reader.text);
    assert.ok((reader.gaps()[0]?.lost ?? 0) > 0, 'nothing was let go');
    reader.close();
    assert.ok((one.at(-1)?.t ?? 0) < (last.at(-1)?.t ?? 0), 'it went on');
  });
});
