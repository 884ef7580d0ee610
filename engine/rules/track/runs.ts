import type { Step } from '../../replay/step.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import type { Moment } from '../open-finding.ts';
import type { Tracker, TrackerInput, TrackerKind } from '../rule.ts';
import { RUN_VP } from './requests.ts';

/** A thread that is in MSHV_RUN_VP. */
export interface Entry {
  readonly seq: number;
  readonly tid: number | undefined;
  readonly component: string;
  readonly moment: Moment;
}

/** A MSHV_RUN_VP that has returned. */
export interface Exit {
  readonly entry: Entry;
  readonly moment: Moment;
  readonly ret: number | undefined;
  /** The message that it brought: header and payload. */
  readonly message: Uint8Array | undefined;
}

/** A VP that somebody has run. */
export interface RunVp {
  readonly key: string;
  readonly partition: bigint;
  readonly vp: number;
  readonly inside: Entry | undefined;
  /** The last message that it stopped with. */
  readonly stopped: Exit | undefined;
}

type Live = { -readonly [K in keyof RunVp]: RunVp[K] };

/** VPs that are remembered; the one that has not been run for longest is forgotten. */
const MAX_VPS = 4096;

/** Which VPs are inside MSHV_RUN_VP, and what they came back with. */
export class RunTracker implements Tracker {
  #entered: RunVp | undefined;
  #left: { readonly vp: RunVp; readonly exit: Exit } | undefined;
  readonly #now: () => Moment;
  readonly #vps = new Map<string, Live>();

  constructor({ now }: TrackerInput) {
    this.#now = now;
  }

  step({ event, returned }: Step): void {
    this.#entered = undefined;
    this.#left = undefined;
    if (event.kind === 'mark') {
      if (event.what === 'gap') this.#vps.clear();
      return;
    }
    if (event.kind !== 'ioctl' || event.handle.kind !== 'vp') return;
    const { partition, vp } = event.handle;
    if (partition === undefined || vp === undefined) return;
    if (returned) this.#leave(event, vpKey(partition, vp));
    else this.#enter(event, partition, vp);
  }

  /** The VP whose run begins with the present step. */
  get entered(): RunVp | undefined {
    return this.#entered?.inside?.moment.step === this.#now().step ? this.#entered : undefined;
  }

  /** The run that ends with the present step. */
  get left(): { readonly vp: RunVp; readonly exit: Exit } | undefined {
    return this.#left?.exit.moment.step === this.#now().step ? this.#left : undefined;
  }

  /** Undefined where nobody has run it. */
  of(partition: bigint, vp: number): RunVp | undefined {
    return this.#vps.get(vpKey(partition, vp));
  }

  #enter(event: IoctlEvent, partition: bigint, vp: number): void {
    const key = vpKey(partition, vp);
    const known = this.#vps.get(key) ?? { key, partition, vp, inside: undefined, stopped: undefined };
    this.#vps.delete(key);
    this.#vps.set(key, known);
    if (this.#vps.size > MAX_VPS)
      for (const oldest of [...this.#vps.keys()].slice(0, 1)) this.#vps.delete(oldest);
    const { seq, tid, component = 'vmm' } = event;
    known.inside = { seq, tid, component, moment: this.#now() };
    this.#entered = known;
  }

  #leave({ seq, ret, out }: IoctlEvent, key: string): void {
    const vp = this.#vps.get(key);
    const entry = vp?.inside;
    if (vp === undefined || entry?.seq !== seq) return;
    const exit: Exit = {
      entry,
      moment: this.#now(),
      ret: ret ?? undefined,
      message: ret === 0 ? out?.data : undefined,
    };
    vp.inside = undefined;
    if (exit.message !== undefined) vp.stopped = exit;
    this.#left = { vp, exit };
  }
}

/** `2.0` */
export function vpKey(partition: bigint, vp: number): string {
  return `${partition}.${vp}`;
}

export const RUNS: TrackerKind<RunTracker> = {
  name: 'runs',
  watches: [{ kind: 'ioctl', ops: RUN_VP }, 'mark'],
  create: (input) => new RunTracker(input),
};
