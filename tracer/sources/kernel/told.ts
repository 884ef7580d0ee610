import { decodeControl } from '../../../engine/abi/index.ts';
import { inputBytes } from '../../../engine/hypervisor/index.ts';
import type { HypercallResult, IoctlOut } from '../../../engine/trace/event.ts';
import type { EventBody } from '../emitter.ts';

/** The answer that a return brings. */
export interface Answer {
  readonly ret?: number;
  readonly out?: IoctlOut;
  readonly result?: HypercallResult;
}

/** Calls whose entry and return are two records of the same thread. */
export type CallName = 'hypercall' | 'run-vp' | 'guest-hypercall' | (string & {});

/** What one record of the kernel says. */
export type Told =
  | {
      readonly kind: 'event';
      readonly body: EventBody;
      /** A probe at the entry of a function saw it: what the function does may have a trace point of its own. */
      readonly ahead?: true;
    }
  | { readonly kind: 'entry'; readonly call: CallName; readonly body: EventBody }
  | { readonly kind: 'return'; readonly call: CallName; readonly answer: Answer };

/** The fields of a record by the names of its format file; undefined for a field that it has not. */
export type Fields = (name: string) => bigint | undefined;

/** What a row may know besides the record. */
export interface Circumstances {
  /** The ioctls of the same processes are recorded in full by other means: what would be one here is a note. */
  readonly hasIoctls: boolean;
  /** Every hypercall is seen at its one function: what would be one here is a note. */
  readonly hasHypercalls: boolean;
  /** The thread of the record. */
  readonly tid: number | undefined;
  /** The VP that the thread of the record runs, where an earlier record told. */
  readonly vp: number | undefined;
  readonly learnVp: (vp: number) => void;
}

/** One record of the kernel and what becomes of it. */
export interface SourceRow {
  /** The folder of the event below `events/`. */
  readonly system: string;
  readonly name: string;
  /** Fields in the order in which the kernel prints them, with the base of their numbers. */
  readonly fields: readonly FieldPrint[];
  readonly becomes: 'msr' | 'hypercall' | 'ioctl' | 'message' | 'lifecycle' | 'note';
  /** Why it becomes that and not more. */
  readonly why: string;
  /** Undefined: the record adds nothing. */
  readonly tell: (fields: Fields, circumstances: Circumstances) => Told | undefined;
}

export interface FieldPrint {
  readonly name: string;
  readonly base: 'd' | 'x';
}

/** `partition_id:d flags:x` as a list. */
export function fieldPrints(text: string): FieldPrint[] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [name = '', base] = word.split(':');
      return { name, base: base === 'x' ? 'x' : 'd' };
    });
}

/** The fields of a record in words: `partition_id=5 flags=0x10`. */
export function inWords(name: string, prints: readonly FieldPrint[], fields: Fields): string {
  const words = prints.flatMap(({ name: field, base }) => {
    const value = fields(field);
    if (value === undefined) return [];
    return [`${field}=${base === 'x' ? `0x${BigInt.asUintN(64, value).toString(16)}` : value}`];
  });
  return [`${name}:`, ...words].join(' ');
}

export function noted(body: Omit<Extract<EventBody, { kind: 'mark' }>, 'kind' | 'what'>): Told {
  return { kind: 'event', body: { kind: 'mark', what: 'note', ...body } };
}

/** A number below 2^53; undefined for what the record has not. */
export function numberOf(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/** Unsigned, of `bits` bits; a field that is missing counts as 0. */
export function unsigned(value: bigint | undefined, bits: number): bigint {
  return BigInt.asUintN(bits, value ?? 0n);
}

/** What the two register words of a fast hypercall hold of its input; all of both where its shape is not known. */
export function fastInput(control: bigint, first: bigint, second: bigint): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, first, true);
  view.setBigUint64(8, second, true);
  const size = inputBytes(decodeControl(control));
  return size === 0 || size >= bytes.length ? bytes : bytes.slice(0, size);
}
