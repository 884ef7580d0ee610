import { fieldOf, hypercalls, lowHalf, msrs, readU32, readU64, registers } from '../../abi/index.ts';
import type { Step } from '../../replay/step.ts';
import type { HypercallEvent, MsrEvent, PageEvent } from '../../trace/event.ts';
import type { VpRef } from '../../trace/handle.ts';
import type { OpenFinding } from '../open-finding.ts';
import type { Tracker, TrackerInput, TrackerKind } from '../rule.ts';
import { BOUNDARIES, type Boundary, type BoundaryTracker } from './boundary.ts';
import { CALLERS, type CallerTracker } from './callers.ts';
import { makerOf } from './maker.ts';
import {
  frameOf,
  HYPERCALL,
  isEnabled,
  PAGE_KINDS,
  PAGE_MSRS,
  PAGE_NAMES,
  type PageRegister,
  pageRegister,
} from './page-registers.ts';
import { type Page, type PageOwner, PageSet, type PageWrite } from './pages.ts';
import type { Deed } from './synic.ts';
import { MAX_CPUS } from './synic-registers.ts';

/** Who the guest says it is. */
export const GUEST_OS_ID = msrs.number('GUEST_OS_ID');
const GUEST_OS_ID_NAME = registers.number('GUEST_OS_ID');
export const SET_VP_REGISTERS = hypercalls.number('HVCALL_SET_VP_REGISTERS');
const DELETE_PARTITION = hypercalls.number('HVCALL_DELETE_PARTITION');
const SET = {
  partition: fieldOf('hv_input_set_vp_registers', 'partition_id'),
  vp: fieldOf('hv_input_set_vp_registers', 'vp_index'),
  name: fieldOf('hv_input_set_vp_registers', 'elements.name'),
  value: fieldOf('hv_input_set_vp_registers', 'elements.value.reg64'),
};
/** Those below are registers of the processor, which are set whenever a VP runs. */
const FIRST_NAME = Math.min(GUEST_OS_ID_NAME, ...PAGE_NAMES.keys());
const DELETE_ID = fieldOf('hv_input_delete_partition', 'partition_id');
const NESTED: ReadonlyMap<string, PageRegister> = new Map([
  ['SIMP', pageRegister('NESTED_SIMP')],
  ['SIEFP', pageRegister('NESTED_SIEFP')],
]);
/** Guests that are remembered at a time; a trace that never deletes its partitions must not fill the memory. */
const MAX_GUESTS = 4096;
/** VPs of a partition (MSHV_MAX_VPS is 256 in Linux 7.2, a hypervisor has 2048). */
const MAX_VPS = 2048;

/** Where an event takes place: in a guest, or in the kernel that the trace is about. */
interface PlaceOfEvent {
  readonly vp?: VpRef | undefined;
  readonly vtl?: number | undefined;
}

/** What is known of a partition, in one VTL of it. */
export class PagesOfPartition {
  /** What it said of itself; undefined where that is not known. */
  identity: bigint | undefined;
  /** The trace itself says so, not only what a partition starts with. */
  identityIsSeen = false;
  /** Pages that all its processors share. */
  readonly shared: PageSet;
  readonly #processors = new Map<number, PageSet>();
  readonly #id: bigint | undefined;
  readonly #vtl: number;
  readonly #known: boolean;

  constructor(id: bigint | undefined, vtl: number, known: boolean) {
    this.#id = id;
    this.#vtl = vtl;
    this.#known = known;
    this.identity = known ? 0n : undefined;
    this.shared = this.#set(0);
  }

  /** The pages of a CPU, or of a VP. */
  of(processor: number): PageSet {
    const found = this.#processors.get(processor);
    if (found !== undefined) return found;
    const made = this.#set(processor);
    this.#processors.set(processor, made);
    return made;
  }

  *all(): Generator<Page> {
    yield* this.shared.all();
    const byNumber = [...this.#processors].sort(([a], [b]) => a - b);
    for (const [, set] of byNumber) yield* set.all();
  }

  setOf(register: PageRegister, processor: number): PageSet {
    return register.scope === 'partition' ? this.shared : this.of(processor);
  }

  blame(page: Page, finding: OpenFinding): void {
    this.setOf(page.register, page.owner.vp?.vp ?? page.owner.cpu).blame(page, finding);
  }

  forgetWho(): void {
    this.shared.forgetWho();
    for (const set of this.#processors.values()) set.forgetWho();
  }

  #set(processor: number): PageSet {
    const [id, vtl] = [this.#id, this.#vtl];
    const vp = id === undefined ? undefined : { partition: id, vp: processor };
    const owner: PageOwner = { cpu: processor, vp, vtl };
    return new PageSet(owner, this.#known ? false : undefined);
  }
}

/** Follows every page that a guest shares with the hypervisor: which are on, where, and who gave them. */
export class PageTracker implements Tracker {
  /** Writes to registers of pages in the present step. */
  writes: readonly PageWrite[] = NONE;
  readonly #input: TrackerInput;
  readonly #boundaries: BoundaryTracker;
  readonly #callers: CallerTracker;
  readonly #own = new Map<number, PagesOfPartition>();
  readonly #guests = new Map<string, PagesOfPartition>();
  #known: boolean;
  /** The step since which the present kernel runs. */
  #kernelSince = 0;

  constructor(input: TrackerInput) {
    this.#input = input;
    this.#boundaries = input.tracker(BOUNDARIES);
    this.#callers = input.tracker(CALLERS);
    this.#known = input.profile.initial === 'reset';
  }

  step(step: Step): void {
    const { event } = step;
    this.writes = NONE;
    if (event.kind === 'msr') this.#msr(event);
    else if (event.kind === 'hypercall') this.#hypercall(event, step);
    else if (event.kind === 'lifecycle') {
      for (const boundary of this.#boundaries.ended) this.#ended(boundary);
      // What comes of it is told by the calls that restore it.
      const { what, phase, partition } = event;
      if (what === 'restore' && phase !== 'end' && partition !== undefined) this.#deleted(partition);
    } else if (event.kind === 'mark' && event.what === 'gap') {
      this.#forgetOwn();
      this.#guests.clear();
    }
  }

  /** Pages of the kernel that the trace is about, by CPU. */
  *own(): Generator<Page> {
    for (const pages of this.#own.values()) yield* pages.all();
  }

  /** Pages of the partition that an event stands in. */
  *sameAs(event: PlaceOfEvent): Generator<Page> {
    const pages = this.partitionOf(event);
    if (pages !== undefined) yield* pages.all();
  }

  /** What is known of the partition that an event stands in; undefined where the trace does not tell which. */
  partitionOf({ vp, vtl = 0 }: PlaceOfEvent): PagesOfPartition | undefined {
    if (vp === undefined) return this.#ownOf(vtl);
    return vp.partition === undefined ? undefined : this.#guest(vp.partition, vtl);
  }

  blame(page: Page, finding: OpenFinding): void {
    const { vp } = page.owner;
    const partitions = vp === undefined ? this.#own.values() : this.#guests.values();
    for (const pages of partitions) {
      for (const other of pages.all()) if (other === page) pages.blame(page, finding);
    }
  }

  /** A kernel before the present one did it. */
  isOfEarlierKernel({ moment }: Deed): boolean {
    return moment.step < this.#kernelSince;
  }

  #msr(event: MsrEvent): void {
    const { value, cpu = 0, vp } = event;
    const number = vp === undefined ? cpu : vp.vp;
    if (value === undefined || number === undefined || number >= (vp === undefined ? MAX_CPUS : MAX_VPS))
      return;
    const partition = this.partitionOf(event);
    if (partition === undefined || event.fault === true) return;
    const who = event.component ?? (vp === undefined ? 'unknown' : 'guest');
    if (event.msr === GUEST_OS_ID) {
      if (event.dir === 'write') this.#identified(partition, value, this.#deed(who), false);
      else {
        partition.identity = value;
        partition.identityIsSeen = true;
      }
      return;
    }
    const plain = PAGE_MSRS.get(event.msr);
    if (plain === undefined) return;
    const register = event.nested === true ? (NESTED.get(plain.name) ?? plain) : plain;
    const set = partition.setOf(register, number);
    if (event.dir === 'write') this.#wrote(partition, register, number, value, this.#deed(who), false);
    else set.read(register, value);
  }

  #hypercall(event: HypercallEvent, step: Step): void {
    const { input, result } = event;
    if (step.returned || input === undefined || result?.status !== 0) return;
    const code = lowHalf(event.control) & 0xffff;
    if (code === DELETE_PARTITION) this.#deleted(readU64(input, DELETE_ID));
    else if (code === SET_VP_REGISTERS) this.#set(input, result.reps, event, step);
  }

  /** A parent sets registers of its guest. */
  #set(input: Uint8Array, count: number, event: HypercallEvent, step: Step): void {
    for (let i = 0; i < count; i++) {
      if (SET.value.offset + i * SET.value.stride + SET.value.size > input.length) return;
      const name = readU32(input, SET.name, i);
      if (name < FIRST_NAME) continue;
      const register = PAGE_NAMES.get(name);
      if (register === undefined && name !== GUEST_OS_ID_NAME) continue;
      const vp = readU32(input, SET.vp);
      if (event.vp !== undefined || vp >= MAX_VPS) return;
      const partition = this.#guest(readU64(input, SET.partition), 0);
      const deed = makerOf(this.#callers, step, event, this.#input.now) ?? this.#deed('vmm');
      const value = readU64(input, SET.value, i);
      if (register === undefined) this.#identified(partition, value, deed, true);
      else this.#wrote(partition, register, vp, value, deed, true);
    }
  }

  #identified(partition: PagesOfPartition, value: bigint, deed: Deed, byParent: boolean): void {
    partition.identity = value;
    partition.identityIsSeen = true;
    if (value !== 0n) return;
    const page = partition.shared.get(HYPERCALL);
    const before = { ...page };
    partition.shared.switchedOff(HYPERCALL, deed);
    this.#note({ page, before, deed, byParent, dropped: false });
  }

  #wrote(
    partition: PagesOfPartition,
    register: PageRegister,
    processor: number,
    value: bigint,
    deed: Deed,
    byParent: boolean,
  ): void {
    const set = partition.setOf(register, processor);
    const page = set.get(register);
    const before = { ...page };
    const dropped = register === HYPERCALL && isEnabled(value) && partition.identity === 0n;
    const effective = dropped ? frameOf(value) << 12n : value;
    set.wrote(register, effective, deed, before.by !== undefined && this.isOfEarlierKernel(before.by));
    this.#note({ page, before, deed, byParent, dropped });
  }

  #note(write: PageWrite): void {
    this.writes = this.writes.length === 0 ? [write] : [...this.writes, write];
  }

  #ended({ what, partition, succeeded, moment }: Boundary): void {
    switch (what) {
      case 'kexec':
      case 'crash':
        // The next kernel does not know what this one did; the hypervisor does.
        this.#kernelSince = moment.step;
        for (const pages of this.#own.values()) pages.forgetWho();
        return;
      case 'reboot':
      case 'power-off':
        this.#forgetOwn();
        return;
      case 'partition-reset':
        if (partition === undefined) this.#forgetOwn();
        else if (succeeded) this.#deleted(partition);
        return;
      default:
        return;
    }
  }

  #deleted(partition: bigint): void {
    for (const key of this.#guests.keys()) if (key.startsWith(`${partition}/`)) this.#guests.delete(key);
  }

  #forgetOwn(): void {
    this.#known = false;
    this.#own.clear();
  }

  #ownOf(vtl: number): PagesOfPartition {
    const known = this.#own.get(vtl);
    if (known !== undefined) return known;
    const made = new PagesOfPartition(undefined, vtl, this.#known);
    this.#own.set(vtl, made);
    return made;
  }

  #guest(id: bigint, vtl: number): PagesOfPartition {
    const key = `${id}/${vtl}`;
    const known = this.#guests.get(key);
    if (known !== undefined) return known;
    if (this.#guests.size >= MAX_GUESTS) this.#guests.clear();
    // A guest may have been there before its parent's calls were recorded, and a lost one may come back.
    const made = new PagesOfPartition(id, vtl, false);
    this.#guests.set(key, made);
    return made;
  }

  #deed(component: string): Deed {
    return { component, moment: this.#input.now() };
  }
}

/** The pages at the frame that an event about memory names: those that are on, and those that were and are not any more. */
export function pagesAt(
  event: PageEvent,
  tracker: PageTracker,
): { readonly on: readonly Page[]; readonly givenUp: readonly Page[] } {
  const { gpa, cpu, vp } = event;
  const register = PAGE_KINDS.get(event.page);
  const at = [...tracker.sameAs(event)].filter((page) =>
    gpa === undefined
      ? page.register === register &&
        (vp === undefined ? page.owner.cpu === cpu : page.owner.vp?.vp === vp.vp)
      : page.frame === frameOf(gpa),
  );
  return {
    on: at.filter(({ on }) => on === true),
    givenUp: at.filter(({ on, offBy }) => on === false && offBy !== undefined),
  };
}

const NONE: readonly PageWrite[] = [];

export const PAGES: TrackerKind<PageTracker> = {
  name: 'pages',
  watches: [
    { kind: 'msr', msrs: [...PAGE_MSRS.keys(), GUEST_OS_ID] },
    { kind: 'hypercall', codes: [SET_VP_REGISTERS, DELETE_PARTITION] },
    'lifecycle',
    'mark',
  ],
  create: (input) => new PageTracker(input),
};
