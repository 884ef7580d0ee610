import { msrs } from '../../abi/lookup/msrs.ts';
import { hexOf } from '../../abi/text.ts';
import type { TraceEvent } from '../../trace/event.ts';
import { formatHandle, type Handle, type VpRef } from '../../trace/handle.ts';
import type { Profile } from '../../trace/profile.ts';
import { type Buffer, buffersOf, decoded, PlaceTable } from './buffers.ts';
import { type Name, type NameKind, Names, nameOf } from './names.ts';
import { fieldAt, firstDifference, type SameName } from './places.ts';

/** A field that two events have differently, as the event text names it; values are text to show. */
export interface FieldDifference {
  readonly field: string;
  readonly a: string;
  readonly b: string;
  /** It was given; else it is an answer, which takes effect when the call returns. */
  readonly given: boolean;
}

const NONE: readonly FieldDifference[] = [];

/** Frames that the kernel or the guest picks: what counts is whether it is the one that was there before. */
const PAGE_MSRS: ReadonlySet<number> = new Set(
  ['SIMP', 'SIEFP', 'SIRBP', 'VP_ASSIST_PAGE', 'HYPERCALL', 'REFERENCE_TSC'].map((name) =>
    msrs.number(`HV_X64_MSR_${name}`),
  ),
);
const CLOCK_MSRS: ReadonlySet<number> = new Set(
  ['TIME_REF_COUNT', 'VP_RUNTIME'].map((name) => msrs.number(`HV_X64_MSR_${name}`)),
);
/** Fields of one buffer that are told. */
const MAX_FIELDS = 16;
const PAGE_SHIFT = 12n;
const IN_PAGE = 0xfffn;

/** Nothing and everything are no names: 0 and all bits set mean the same in every trace. */
function isConstant(kind: NameKind, name: Name): boolean {
  if (kind === 'partition') return name === 0 || name === '4294967295:4294967295';
  if (kind === 'fd') return name === -1 || name === 0xffff_ffff;
  return name === 0;
}

export function isPageMsr(msr: number): boolean {
  return PAGE_MSRS.has(msr);
}

/** Compares events of two traces, and learns from equal ones what each trace calls what. */
export class Comparer {
  readonly names = new Names();
  readonly #profiles: readonly [Profile, Profile];
  readonly #places: PlaceTable;
  readonly #frames: readonly [Map<string, bigint>, Map<string, bigint>] = [new Map(), new Map()];
  #found: FieldDifference[] = [];

  constructor(a: Profile, b: Profile) {
    this.#profiles = [a, b];
    this.#places = new PlaceTable(a);
  }

  /** The fields that differ; `onCpu`: the CPU is no accident. Times and remarks are not looked at. */
  compare(a: TraceEvent, b: TraceEvent, onCpu: boolean): readonly FieldDifference[] {
    this.#found = [];
    if (onCpu) this.#field('cpu', a.cpu, b.cpu);
    this.#field('component', a.component, b.component);
    this.#field('vtl', a.vtl, b.vtl);
    if (a.kind !== b.kind) this.#field('kind', a.kind, b.kind);
    else this.#own(a, b);
    return this.#found.length === 0 ? NONE : this.#found;
  }

  #own(a: TraceEvent, b: TraceEvent): void {
    this.#vp('vp', a.vp, b.vp);
    if (a.kind === 'msr' && b.kind === 'msr') {
      this.#field('dir', a.dir, b.dir);
      this.#field('msr', msrs.name(a.msr), msrs.name(b.msr));
      this.#field('nested', a.nested === true, b.nested === true);
      this.#answer('fault', a.fault, b.fault);
      this.#value(a, b);
    } else if (a.kind === 'hypercall' && b.kind === 'hypercall') {
      this.#field('control', a.control, b.control);
      this.#buffers(a, b);
      this.#answer('result.status', a.result?.status, b.result?.status);
      this.#answer('result.reps', a.result?.reps, b.result?.reps);
      this.#answer('fault', a.fault, b.fault);
    } else if (a.kind === 'ioctl' && b.kind === 'ioctl') this.#ioctl(a, b);
    else if (a.kind === 'fd' && b.kind === 'fd') this.#fd(a, b);
    else this.#others(a, b);
  }

  #others(a: TraceEvent, b: TraceEvent): void {
    if (a.kind === 'message' && b.kind === 'message') {
      this.#field('what', a.what, b.what);
      this.#field('sint', a.sint, b.sint);
      this.#buffers(a, b);
      for (const key of ['flags', 'reason', 'flag', 'vector'] as const) this.#field(key, a[key], b[key]);
    } else if (a.kind === 'intercept' && b.kind === 'intercept') {
      this.#field('type', a.type, b.type);
      this.#buffers(a, b);
      const registers = (event: typeof a) =>
        event.registers?.map(({ name, value }) => `${hexOf(name)}=${hexOf(value)}`).join(' ');
      this.#field('registers', registers(a), registers(b));
    } else if (a.kind === 'page' && b.kind === 'page') {
      this.#field('what', a.what, b.what);
      this.#field('page', a.page, b.page);
      if (a.page === 'ram') this.#field('gpa', a.gpa, b.gpa);
      const bytes = (event: typeof a) =>
        event.bytes?.map((run) => `${hexOf(run.offset)}:${run.bytes.join(',')}`).join(' ');
      this.#field('bytes', bytes(a), bytes(b));
    } else if (a.kind === 'lifecycle' && b.kind === 'lifecycle') {
      this.#field('what', a.what, b.what);
      this.#field('cpu', a.cpu, b.cpu);
      this.#field('phase', a.phase ?? 'begin', b.phase ?? 'begin');
      this.#field('fail', a.fail, b.fail);
      this.#answer('ret', a.ret, b.ret);
      if (a.partition !== undefined || b.partition !== undefined)
        this.#name('partition', 'partition', nameOf(a.partition), nameOf(b.partition));
    } else if (a.kind === 'mark' && b.kind === 'mark') {
      for (const key of ['what', 'lost', 'sint', 'depth', 'gsi', 'vector', 'level', 'phase'] as const)
        this.#field(key, a[key], b[key]);
    }
  }

  #ioctl(a: TraceEvent & { kind: 'ioctl' }, b: TraceEvent & { kind: 'ioctl' }): void {
    this.#field('op', a.op, b.op);
    this.#handle('handle', a.handle, b.handle);
    this.#descriptor(a, b);
    this.#buffers(a, b);
    const [opensA, opensB] = [a.out?.handle, b.out?.handle];
    const opens = opensA !== undefined && opensB !== undefined;
    if (opens) this.#handle('out.handle', opensA, opensB, true);
    if (opens && isDescriptor(a.ret) && isDescriptor(b.ret))
      this.names.define('fd', fdName(a, a.ret), fdName(b, b.ret));
    else this.#answer('ret', a.ret, b.ret);
  }

  #fd(a: TraceEvent & { kind: 'fd' }, b: TraceEvent & { kind: 'fd' }): void {
    this.#field('what', a.what, b.what);
    this.#field('path', a.path, b.path);
    for (const key of ['offset', 'size', 'value'] as const) this.#field(key, a[key], b[key]);
    const opens = a.what === 'open' || a.what === 'dup';
    if (opens && isDescriptor(a.ret) && isDescriptor(b.ret)) {
      this.names.define('fd', fdName(a, a.ret), fdName(b, b.ret));
    } else if (a.what !== 'mmap' || (a.ret ?? 0) < 0 || (b.ret ?? 0) < 0) this.#answer('ret', a.ret, b.ret);
    if (a.handle !== undefined && b.handle !== undefined) this.#handle('handle', a.handle, b.handle, opens);
    else this.#field('handle', a.handle && formatHandle(a.handle), b.handle && formatHandle(b.handle));
    this.#descriptor(a, b);
    if (a.from !== undefined && b.from !== undefined)
      this.#name('from', 'fd', fdName(a, a.from), fdName(b, b.from));
    if (a.what === 'close' && a.fd !== undefined && b.fd !== undefined)
      this.names.forget('fd', fdName(a, a.fd), fdName(b, b.fd));
  }

  #descriptor(a: TraceEvent & { fd?: number }, b: TraceEvent & { fd?: number }): void {
    if (a.fd !== undefined && b.fd !== undefined) this.#name('fd', 'fd', fdName(a, a.fd), fdName(b, b.fd));
  }

  /** The value of an MSR: what is written is given, what is read is an answer. */
  #value(a: TraceEvent & { kind: 'msr' }, b: TraceEvent & { kind: 'msr' }): void {
    if (a.value === undefined || b.value === undefined || CLOCK_MSRS.has(a.msr)) return;
    const given = a.dir === 'write';
    if (!isPageMsr(a.msr)) {
      this.#field('value', a.value, b.value, given);
      return;
    }
    const [keptA, keptB] = [this.#kept(0, a, a.value), this.#kept(1, b, b.value)];
    const [frameA, frameB] = [a.value >> PAGE_SHIFT, b.value >> PAGE_SHIFT];
    const same = keptA === keptB && (frameA === 0n) === (frameB === 0n);
    if (same && (a.value & IN_PAGE) === (b.value & IN_PAGE)) return;
    const text = (value: bigint, kept: boolean): string =>
      keptA === keptB ? hexOf(value) : `${hexOf(value)} (${kept ? 'the page before' : 'another page'})`;
    this.#differ('value', text(a.value, keptA), text(b.value, keptB), given);
  }

  /** Whether the register has the frame that it had before. */
  #kept(trace: 0 | 1, event: TraceEvent & { kind: 'msr' }, value: bigint): boolean {
    const frames = this.#frames[trace];
    const key = `${event.cpu} ${event.msr} ${event.nested === true}`;
    const before = frames.get(key);
    frames.set(key, value >> PAGE_SHIFT);
    return before === value >> PAGE_SHIFT;
  }

  #vp(field: string, a: VpRef | undefined, b: VpRef | undefined): void {
    if (a === undefined || b === undefined) {
      if (a !== b) this.#differ(field, a && 'a VP', b && 'a VP', true);
      return;
    }
    this.#field(field, a.vp, b.vp);
    this.#name(field, 'partition', nameOf(a.partition), nameOf(b.partition));
  }

  #handle(field: string, a: Handle, b: Handle, opens = false): void {
    const texts = [formatHandle(a), formatHandle(b)] as const;
    if (a.kind === 'partition' && b.kind === 'partition') {
      if (opens) this.names.define('partition', nameOf(a.partition), nameOf(b.partition));
      this.#name(field, 'partition', nameOf(a.partition), nameOf(b.partition), texts);
    } else if (a.kind === 'vp' && b.kind === 'vp') {
      if (a.vp !== b.vp) this.#differ(field, ...texts, true);
      this.#name(field, 'partition', nameOf(a.partition), nameOf(b.partition), texts);
    } else if (a.kind !== b.kind) this.#differ(field, ...texts, true);
    else if ('open' in a && 'open' in b) {
      const [one, other] = texts;
      if (opens) this.names.define('open', one, other);
      this.#name(field, 'open', one, other, texts);
    } else if ('fd' in a && 'fd' in b) this.#name(field, 'fd', `${a.fd}`, `${b.fd}`, texts);
  }

  #buffers(a: TraceEvent, b: TraceEvent): void {
    const others = buffersOf(b);
    buffersOf(a).forEach((buffer, i) => {
      const other = others[i] as Buffer;
      const [one, two] = [buffer.bytes, other.bytes];
      if (one === undefined || two === undefined) {
        // What was not recorded is not another answer.
        if (one !== two && buffer.given) this.#differ(buffer.name, one && 'bytes', two && 'bytes', true);
        return;
      }
      const places = this.#places.placesOf(a, buffer);
      const same: SameName = (kind, x, y, { size }) => {
        const [nameA, nameB] = kind === 'fd' ? [fdName(a, x, size), fdName(b, y, size)] : [x, y];
        return this.#same(kind, nameA, nameB);
      };
      let offset = firstDifference(one, two, places, same);
      if (offset < 0) return;
      const [fieldsA, fieldsB] = [
        decoded(a, buffer, this.#profiles[0]),
        decoded(b, other, this.#profiles[1]),
      ];
      const shorter = Math.min(one.length, two.length);
      for (let n = 0; offset >= 0 && n < MAX_FIELDS; n++) {
        const { path, a: inA, b: inB, end } = fieldAt(fieldsA, fieldsB, offset, [one, two]);
        this.#found.push({ field: `${buffer.name}.${path}`, a: inA, b: inB, given: buffer.given });
        if (Math.max(end, offset + 1) >= shorter) return;
        offset = firstDifference(one, two, places, same, Math.max(end, offset + 1));
      }
    });
  }

  #same(kind: NameKind, a: Name, b: Name): boolean {
    if (isConstant(kind, a) || isConstant(kind, b)) return a === b;
    return this.names.same(kind, a, b);
  }

  #name(
    field: string,
    kind: NameKind,
    a: Name,
    b: Name,
    texts: readonly [string, string] = [`${a}`, `${b}`],
  ): void {
    if (!this.#same(kind, a, b)) this.#differ(field, ...texts, true);
  }

  /** An answer that one of the traces does not have was not recorded: it is not another. */
  #answer(field: string, a: Shown, b: Shown): void {
    if (a !== undefined && b !== undefined) this.#field(field, a, b, false);
  }

  #field(field: string, a: Shown, b: Shown, given = true): void {
    if (a !== b) this.#differ(field, a, b, given);
  }

  #differ(field: string, a: Shown, b: Shown, given: boolean): void {
    this.#found.push({ field, a: shown(a), b: shown(b), given });
  }
}

type Shown = string | number | bigint | boolean | null | undefined;

function shown(value: Shown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'never';
  return typeof value === 'bigint' ? hexOf(value) : String(value);
}

function isDescriptor(ret: number | null | undefined): ret is number {
  return typeof ret === 'number' && ret >= 0;
}

/** A descriptor is a process's; -1 is none. */
function fdName({ pid }: TraceEvent, fd: Name, size = 4): Name {
  if (size === 4 && (fd === -1 || fd === 0xffff_ffff)) return -1;
  return `${pid}:${fd}`;
}
