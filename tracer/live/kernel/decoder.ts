import type { Component } from '../../../engine/trace/event.ts';
import { Meanings } from '../../sources/kernel/meanings.ts';
import type { Circumstances, Fields, SourceRow, Told } from '../../sources/kernel/told.ts';
import { type EventFormat, type FieldReader, fieldReader } from '../tracefs/format.ts';
import type { PageResult } from '../tracefs/page.ts';
import type { KernelSymbols } from '../tracefs/symbols.ts';
import { TimeOrder } from '../tracefs/time-order.ts';
import { componentOf } from './attribution.ts';

/** Something that a CPU's buffer said, in order of time. */
export type KernelItem =
  | ToldItem
  /** So many events are missing before this time; undefined: some. */
  | { readonly kind: 'lost'; readonly t: number; readonly cpu: number; readonly lost: number | undefined }
  /** Bytes of the buffer that are no record. */
  | { readonly kind: 'bad'; readonly t: number; readonly cpu: number; readonly bytes: number };

export interface ToldItem {
  readonly kind: 'told';
  readonly t: number;
  readonly cpu: number;
  readonly tid: number;
  /** An interrupt did it, or a stop for a tracer: its thread was only there. */
  readonly isAside: boolean;
  readonly told: Told;
  /** Whose code it was, where a stack followed. */
  readonly component: Component | undefined;
}

type Open = { -readonly [K in keyof ToldItem]: ToldItem[K] };

/** A record of a known event. */
interface RowReader {
  readonly row: Pick<SourceRow, 'tell'>;
  readonly readers: ReadonlyMap<string, FieldReader>;
}

/** The addresses of a stack that are looked at: the driver's function stands well inside of them. */
const MAX_FRAMES = 32;
const COMMON_BYTES = 8;
/** ptrace_stop, ptrace_notify …: waking the tracer takes interrupts to other CPUs (Linux kernel/signal.c). */
const STOPS_FOR_TRACER = 'ptrace_';
/** `common_flags`: TRACE_FLAG_HARDIRQ, _SOFTIRQ, _NMI (Linux include/linux/trace_events.h). */
const FLAGS_AT = 2;
const IN_INTERRUPT = 0x08 | 0x10 | 0x40;

/** Makes items of the records of all CPUs, each with its event's fields by name. */
export class KernelDecoder {
  readonly #rows = new Map<number, RowReader>();
  readonly #order = new TimeOrder<KernelItem>();
  /** By CPU: the record that a stack which follows belongs to. */
  readonly #awaiting = new Map<number, Open>();
  readonly #lastT = new Map<number, number>();
  readonly #meanings: Meanings;
  readonly #symbols: KernelSymbols | undefined;
  #stackId = -1;
  #stackAt = 0;
  /** Records of events that were not asked for. */
  unknown = 0;
  lost = 0;

  constructor(given: Pick<Circumstances, 'hasIoctls' | 'hasHypercalls'>, symbols: KernelSymbols | undefined) {
    this.#meanings = new Meanings(given);
    this.#symbols = symbols;
  }

  add(format: EventFormat, row: Pick<SourceRow, 'tell'>): void {
    const readers = new Map<string, FieldReader>();
    for (const { name } of format.fields) {
      const reader = fieldReader(format, name);
      if (reader !== undefined) readers.set(name, reader);
    }
    this.#rows.set(format.id, { row, readers });
  }

  /** Takes stack traces as the component of the record before (`ftrace/kernel_stack`). */
  stacks(format: EventFormat): void {
    const caller = format.fields.find(({ name }) => name === 'caller');
    if (caller === undefined) return;
    this.#stackId = format.id;
    this.#stackAt = caller.offset;
  }

  record(cpu: number, t: number, view: DataView, at: number, length: number): void {
    this.#lastT.set(cpu, t);
    if (length < COMMON_BYTES) {
      this.unknown += 1;
      return;
    }
    const id = view.getUint16(at, true);
    const tid = view.getInt32(at + 4, true);
    if (id === this.#stackId) {
      this.#stack(cpu, tid, view, at, length);
      return;
    }
    const found = this.#rows.get(id);
    if (found === undefined) {
      this.unknown += 1;
      return;
    }
    const fields: Fields = (name) => found.readers.get(name)?.(view, at, length);
    const told = this.#meanings.tell(found.row, fields, tid);
    if (told === undefined) return;
    const isAside = (view.getUint8(at + FLAGS_AT) & IN_INTERRUPT) !== 0;
    const item: Open = { kind: 'told', t, cpu, tid, isAside, told, component: undefined };
    this.#awaiting.set(cpu, item);
    this.#order.add(cpu, t, item);
  }

  page(cpu: number, { t, lost, badBytes }: PageResult): void {
    if (lost !== 0) {
      this.lost += lost ?? 0;
      this.#order.add(cpu, t, { kind: 'lost', t, cpu, lost });
    }
    if (badBytes > 0) this.#order.add(cpu, t, { kind: 'bad', t, cpu, bytes: badBytes });
  }

  /** How far CPU `cpu` has been read, in ns. */
  lastOf(cpu: number): number {
    return this.#lastT.get(cpu) ?? 0;
  }

  /** What happened before `before` ns, in order of time. */
  take(before: number): KernelItem[] {
    return this.#order.take(before);
  }

  #stack(cpu: number, tid: number, view: DataView, at: number, length: number): void {
    const item = this.#awaiting.get(cpu);
    if (item === undefined || item.tid !== tid || this.#symbols === undefined) return;
    this.#awaiting.delete(cpu);
    const functions: (string | undefined)[] = [];
    const end = Math.min(length, this.#stackAt + 8 * MAX_FRAMES);
    for (let frame = this.#stackAt; frame + 8 <= end; frame += 8) {
      functions.push(this.#symbols.at(view.getBigUint64(at + frame, true)));
    }
    item.component = componentOf(functions);
    item.isAside ||= functions.some((name) => name?.startsWith(STOPS_FOR_TRACER));
  }
}
