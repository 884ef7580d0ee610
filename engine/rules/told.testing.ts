import assert from 'node:assert/strict';
import type { TraceEvent } from '../trace/event.ts';
import { at } from '../trace/position.ts';
import { EventLineReader } from '../trace/text/reader.ts';
import { Traffic } from './traffic.testing.ts';

/** An event as event text has it, without its time; `returns`: the call of that number returns. */
export type Line = Readonly<Record<string, unknown>> & { readonly returns?: number };

/** Traffic written as event text, an object a step, with all its answers: what rules are judged over, without an engine. */
export function told(profile: Record<string, string | number | boolean>, lines: readonly Line[]): Traffic {
  const traffic = new Traffic(profile);
  const reader = new EventLineReader(traffic.profile);
  const calls = new Map<number, TraceEvent>();
  let seq = 0;
  for (const { returns, ...line } of lines) {
    if (returns !== undefined) {
      const event = calls.get(returns);
      assert.ok(event !== undefined, `nothing of number ${returns} is called`);
      push(traffic, { ...event, ...line } as TraceEvent, true);
      continue;
    }
    const read = reader.next(JSON.stringify({ t: `${++seq}us`, ...line }));
    if ('problem' in read) throw new Error(JSON.stringify(read.problem));
    calls.set(seq, read.event);
    push(traffic, read.event, false);
  }
  return traffic;
}

function push(traffic: Traffic, event: TraceEvent, returned: boolean): void {
  traffic.step(event, event.parent === undefined ? undefined : at(event.parent), returned);
}

type Extra = Readonly<Record<string, unknown>>;

/** A hypercall of mshv that succeeds, unless `extra` says otherwise: a status, a count of elements, another component. */
export function hypercall(code: string, input: Extra, extra: Extra = {}): Line {
  const { status = 'SUCCESS', done, ...rest } = extra;
  const result = done === undefined ? { status } : { status, reps: done };
  return { kind: 'hypercall', cpu: 0, component: 'mshv', code, input, result, ...rest };
}

export function ioctl(handle: string, op: string, extra: Extra = {}): Line {
  return { kind: 'ioctl', component: 'vmm', pid: 7, tid: 7, handle, op, ...extra };
}

/** Partition 2 is created and initialized: three steps. */
export const ACTIVE: readonly Line[] = [
  hypercall('CREATE_PARTITION', {}, { output: { partition_id: 2 } }),
  hypercall('DEPOSIT_MEMORY', { partition_id: 2, gpa_page_list: [0x100, 0x101] }, { done: 2 }),
  hypercall('INITIALIZE_PARTITION', { partition_id: 2 }),
];
