import {
  DIALECTS,
  DROP_REASONS,
  EVENT_KINDS,
  type EventKind,
  FAIL_STEPS,
  FD_WHATS,
  type FdEvent,
  type HypercallEvent,
  type InterceptEvent,
  type IoctlEvent,
  LIFECYCLE_WHATS,
  type LifecycleEvent,
  MARK_WHATS,
  type MarkEvent,
  MESSAGE_WHATS,
  type MessageEvent,
  type MsrEvent,
  PAGE_KINDS,
  PAGE_WHATS,
  type PageEvent,
  PROVENANCES,
  type TraceEvent,
} from '../event.ts';
import { type TimeNs, timeNs } from '../position.ts';
import { Malformed } from './bytes.ts';
import {
  BYTES,
  COUNT,
  DELTA,
  FLAG,
  HANDLE,
  I32,
  PAGE_BYTES,
  REGISTERS,
  RESULT,
  TEXT,
  U8,
  U12,
  U16,
  U32,
  type ValueType,
  VP,
  WIDE,
  word,
} from './value.ts';

type Writable<E> = { -readonly [K in keyof E]: E[K] };

/** One column: where its value stands in an event. */
export interface PackedField {
  readonly type: ValueType<unknown>;
  /** Every event of the kind has it. */
  readonly required: boolean;
  get(event: TraceEvent): unknown;
  set(event: TraceEvent, value: unknown): void;
}

/** Declares columns for events of type `E`; the compiler holds each to its field's type. */
function columnsOf<E extends TraceEvent>(): {
  field<K extends keyof E>(key: K, type: ValueType<Exclude<E[K], undefined>>): PackedField;
  required<K extends keyof E>(key: K, type: ValueType<E[K]>): PackedField;
  part<T>(
    type: ValueType<T>,
    get: (event: E) => T | undefined,
    set: (event: Writable<E>, value: T) => void,
  ): PackedField;
} {
  const column = (key: keyof E, type: unknown, required: boolean): PackedField => ({
    type: type as ValueType<unknown>,
    required,
    get: (event) => (event as E)[key],
    set: (event, value) => {
      (event as unknown as Writable<E>)[key] = value as E[typeof key];
    },
  });
  return {
    field: (key, type) => column(key, type, false),
    required: (key, type) => column(key, type, true),
    part: (type, get, set) => ({
      type: type as ValueType<unknown>,
      required: false,
      get: (event) => get(event as E),
      set: (event, value) => set(event as unknown as Writable<E>, value as never),
    }),
  };
}

function timeFrom(start: TimeNs, delta: number): TimeNs {
  const time = start + delta;
  if (!Number.isSafeInteger(time) || time < 0) throw new Malformed('a call returns at no possible time');
  return timeNs(time);
}

const PHASE = word(['begin', 'end']);

const common = columnsOf<TraceEvent>();
const ioctl = columnsOf<IoctlEvent>();
const hypercall = columnsOf<HypercallEvent>();
const msr = columnsOf<MsrEvent>();
const message = columnsOf<MessageEvent>();
const intercept = columnsOf<InterceptEvent>();
const fd = columnsOf<FdEvent>();
const page = columnsOf<PageEvent>();
const lifecycle = columnsOf<LifecycleEvent>();
const mark = columnsOf<MarkEvent>();

/** Columns over all events of a chunk. The order is part of the format: append only. */
export const COMMON_FIELDS: readonly PackedField[] = [
  common.field('cpu', U32),
  common.field('component', TEXT),
  common.field('pid', U32),
  common.field('tid', U32),
  common.field('vp', VP),
  common.field('vtl', U8),
  common.required('provenance', word(PROVENANCES)),
  common.field('note', TEXT),
  common.field('instructions', COUNT),
];

const returning = columnsOf<IoctlEvent | HypercallEvent>();
const END_OF_CALL = returning.part(
  DELTA,
  (event) => (event.tEnd === undefined ? undefined : event.tEnd - event.t),
  (event, delta) => {
    event.tEnd = timeFrom(event.t, delta);
  },
);

/** Columns over the events of one kind. The order is part of the format: append only. */
export const KIND_FIELDS: Readonly<Record<EventKind, readonly PackedField[]>> = {
  ioctl: [
    ioctl.required('handle', HANDLE),
    ioctl.field('fd', I32),
    ioctl.required('op', U32),
    ioctl.field('dialect', word(DIALECTS)),
    ioctl.field('arg', BYTES),
    ioctl.field('in', BYTES),
    // That there is an `out` at all; its parts follow and extend it.
    ioctl.part(
      FLAG,
      (event) => (event.out === undefined ? undefined : true),
      (event) => {
        event.out = {};
      },
    ),
    ioctl.part(
      HANDLE,
      (event) => event.out?.handle,
      (event, handle) => {
        event.out = { ...event.out, handle };
      },
    ),
    ioctl.part(
      BYTES,
      (event) => event.out?.arg,
      (event, arg) => {
        event.out = { ...event.out, arg };
      },
    ),
    ioctl.part(
      BYTES,
      (event) => event.out?.data,
      (event, data) => {
        event.out = { ...event.out, data };
      },
    ),
    ioctl.field('ret', RESULT),
    END_OF_CALL,
  ],
  hypercall: [
    hypercall.required('control', WIDE),
    hypercall.field('input', BYTES),
    hypercall.field('inputGpa', WIDE),
    hypercall.field('outputGpa', WIDE),
    hypercall.field('output', BYTES),
    hypercall.part(
      U16,
      (event) => event.result?.status,
      (event, status) => {
        event.result = { status, reps: 0 };
      },
    ),
    hypercall.part(
      U12,
      (event) => event.result?.reps,
      (event, reps) => {
        event.result = { status: event.result?.status ?? 0, reps };
      },
    ),
    hypercall.field('fault', FLAG),
    END_OF_CALL,
  ],
  msr: [
    msr.required('dir', word(['read', 'write'])),
    msr.required('msr', U32),
    msr.field('value', WIDE),
    msr.field('fault', FLAG),
    msr.field('nested', FLAG),
  ],
  message: [
    message.required('sint', U32),
    message.required('what', word(MESSAGE_WHATS)),
    message.field('slot', BYTES),
    message.field('flags', U32),
    message.field('reason', word(DROP_REASONS)),
    message.field('flag', U32),
    message.field('vector', U32),
  ],
  intercept: [
    intercept.required('type', U32),
    intercept.field('payload', BYTES),
    intercept.field('registers', REGISTERS),
  ],
  fd: [
    fd.required('what', word(FD_WHATS)),
    fd.field('fd', I32),
    fd.field('handle', HANDLE),
    fd.field('ret', RESULT),
    fd.field('path', TEXT),
    fd.field('from', I32),
    fd.field('offset', WIDE),
    fd.field('size', WIDE),
    fd.field('addr', WIDE),
    fd.field('value', WIDE),
  ],
  page: [
    page.required('what', word(PAGE_WHATS)),
    page.required('page', word(PAGE_KINDS)),
    page.field('gpa', WIDE),
    page.field('bytes', PAGE_BYTES),
  ],
  lifecycle: [
    lifecycle.required('what', word(LIFECYCLE_WHATS)),
    lifecycle.field('phase', PHASE),
    lifecycle.field('partition', WIDE),
    lifecycle.field('ret', I32),
    lifecycle.field('fail', word(FAIL_STEPS)),
  ],
  mark: [
    mark.required('what', word(MARK_WHATS)),
    mark.field('text', TEXT),
    mark.field('lost', COUNT),
    mark.field('sint', U32),
    mark.field('depth', COUNT),
    mark.field('gsi', U32),
    mark.field('vector', U32),
    mark.field('level', U32),
    mark.field('phase', PHASE),
  ],
};

/** Room for the columns of one kind in a column's number. */
const FIELDS_PER_KIND = 64;

/** A column's number in the file: 0 … for the common ones, then 64 for each kind in the order of EVENT_KINDS. */
export function columnNumber(kind: EventKind | undefined, index: number): number {
  return (kind === undefined ? 0 : EVENT_KINDS.indexOf(kind) + 1) * FIELDS_PER_KIND + index;
}

/** The column of a number; undefined for one that this version does not know. */
export function columnOfNumber(
  number: number,
): { readonly kind: EventKind | undefined; readonly field: PackedField } | undefined {
  const group = Math.floor(number / FIELDS_PER_KIND);
  const kind = group === 0 ? undefined : EVENT_KINDS[group - 1];
  if (group !== 0 && kind === undefined) return undefined;
  const field = (kind === undefined ? COMMON_FIELDS : KIND_FIELDS[kind])[number % FIELDS_PER_KIND];
  return field === undefined ? undefined : { kind, field };
}
