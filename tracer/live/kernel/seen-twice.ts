import type { EventBody } from '../../sources/emitter.ts';
import type { Told } from '../../sources/kernel/told.ts';

/** A function of the kernel that writes an MSR does it within so many ns, but for an interrupt. */
const MOST_NS = 1e6;

type Write = { readonly msr: number; readonly value: bigint | undefined; readonly t: number };

/**
 * Writes of MSRs that a probe sees at the entry of a function, and a trace point again within it (kernels whose helpers of Hyper-V
 * write through the traced primitive): the second sight is left out.
 */
export class SeenTwice {
  /** By thread, what a probe saw last. */
  readonly #seen = new Map<number, Write>();

  /** Whether this is the second sight of a write. A refused one is told by the trace point alone and stays. */
  isSecond({ ahead }: Extract<Told, { kind: 'event' }>, body: EventBody, tid: number, t: number): boolean {
    if (body.kind !== 'msr' || body.dir !== 'write') return false;
    const { msr, value, fault } = body;
    if (ahead === true) {
      this.#seen.set(tid, { msr, value, t });
      return false;
    }
    const seen = this.#seen.get(tid);
    if (seen === undefined) return false;
    this.#seen.delete(tid);
    return fault !== true && seen.msr === msr && seen.value === value && t - seen.t <= MOST_NS;
  }
}
