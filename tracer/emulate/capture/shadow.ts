import { syscall, viewOf } from '../../native/libc.ts';
import { MMAP, NR } from '../../native/numbers.ts';
import { PAGE_BYTES } from './given.ts';

/** A stretch of the program's memory and the guest's copy of it. */
interface Stretch {
  /** Where it is in the program. */
  readonly program: number;
  readonly length: number;
  /** Address of the copy. */
  readonly address: number;
  readonly copy: Uint8Array;
}

/** A part of what was given, and where its copy is here. */
interface Copied {
  readonly address: number;
  readonly length: number;
  readonly copy: Uint8Array;
}

/** The copies of what a program gave that its guests work on. A copy is zero at first and stays for as long as the partition. */
export class Shadow {
  #stretches: Stretch[] = [];

  /** The program gave memory at an address: where the copies of it are, in order. */
  cover(program: number, length: number): Copied[] {
    const found: Copied[] = [];
    for (let done = 0; done < length; ) {
      const stretch = this.#at(program + done) ?? this.#make(program + done, length - done);
      const offset = program + done - stretch.program;
      const part = Math.min(length - done, stretch.length - offset);
      found.push({
        address: stretch.address + offset,
        length: part,
        copy: stretch.copy.subarray(offset, offset + part),
      });
      done += part;
    }
    return found;
  }

  /** Nobody looks at the copies any more. */
  release(): void {
    for (const { address, length } of this.#stretches)
      syscall(NR.munmap, address - PAGE_BYTES, length + PAGE_BYTES);
    this.#stretches = [];
  }

  /** The copy of the page at an address of the program; undefined where it was never given. */
  pageAt(program: number): Uint8Array | undefined {
    const stretch = this.#at(program);
    if (stretch === undefined) return undefined;
    return stretch.copy.subarray(program - stretch.program, program - stretch.program + PAGE_BYTES);
  }

  /** The address in the program of what is copied at an address here. */
  programOf(address: number): number | undefined {
    const stretch = this.#stretches.find(
      (one) => address >= one.address && address < one.address + one.length,
    );
    return stretch === undefined ? undefined : stretch.program + address - stretch.address;
  }

  #at(program: number): Stretch | undefined {
    return this.#stretches.find((one) => program >= one.program && program < one.program + one.length);
  }

  /** A copy of what is not covered yet, up to the next stretch that is. */
  #make(program: number, most: number): Stretch {
    const next = this.#stretches.reduce(
      (first, one) => (one.program > program && one.program < first ? one.program : first),
      program + most,
    );
    const length = next - program;
    // One page more: views of the copies begin where no other view of this memory does.
    const base = syscall(
      NR.mmap,
      0,
      length + PAGE_BYTES,
      MMAP.readWrite,
      MMAP.shared | MMAP.anonymous,
      -1,
      0,
    );
    if (base < 0) throw new Error(`no memory for a copy of the guest's: errno ${-base}`);
    const copy = viewOf(base, length + PAGE_BYTES).subarray(PAGE_BYTES);
    const stretch = { program, length, address: base + PAGE_BYTES, copy };
    this.#stretches.push(stretch);
    return stretch;
  }
}
