import { KVM_ROWS } from './kvm.ts';
import { MSHV_ROWS } from './mshv.ts';
import { MSR_ROWS } from './msr.ts';
import type { Circumstances, Fields, SourceRow, Told } from './told.ts';

/** Trace points with a meaning, by `system:name`. */
export const TRACE_POINTS: readonly SourceRow[] = [...MSR_ROWS, ...MSHV_ROWS, ...KVM_ROWS];

/** Threads whose VP is kept at a time: guests have some thousand VPs, and a forgotten one is learnt again. */
const MAX_THREADS = 1 << 16;

/** What records of the kernel mean, where that depends on the records before them. */
export class Meanings {
  readonly #vps = new Map<number, number>();
  readonly #given: Pick<Circumstances, 'hasIoctls' | 'hasHypercalls'>;

  constructor(given: Pick<Circumstances, 'hasIoctls' | 'hasHypercalls'>) {
    this.#given = given;
  }

  /** What a record of thread `tid` says; undefined where it adds nothing. */
  tell(row: Pick<SourceRow, 'tell'>, fields: Fields, tid: number | undefined): Told | undefined {
    return row.tell(fields, {
      ...this.#given,
      tid,
      vp: tid === undefined ? undefined : this.#vps.get(tid),
      learnVp: (vp) => {
        if (tid === undefined) return;
        if (this.#vps.size >= MAX_THREADS) this.#vps.clear();
        this.#vps.set(tid, vp);
      },
    });
  }
}
