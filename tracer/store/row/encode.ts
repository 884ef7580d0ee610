import {
  DIALECTS,
  DROP_REASONS,
  EVENT_KINDS,
  FAIL_STEPS,
  FD_WHATS,
  type IoctlEvent,
  LIFECYCLE_WHATS,
  MARK_WHATS,
  MESSAGE_WHATS,
  type MessageEvent,
  PAGE_KINDS,
  PAGE_WHATS,
  PROVENANCES,
  type TraceEvent,
} from '../../../engine/trace/event.ts';
import type { Handle } from '../../../engine/trace/handle.ts';
import * as flag from '../format/flags.ts';
import { checked } from './limits.ts';
import { MESSAGE_RESULTS } from './message-results.ts';
import { writeMore } from './more.ts';
import { writePageParts, writeRegisters } from './parts.ts';
import {
  ACTOR,
  ARG,
  CODE,
  DUR,
  FLAGS,
  HANDLE,
  INPUT,
  KIND,
  MORE,
  OUT_ARG,
  OUTPUT,
  PARENT,
  RESULT_AT,
  type Row,
  SEQ,
  T,
  toColumn64,
  VALUE_AT,
  type Value,
} from './row.ts';

/** Where the parts of events that are kept once get their numbers. */
export interface RowIds {
  actor(event: TraceEvent): number;
  handle(handle: Handle): number;
  /** The column's value for a payload: itself, or its number in `blob`. */
  payload(bytes: Uint8Array): Value;
}

/** The row of an event. What cannot stand in a row (a fraction, a register above 128 bits) is a RangeError. */
export function encodeEvent(event: TraceEvent, ids: RowIds): Row {
  const row: Row = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  row[SEQ] = event.seq;
  row[T] = checked(event.t, 'count');
  row[KIND] = EVENT_KINDS.indexOf(event.kind);
  row[PARENT] = event.parent ?? 0;
  row[ACTOR] = ids.actor(event);
  row[FLAGS] = index(PROVENANCES, event.provenance) | encodeKind(event, row, ids);
  if (event.instructions !== undefined || event.note !== undefined || mayHaveMore(event))
    row[MORE] = writeMore(event.kind, moreOf(event));
  return row;
}

/** Fills the columns of the event's kind and gives back their flags. */
function encodeKind(event: TraceEvent, row: Row, ids: RowIds): number {
  switch (event.kind) {
    case 'ioctl':
      return encodeIoctl(event, row, ids);
    case 'hypercall': {
      const control = toColumn64(event.control);
      row[CODE] = typeof control === 'number' ? control % 0x1_0000 : Number(control & 0xffffn);
      row[VALUE_AT] = control;
      if (event.input !== undefined) row[INPUT] = ids.payload(event.input);
      if (event.output !== undefined) row[OUTPUT] = ids.payload(event.output);
      let flags = flag.VALUE | faultFlags(event.fault) | endFlags(event, row);
      if (event.result !== undefined) {
        const { status, reps } = event.result;
        row[RESULT_AT] = checked(status, 'u16') + checked(reps, 'u12') * flag.RESULT_REPS;
        flags |= flag.RESULT;
      }
      return flags;
    }
    case 'msr': {
      row[CODE] = checked(event.msr, 'u32');
      let flags = (event.dir === 'write' ? flag.WRITE : 0) | faultFlags(event.fault);
      if (event.value !== undefined) {
        row[VALUE_AT] = toColumn64(event.value);
        flags |= flag.VALUE;
      }
      if (event.nested !== undefined) flags |= flag.NESTED_KNOWN | (event.nested ? flag.NESTED : 0);
      return flags;
    }
    case 'message': {
      row[CODE] = index(MESSAGE_WHATS, event.what);
      row[VALUE_AT] = checked(event.sint, 'u32');
      if (event.slot !== undefined) row[INPUT] = ids.payload(event.slot);
      const flags = flag.VALUE | (event.reason === undefined ? 0 : sub(DROP_REASONS, event.reason));
      const number = resultOfMessage(event);
      if (number === undefined) return flags;
      row[RESULT_AT] = checked(number, 'u32');
      return flags | flag.RESULT;
    }
    case 'intercept':
      row[CODE] = checked(event.type, 'u32');
      if (event.payload !== undefined) row[INPUT] = ids.payload(event.payload);
      if (event.registers !== undefined) row[OUTPUT] = ids.payload(writeRegisters(event.registers));
      return 0;
    case 'fd': {
      row[CODE] = index(FD_WHATS, event.what);
      if (event.handle !== undefined) row[HANDLE] = ids.handle(event.handle);
      return fdFlags(event, row) | returnFlags(event, row);
    }
    case 'page': {
      row[CODE] = index(PAGE_WHATS, event.what);
      if (event.bytes !== undefined) row[INPUT] = ids.payload(writePageParts(event.bytes));
      const kind = sub(PAGE_KINDS, event.page);
      if (event.gpa === undefined) return kind;
      row[VALUE_AT] = toColumn64(event.gpa);
      return kind | flag.VALUE;
    }
    case 'lifecycle': {
      row[CODE] = index(LIFECYCLE_WHATS, event.what);
      let flags = phase(event.phase) | returnFlags(event, row);
      if (event.fail !== undefined) flags |= sub(FAIL_STEPS, event.fail);
      if (event.partition !== undefined) {
        row[VALUE_AT] = toColumn64(event.partition);
        flags |= flag.VALUE;
      }
      return flags;
    }
    case 'mark':
      row[CODE] = index(MARK_WHATS, event.what);
      return phase(event.phase);
  }
}

function encodeIoctl(event: IoctlEvent, row: Row, ids: RowIds): number {
  row[CODE] = checked(event.op, 'u32');
  row[HANDLE] = ids.handle(event.handle);
  if (event.arg !== undefined) row[ARG] = ids.payload(event.arg);
  if (event.in !== undefined) row[INPUT] = ids.payload(event.in);
  let flags = fdFlags(event, row) | returnFlags(event, row) | endFlags(event, row);
  if (event.dialect !== undefined) flags |= sub(DIALECTS, event.dialect);
  if (event.out === undefined) return flags;
  flags |= flag.OUT;
  if (event.out.arg !== undefined) row[OUT_ARG] = ids.payload(event.out.arg);
  if (event.out.data !== undefined) row[OUTPUT] = ids.payload(event.out.data);
  return flags;
}

/** Most events have no rare field; asking each of them for all names would cost more than the row. */
function mayHaveMore(event: TraceEvent): boolean {
  switch (event.kind) {
    case 'ioctl':
      return event.out?.handle !== undefined;
    case 'hypercall':
      return event.inputGpa !== undefined || event.outputGpa !== undefined;
    case 'message': {
      const numbers =
        Number(event.flags !== undefined) +
        Number(event.flag !== undefined) +
        Number(event.vector !== undefined);
      return numbers > (resultOfMessage(event) === undefined ? 0 : 1);
    }
    case 'fd':
    case 'mark':
      return true;
    default:
      return false;
  }
}

function moreOf(event: TraceEvent): object {
  if (event.kind === 'ioctl') {
    const { instructions, note } = event;
    return { handle: event.out?.handle, instructions, note };
  }
  const inResult = event.kind === 'message' ? MESSAGE_RESULTS[event.what] : undefined;
  return inResult === undefined ? event : { ...event, [inResult]: undefined };
}

/** The number of a message that stands in `result`. */
function resultOfMessage(event: MessageEvent): number | undefined {
  const key = MESSAGE_RESULTS[event.what];
  return key === undefined ? undefined : event[key];
}

function fdFlags(event: { readonly fd?: number }, row: Row): number {
  if (event.fd === undefined) return 0;
  row[VALUE_AT] = checked(event.fd, 'i32');
  return flag.VALUE;
}

function returnFlags(event: { readonly ret?: number | null }, row: Row): number {
  if (event.ret === undefined) return 0;
  if (event.ret === null) return flag.OPEN;
  row[RESULT_AT] = checked(event.ret, 'i32');
  return flag.RESULT;
}

function endFlags(event: { readonly t: number; readonly tEnd?: number }, row: Row): number {
  if (event.tEnd === undefined) return 0;
  row[DUR] = checked(event.tEnd, 'count') - event.t;
  return flag.END;
}

function faultFlags(fault: boolean | undefined): number {
  if (fault === undefined) return 0;
  return flag.FAULT_KNOWN | (fault ? flag.FAULT : 0);
}

function phase(name: 'begin' | 'end' | undefined): number {
  if (name === undefined) return 0;
  return (name === 'begin' ? 1 : 2) << flag.PHASE_SHIFT;
}

function sub<T>(list: readonly T[], word: T): number {
  return (index(list, word) + 1) << flag.SUB_SHIFT;
}

function index<T>(list: readonly T[], word: T): number {
  const at = list.indexOf(word);
  if (at < 0) throw new RangeError(`not one of ${list.join(' ')}: ${word}`);
  return at;
}
