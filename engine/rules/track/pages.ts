import type { OpenFinding } from '../open-finding.ts';
import { frameOf, isEnabled, type PageRegister } from './page-registers.ts';
import type { Deed } from './synic.ts';

/** Whose page it is: a CPU of the kernel that the trace is about, or a VP of a guest. */
export interface PageOwner {
  readonly cpu: number;
  readonly vp: { readonly partition: bigint; readonly vp: number } | undefined;
  readonly vtl: number;
}

/** A page that a register gives, or gave, the hypervisor, as far as the trace has told. */
export interface Page {
  readonly register: PageRegister;
  readonly owner: PageOwner;
  /** Path of the cell: `cpu[0].synic.siefp`. */
  readonly cell: string;
  /** Undefined: not known. */
  readonly on: boolean | undefined;
  /** The frame at which it is, or last was, enabled. */
  readonly frame: bigint | undefined;
  /** Who gave the page, while it is on and that is known: writing an enable that is set gives nothing. */
  readonly by: Deed | undefined;
  /** Who switched it off, while it is off; undefined where nobody in the trace did. */
  readonly offBy: Deed | undefined;
  /** The step at which it was last written; 0: not in the trace. */
  readonly written: number;
  /** The finding that explains its present state. */
  readonly blamed: OpenFinding | undefined;
}

type Live = { -readonly [K in keyof Page]: Page[K] };

/** A write to the register of a page. */
export interface PageWrite {
  /** As it is now. */
  readonly page: Page;
  readonly before: Pick<Page, 'on' | 'frame' | 'by' | 'blamed'>;
  readonly deed: Deed;
  /** Whether the parent did it for its guest. */
  readonly byParent: boolean;
  /** The enable bit was written and did not stay, for the guest had not said who it is (TLFS, HYPERCALL). */
  readonly dropped: boolean;
}

/** All pages of one processor or of one partition. */
export class PageSet {
  readonly #pages = new Map<PageRegister, Live>();
  readonly #owner: PageOwner;
  readonly #on: boolean | undefined;

  /** `on`: what is known of a register before anybody wrote it. */
  constructor(owner: PageOwner, on: boolean | undefined) {
    this.#owner = owner;
    this.#on = on;
  }

  find(register: PageRegister): Page | undefined {
    return this.#pages.get(register);
  }

  get(register: PageRegister): Page {
    return this.#live(register);
  }

  all(): Iterable<Page> {
    return this.#pages.values();
  }

  /** `isNewEra`: what a kernel before this one left on becomes the writer's. */
  wrote(register: PageRegister, value: bigint, deed: Deed, isNewEra: boolean): void {
    const page = this.#live(register);
    const { on: was } = page;
    page.on = isEnabled(value);
    page.written = deed.moment.step;
    if (page.on) {
      const isMoved = page.by?.component !== deed.component && page.frame !== frameOf(value);
      if (was !== true || isNewEra || isMoved) {
        page.by = deed;
        page.blamed = undefined;
      }
      page.frame = frameOf(value);
      page.offBy = undefined;
    } else this.switchedOff(register, deed);
  }

  switchedOff(register: PageRegister, deed: Deed): void {
    const page = this.#live(register);
    if (page.on !== false || page.offBy === undefined) page.offBy = deed;
    page.on = false;
    page.by = undefined;
    page.blamed = undefined;
  }

  /** What a read shows and nobody in the trace wrote was somebody's who is not known. */
  read(register: PageRegister, value: bigint): void {
    const page = this.#live(register);
    const [on, frame] = [isEnabled(value), frameOf(value)];
    if (page.on === on && (!on || page.frame === frame)) return;
    page.on = on;
    if (on) page.frame = frame;
    page.by = undefined;
    page.offBy = undefined;
    page.blamed = undefined;
  }

  blame(page: Page, finding: OpenFinding | undefined): void {
    this.#live(page.register).blamed = finding;
  }

  /** Who switched a page off was a kernel that has gone. */
  forgetWho(): void {
    for (const page of this.#pages.values()) page.offBy = undefined;
  }

  #live(register: PageRegister): Live {
    const known = this.#pages.get(register);
    if (known !== undefined) return known;
    const { cpu, vp } = this.#owner;
    const cell =
      vp === undefined
        ? `cpu[${cpu}].${register.path.cpu}`
        : `partition[${vp.partition}].vp[${vp.vp}].${register.path.vp}`;
    const made: Live = {
      register,
      owner: this.#owner,
      cell,
      on: this.#on,
      frame: undefined,
      by: undefined,
      offBy: undefined,
      written: 0,
      blamed: undefined,
    };
    this.#pages.set(register, made);
    return made;
  }
}
