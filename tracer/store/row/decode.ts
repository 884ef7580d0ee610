import {
  type Component,
  DIALECTS,
  DROP_REASONS,
  EVENT_KINDS,
  type EventKind,
  FAIL_STEPS,
  FD_WHATS,
  type HypercallEvent,
  type HypercallResult,
  LIFECYCLE_WHATS,
  MARK_WHATS,
  MESSAGE_WHATS,
  type MessageWhat,
  type MsrEvent,
  PAGE_KINDS,
  PAGE_WHATS,
  PROVENANCES,
  type Provenance,
  type TraceEvent,
} from '../../../engine/trace/event.ts';
import type { Handle, VpRef } from '../../../engine/trace/handle.ts';
import type { Seq, TimeNs } from '../../../engine/trace/position.ts';
import * as flag from '../format/flags.ts';
import { LIMITS, type Limit, within } from './limits.ts';
import { MESSAGE_RESULTS } from './message-results.ts';
import { readMore } from './more.ts';
import { readPageParts, readRegisters } from './parts.ts';
import { fromHalves } from './row.ts';

/** One row as the reader gets it: numbers checked to be exact integers, payloads already fetched. */
export interface StoredRow {
  readonly seq: number;
  readonly t: number;
  readonly kind: number;
  readonly parent: number;
  readonly actor: StoredActor;
  readonly handle: Handle | undefined;
  readonly code: number;
  /** `value >> 32` (signed) and `value & 0xffffffff`. */
  readonly valueHigh: number;
  readonly valueLow: number;
  readonly result: number;
  readonly dur: number;
  readonly flags: number;
  readonly arg: Uint8Array | undefined;
  readonly input: Uint8Array | undefined;
  readonly outArg: Uint8Array | undefined;
  readonly output: Uint8Array | undefined;
  readonly more: string | undefined;
}

/** A row of `actor`: only the keys that were recorded. */
export interface StoredActor {
  readonly cpu?: number;
  readonly component?: Component;
  readonly pid?: number;
  readonly tid?: number;
  readonly vp?: VpRef;
  readonly vtl?: number;
}

/** Thrown inside the decoder for a row that no writer makes; the reader adds which row it was. */
export class RowRefusal extends Error {}

type Draft = Record<string, unknown>;

/** The event of a row. A row that no writer makes is a {@link RowRefusal}, never a wrong event. */
export function decodeEvent(row: StoredRow): TraceEvent {
  const kind = EVENT_KINDS[row.kind];
  if (kind === undefined) throw new RowRefusal(`kind ${row.kind} is not known`);
  if (row.t < 0) throw new RowRefusal('its time is negative');
  if (row.parent < 0 || row.parent >= row.seq)
    throw new RowRefusal(`its parent ${row.parent} is not before it`);
  if (row.flags < 0 || row.flags > flag.ALL_FLAGS) throw new RowRefusal(`its flags are ${row.flags}`);
  const usual = usualEvent(kind, row);
  if (usual !== undefined) return usual;
  const { actor } = row;
  const event: Draft = { seq: row.seq, kind, t: row.t };
  if (row.parent !== 0) event.parent = row.parent;
  if (actor.cpu !== undefined) event.cpu = actor.cpu;
  if (actor.component !== undefined) event.component = actor.component;
  if (actor.pid !== undefined) event.pid = actor.pid;
  if (actor.tid !== undefined) event.tid = actor.tid;
  if (actor.vp !== undefined) event.vp = actor.vp;
  if (actor.vtl !== undefined) event.vtl = actor.vtl;
  event.provenance = PROVENANCES[row.flags & flag.PROVENANCE_MASK];
  decodeKind(kind, row, event);
  if (row.more !== undefined && kind !== 'ioctl' && !readMore(kind, row.more, event))
    throw new RowRefusal('its further fields are not those of its kind');
  return event as unknown as TraceEvent;
}

const MSR_MASK = flag.VALUE | flag.FAULT_KNOWN | flag.NESTED_KNOWN;
const MSR_USUAL = flag.VALUE | flag.FAULT_KNOWN;
const HYPERCALL_MASK = flag.RESULT | flag.FAULT_KNOWN | flag.END;
const HYPERCALL_USUAL = flag.RESULT | flag.FAULT_KNOWN;

/**
 * MSR accesses and hypercalls with the fields that nearly all have: an object made at once takes half the memory of
 * one that grows, and these are most of a trace.
 */
function usualEvent(kind: EventKind, row: StoredRow): TraceEvent | undefined {
  const { actor, flags, more } = row;
  const { cpu, component } = actor;
  if (cpu === undefined || component === undefined || more !== undefined) return undefined;
  if (actor.pid !== undefined || actor.tid !== undefined || actor.vp !== undefined || actor.vtl !== undefined)
    return undefined;
  if (kind === 'msr' && (flags & MSR_MASK) === MSR_USUAL) return usualMsr(row, cpu, component);
  return kind === 'hypercall' && (flags & HYPERCALL_MASK) === HYPERCALL_USUAL
    ? usualHypercall(row, cpu, component)
    : undefined;
}

function usualMsr(row: StoredRow, cpu: number, component: Component): MsrEvent {
  const { flags } = row;
  const [seq, t, parent] = [row.seq as Seq, row.t as TimeNs, row.parent as Seq];
  const provenance = PROVENANCES[flags & flag.PROVENANCE_MASK] as Provenance;
  const dir = (flags & flag.WRITE) !== 0 ? 'write' : 'read';
  const msr = limited(row.code, 'u32');
  const value = fromHalves(row.valueHigh, row.valueLow);
  const fault = (flags & flag.FAULT) !== 0;
  return parent === 0
    ? { seq, kind: 'msr', t, cpu, component, provenance, dir, msr, value, fault }
    : { seq, kind: 'msr', t, parent, cpu, component, provenance, dir, msr, value, fault };
}

function usualHypercall(row: StoredRow, cpu: number, component: Component): HypercallEvent | undefined {
  const { flags, input, output } = row;
  if (input === undefined) return undefined;
  const [seq, t, parent] = [row.seq as Seq, row.t as TimeNs, row.parent as Seq];
  const provenance = PROVENANCES[flags & flag.PROVENANCE_MASK] as Provenance;
  const control = controlOf(row);
  const result = resultOf(row);
  const fault = (flags & flag.FAULT) !== 0;
  const kind = 'hypercall';
  if (output === undefined) {
    return parent === 0
      ? { seq, kind, t, cpu, component, provenance, control, input, result, fault }
      : { seq, kind, t, parent, cpu, component, provenance, control, input, result, fault };
  }
  return parent === 0
    ? { seq, kind, t, cpu, component, provenance, control, input, output, result, fault }
    : { seq, kind, t, parent, cpu, component, provenance, control, input, output, result, fault };
}

function controlOf(row: StoredRow): bigint {
  if ((row.valueLow & 0xffff) !== row.code) throw new RowRefusal('its code and control word differ');
  return fromHalves(row.valueHigh, row.valueLow);
}

function resultOf({ result }: StoredRow): HypercallResult {
  const status = result % flag.RESULT_REPS;
  const reps = (result - status) / flag.RESULT_REPS;
  if (!within(status, 'u16') || !within(reps, 'u12')) throw new RowRefusal(`its result is ${result}`);
  return { status, reps };
}

function decodeKind(kind: EventKind, row: StoredRow, event: Draft): void {
  const { flags } = row;
  switch (kind) {
    case 'ioctl':
      decodeIoctl(row, event);
      return;
    case 'hypercall': {
      event.control = controlOf(row);
      if (row.input !== undefined) event.input = row.input;
      if (row.output !== undefined) event.output = row.output;
      if ((flags & flag.RESULT) !== 0) event.result = resultOf(row);
      if ((flags & flag.FAULT_KNOWN) !== 0) event.fault = (flags & flag.FAULT) !== 0;
      decodeEnd(row, event);
      return;
    }
    case 'msr':
      event.dir = (flags & flag.WRITE) !== 0 ? 'write' : 'read';
      event.msr = limited(row.code, 'u32');
      if ((flags & flag.VALUE) !== 0) event.value = fromHalves(row.valueHigh, row.valueLow);
      if ((flags & flag.FAULT_KNOWN) !== 0) event.fault = (flags & flag.FAULT) !== 0;
      if ((flags & flag.NESTED_KNOWN) !== 0) event.nested = (flags & flag.NESTED) !== 0;
      return;
    case 'message':
      event.what = word(MESSAGE_WHATS, row.code);
      event.sint = smallValue(row, 'u32');
      if (row.input !== undefined) event.slot = row.input;
      if ((flags & flag.RESULT) !== 0) {
        const key = MESSAGE_RESULTS[event.what as MessageWhat];
        if (key === undefined) throw new RowRefusal('it has a result, which no such message has');
        event[key] = limited(row.result, 'u32');
      }
      sub(DROP_REASONS, row, event, 'reason');
      return;
    case 'intercept': {
      if (row.actor.vp === undefined) throw new RowRefusal('it names no VP');
      event.type = limited(row.code, 'u32');
      if (row.input !== undefined) event.payload = row.input;
      if (row.output === undefined) return;
      const registers = readRegisters(row.output);
      if (registers === undefined) throw new RowRefusal('its registers are cut');
      event.registers = registers;
      return;
    }
    case 'fd':
      event.what = word(FD_WHATS, row.code);
      if (row.handle !== undefined) event.handle = row.handle;
      if ((flags & flag.VALUE) !== 0) event.fd = smallValue(row, 'i32');
      decodeReturn(row, event);
      return;
    case 'page': {
      event.what = word(PAGE_WHATS, row.code);
      sub(PAGE_KINDS, row, event, 'page');
      if (event.page === undefined) throw new RowRefusal('it names no kind of page');
      if ((flags & flag.VALUE) !== 0) event.gpa = fromHalves(row.valueHigh, row.valueLow);
      if (row.input === undefined) return;
      const parts = readPageParts(row.input);
      if (parts === undefined) throw new RowRefusal('its bytes are cut');
      event.bytes = parts;
      return;
    }
    case 'lifecycle':
      event.what = word(LIFECYCLE_WHATS, row.code);
      decodePhase(row, event);
      if ((flags & flag.VALUE) !== 0) event.partition = fromHalves(row.valueHigh, row.valueLow);
      if ((flags & flag.RESULT) !== 0) event.ret = limited(row.result, 'i32');
      sub(FAIL_STEPS, row, event, 'fail');
      return;
    case 'mark':
      event.what = word(MARK_WHATS, row.code);
      decodePhase(row, event);
      return;
  }
}

function decodeIoctl(row: StoredRow, event: Draft): void {
  if (row.handle === undefined) throw new RowRefusal('it has no handle');
  event.handle = row.handle;
  if ((row.flags & flag.VALUE) !== 0) event.fd = smallValue(row, 'i32');
  event.op = limited(row.code, 'u32');
  sub(DIALECTS, row, event, 'dialect');
  if (row.arg !== undefined) event.arg = row.arg;
  if (row.input !== undefined) event.in = row.input;
  const more: Draft = {};
  if (row.more !== undefined && !readMore('ioctl', row.more, more))
    throw new RowRefusal('its further fields are not those of its kind');
  if (more.instructions !== undefined) event.instructions = more.instructions;
  if (more.note !== undefined) event.note = more.note;
  if ((row.flags & flag.OUT) !== 0) {
    const out: Draft = {};
    if (more.handle !== undefined) out.handle = more.handle;
    if (row.outArg !== undefined) out.arg = row.outArg;
    if (row.output !== undefined) out.data = row.output;
    event.out = out;
  }
  decodeReturn(row, event);
  decodeEnd(row, event);
}

function decodeReturn(row: StoredRow, event: Draft): void {
  if ((row.flags & flag.OPEN) !== 0) event.ret = null;
  else if ((row.flags & flag.RESULT) !== 0) event.ret = limited(row.result, 'i32');
}

function decodeEnd(row: StoredRow, event: Draft): void {
  if ((row.flags & flag.END) === 0) return;
  const tEnd = row.t + row.dur;
  if (!within(tEnd, 'count')) throw new RowRefusal(`its duration is ${row.dur}`);
  event.tEnd = tEnd;
}

function decodePhase(row: StoredRow, event: Draft): void {
  const phase = (row.flags >> flag.PHASE_SHIFT) & flag.PHASE_MASK;
  if (phase === 3) throw new RowRefusal('its phase is neither begin nor end');
  if (phase !== 0) event.phase = phase === 1 ? 'begin' : 'end';
}

function sub(list: readonly string[], row: StoredRow, event: Draft, key: string): void {
  const number = (row.flags >> flag.SUB_SHIFT) & flag.SUB_MASK;
  if (number !== 0) event[key] = word(list, number - 1);
}

function word(list: readonly string[], number: number): string {
  const found = list[number];
  if (found === undefined) throw new RowRefusal(`${number} is not the number of ${list[0]} … ${list.at(-1)}`);
  return found;
}

/** `value` where it is a small number: a file descriptor, a SINT. */
function smallValue(row: StoredRow, limit: Limit): number {
  return limited(row.valueHigh * 0x1_0000_0000 + row.valueLow, limit);
}

function limited(value: number, limit: Limit): number {
  if (!within(value, limit)) throw new RowRefusal(`${value} is not from ${LIMITS[limit].join(' to ')}`);
  return value;
}
