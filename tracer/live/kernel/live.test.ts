import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { MsrEvent, TraceEvent } from '../../../engine/trace/event.ts';
import { CpuBuffers, pageBytesOf } from '../tracefs/buffers.ts';
import { TracefsInstance } from '../tracefs/instance.ts';
import { openTracefs } from '../tracefs/root.ts';
import { whyNotKernel } from './here.testing.ts';
import { recordKernel } from './record.ts';

const TSC_DEADLINE = 0x6e0;
const X2APIC_ICR = 0x830;

const why = whyNotKernel();
const here = why === undefined ? {} : { skip: why };

test(
  'real MSR accesses come with times, CPUs, processes and components, and the instance is gone after',
  here,
  async () => {
    const events: TraceEvent[] = [];
    const stop = new AbortController();
    const startedAt = performance.now();
    const recorded = await recordKernel(
      {
        append: (event) => events.push(event),
        begin: (event) => events.push(event),
        complete: () => undefined,
      },
      {
        kernel: true,
        msrs: [
          { first: TSC_DEADLINE, last: TSC_DEADLINE },
          { first: X2APIC_ICR, last: X2APIC_ICR },
        ],
        tick: () => {},
        signal: stop.signal,
        // Timers of this process set the deadline of the CPU's timer.
        onStart: () => setTimeout(() => stop.abort(), 600),
      },
    );
    const tookNs = (performance.now() - startedAt) * 1e6;
    assert.ok(!('text' in recorded), JSON.stringify(recorded));
    const accesses = events.filter((event): event is MsrEvent => event.kind === 'msr');
    const others = accesses.filter(({ msr }) => msr !== TSC_DEADLINE && msr !== X2APIC_ICR);
    assert.ok(accesses.length > 10, `${accesses.length} accesses`);
    // A machine on Hyper-V may add synthetic ones, and nothing else.
    assert.ok(others.every(({ msr }) => msr >= 0x4000_0000 && msr <= 0x4000_10ff));
    for (const { cpu, tid, value, dir } of accesses)
      assert.ok(cpu !== undefined && tid !== undefined && dir && value !== undefined);
    assert.ok(accesses.some(({ pid }) => pid !== undefined && pid > 0));
    assert.ok(accesses.some(({ note }) => note !== undefined && note.length > 0));
    assert.ok(accesses.filter(({ component }) => component === 'arch').length > accesses.length / 2);
    let last = 0;
    for (const { t, seq } of events) {
      assert.ok(t >= last && t <= tookNs, `event ${seq} at ${t}`);
      last = t;
    }
    assert.equal(recorded.badBytes, 0);
    assert.ok(recorded.lacks.every((line) => !line.includes('\n')));
    const tracefs = openTracefs();
    assert.ok(!('text' in tracefs));
    assert.deepEqual(
      readdirSync(`${tracefs.path}/instances`).filter((name) => name.startsWith(`hvrewind-${process.pid}-`)),
      [],
    );
    tracefs.release();
  },
);

test("a flood: every event is read or counted as lost, by the kernel's own counters", here, async () => {
  const tracefs = openTracefs();
  assert.ok(!('text' in tracefs));
  const instance = TracefsInstance.create(tracefs.path);
  assert.ok(!('text' in instance));
  let buffers: CpuBuffers | undefined;
  try {
    const layout = instance.pageLayout;
    assert.ok(layout !== undefined);
    assert.ok(instance.write('tracing_on', '0') && instance.write('trace_clock', 'mono'));
    // Small, so that some are lost.
    assert.ok(instance.write('buffer_size_kb', '64'));
    assert.ok(instance.write('events/raw_syscalls/sys_enter/enable', '1'));
    buffers = new CpuBuffers(instance.path, layout, pageBytesOf(instance.read('buffer_subbuf_size_kb')));
    const counts = { records: 0, lost: 0, bad: 0, unordered: 0 };
    const last = new Map<number, number>();
    const visitor: Parameters<CpuBuffers['drain']>[0] = {
      record: (cpu, t) => {
        counts.records += 1;
        if (t < (last.get(cpu) ?? 0)) counts.unordered += 1;
        last.set(cpu, t);
      },
      page: (_cpu, { lost, badBytes }) => {
        counts.lost += lost ?? 0;
        counts.bad += badBytes;
      },
    };
    instance.write('tracing_on', '1');
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 3000; i++) existsSync('/proc/self/nothing');
      buffers.drain(visitor);
    }
    instance.write('tracing_on', '0');
    while (buffers.drain(visitor).size > 0);
    const kernel = { overrun: 0, readEvents: 0, left: 0, dropped: 0 };
    for (const cpu of buffers.cpus) {
      const { entries, overrun, dropped, readEvents } = buffers.stats(cpu);
      kernel.overrun += overrun;
      kernel.readEvents += readEvents;
      kernel.left += entries;
      kernel.dropped += dropped;
    }
    assert.ok(counts.records > 1000 && kernel.overrun > 100, JSON.stringify({ counts, kernel }));
    assert.deepEqual(
      { ...counts, left: kernel.left, dropped: kernel.dropped },
      { records: kernel.readEvents, lost: kernel.overrun, bad: 0, unordered: 0, left: 0, dropped: 0 },
    );
  } finally {
    buffers?.close();
    instance.remove();
    tracefs.release();
  }
});
