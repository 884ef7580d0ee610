import type { TraceEvent } from '../../engine/trace/event.ts';
import { seqOf, timeNs } from '../../engine/trace/position.ts';
import type { CallAnswer } from '../../tracer/store/index.ts';

/** How many events a call stays open for. */
export const OPEN_FOR = 700;

/** Event `seq` of every recording, so that a file can be compared with what its recorder wrote; `t` is in ns. */
export function eventAt(seq: number, t: number): TraceEvent {
  const common = {
    seq: seqOf(seq),
    t: timeNs(t),
    cpu: seq % 8,
    component: 'mshv',
    provenance: 'emulated',
  } as const;
  if (seq % 1000 === 1)
    return {
      ...common,
      kind: 'ioctl',
      handle: { kind: 'vp', partition: 2n, vp: seq % 3 },
      op: 0x8100b807,
      pid: 100,
      tid: 100 + (seq % 3),
      arg: new Uint8Array(16).fill(seq & 0xff),
      ret: null,
    };
  if (seq % 4 === 0)
    return {
      ...common,
      kind: 'hypercall',
      control: 0x1_0000_0050n,
      input: new Uint8Array(40).fill(seq & 0x1f),
      output: new Uint8Array(128).map((_, i) => (i < 40 ? (seq >> (i & 7)) & 0xff : 0)),
      result: { status: 0, reps: 1 },
      parent: seqOf(seq - 1),
    };
  return {
    ...common,
    kind: 'msr',
    dir: 'write',
    msr: 0x40000090 + (seq % 16),
    value: BigInt(seq),
    fault: false,
  };
}

/** The answer to the call `seq`, which comes {@link OPEN_FOR} events later. */
export function answerAt(seq: number, t: number): CallAnswer {
  const data = new Uint8Array(256).fill(seq & 0xff, 0, 90);
  return { ret: 0, tEnd: timeNs(t), out: { data } };
}
