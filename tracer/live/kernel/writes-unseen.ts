import { msrs } from '../../../engine/abi/index.ts';

/** HV_X64_MSR_SCONTROL to HV_X64_MSR_SINT15, and their nested aliases (TLFS, SynIC; Linux 7.2 hyperv-tlfs.h). */
const FIRST = msrNamed('SCONTROL');
const LAST = msrNamed('SINT15');
const NESTED = 0x1000;

function msrNamed(name: string): number {
  const found = msrs.named(name);
  if (found === undefined) throw new Error(`no MSR ${name}`);
  return found.value;
}

const isSynic = (msr: number): boolean =>
  (msr >= FIRST && msr <= LAST) || (msr >= FIRST + NESTED && msr <= LAST + NESTED);

const TEXT =
  'MSRs of the SynIC are read, and writes are not seen: this kernel writes them past the trace point, and no probe is set';

/** A change of a register is a read and then a write: two reads on a CPU, and no write yet, cannot be one. */
const READS = 2;

/**
 * Notices that this kernel shows reads of SynIC MSRs and never a write: newer ones write them by a primitive without a trace point
 * (Linux 7.2 arch/x86/include/asm/mshyperv.h). Nothing may then be inferred from a write that is not there.
 */
export class WritesUnseen {
  readonly #reads = new Map<number, number>();
  #done = false;

  /** An access; the text of a mark to stand before it, where one is due. */
  msr(
    access: { readonly dir: 'read' | 'write'; readonly msr: number; readonly vp?: object },
    cpu: number,
  ): string | undefined {
    // What a guest does on KVM is emulated: all of it is seen.
    if (this.#done || access.vp !== undefined || !isSynic(access.msr)) return undefined;
    if (access.dir === 'write') {
      this.#done = true;
      return undefined;
    }
    const reads = (this.#reads.get(cpu) ?? 0) + 1;
    this.#reads.set(cpu, reads);
    return reads < READS ? undefined : this.#say();
  }

  /** After the last access. */
  end(): string | undefined {
    return this.#done || this.#reads.size === 0 ? undefined : this.#say();
  }

  #say(): string {
    this.#done = true;
    return TEXT;
  }
}
