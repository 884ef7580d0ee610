import assert from 'node:assert/strict';
import { type LiveEvent, LiveMachine } from '../replay/live.ts';
import { replay } from '../replay/replay.ts';
import { memorySource } from '../replay/source.ts';
import type { TraceEvent } from '../trace/event.ts';
import { type Seq, timeNs } from '../trace/position.ts';
import { readProfile } from '../trace/profile-read.ts';
import type { JsonObject } from '../trace/text/json.ts';
import { DEVICE, PARTITION, ROOT, request, u32 } from './guest.testing.ts';
import { SIDES } from './scenario.testing.ts';

/** A root whose mshv has a partition with a VP, fed event by event; what it recorded replays to the same. */
export class LiveRoot {
  readonly recorded: TraceEvent[] = [];
  readonly #profile;
  readonly #live: LiveMachine;

  constructor(given: JsonObject = {}, creation = new Uint8Array(16)) {
    this.#profile = readProfile({ ...ROOT, ...given });
    this.#live = new LiveMachine(this.#profile, SIDES, {
      step: ({ event }) => {
        this.recorded[event.seq - 1] = event;
      },
      journal: () => {},
      checkpoint: () => {},
    });
    this.feed({ kind: 'lifecycle', what: 'component-start', component: 'mshv' });
    this.ioctl(DEVICE, request('device', 'MSHV_CREATE_PARTITION'), creation);
    this.feed({ kind: 'ioctl', handle: PARTITION, op: request('partition', 'MSHV_INITIALIZE_PARTITION') });
    this.ioctl(PARTITION, request('partition', 'MSHV_CREATE_VP'), u32(0));
  }

  get machine() {
    return this.#live.machine;
  }

  feed(event: object) {
    const t = timeNs(1000 * this.recorded.length);
    return this.#live.feed({ t, provenance: 'emulated', pid: 7, ...event } as LiveEvent);
  }

  /** A signal ends the wait of a call. */
  interrupt(seq: number) {
    return this.#live.interrupt(seq as Seq, timeNs(1000 * this.recorded.length));
  }

  ioctl(handle: object, op: number, arg: Uint8Array) {
    return this.feed({ kind: 'ioctl', handle, op, arg });
  }

  /** The descriptor of the first file of a kind that a call opened. */
  descriptor(kind: 'partition' | 'vp'): number {
    const opened = this.recorded.find((event) => event.kind === 'ioctl' && event.out?.handle?.kind === kind);
    return opened?.kind === 'ioctl' && typeof opened.ret === 'number' ? opened.ret : -1;
  }

  /** What was recorded since an event, its kind and what it is. */
  since(seq: number): string[] {
    return this.recorded.slice(seq - 1).map((event) => {
      if (event.kind === 'fd' || event.kind === 'message' || event.kind === 'lifecycle')
        return `${event.kind} ${event.what}`;
      return event.kind === 'hypercall'
        ? `hypercall 0x${(event.control & 0xffffn).toString(16)}`
        : event.kind;
    });
  }

  finish(): void {
    const hash = this.#live.finish();
    const report = replay(memorySource({ profile: this.#profile, given: {} }, this.recorded), SIDES);
    assert.deepEqual([report.divergences, report.hash], [[], hash]);
  }
}
