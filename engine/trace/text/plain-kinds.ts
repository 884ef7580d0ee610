import {
  FAIL_STEPS,
  FD_WHATS,
  type FdEvent,
  LIFECYCLE_WHATS,
  type LifecycleEvent,
  MARK_WHATS,
  type MarkEvent,
  type MsrEvent,
} from '../event.ts';
import { COUNT, type Codec, FLAG, HANDLE, I32, MSR, oneOf, orNull, TEXT, U32, U64 } from './codec.ts';
import { FAULT_KEYS, readFault, writeFault } from './fault.ts';
import type { KindText } from './kind.ts';
import { rowsOf } from './row.ts';

const PHASE = oneOf(['begin', 'end']);

/** A partition id, in decimal as in handles. */
const PARTITION_ID: Codec<bigint> = {
  read: U64.read,
  write: (value) => (value <= BigInt(Number.MAX_SAFE_INTEGER) ? `${value}` : `"${value}"`),
  schema: U64.schema,
};

const msr = rowsOf<MsrEvent>();
export const MSR_TEXT: KindText = {
  kind: 'msr',
  lead: [msr.required('dir', oneOf(['read', 'write']))],
  rows: [msr.required('msr', MSR), msr.optional('value', U64), msr.optional('nested', FLAG)],
  extra: {
    keys: FAULT_KEYS,
    read(object, draft) {
      // A write always has a value; what is not given is 0. A read without one has no recorded answer.
      if (draft.dir === 'write' && draft.value === undefined) draft.value = 0n;
      readFault(object, draft);
    },
    write: writeFault,
  },
  tail: [],
};

const lifecycle = rowsOf<LifecycleEvent>();
export const LIFECYCLE_TEXT: KindText = {
  kind: 'lifecycle',
  lead: [lifecycle.required('what', oneOf(LIFECYCLE_WHATS))],
  rows: [
    lifecycle.optional('phase', PHASE),
    lifecycle.optional('partition', PARTITION_ID),
    lifecycle.optional('fail', oneOf(FAIL_STEPS)),
    lifecycle.optional('ret', I32),
  ],
  tail: [],
};

const fd = rowsOf<FdEvent>();
export const FD_TEXT: KindText = {
  kind: 'fd',
  lead: [fd.required('what', oneOf(FD_WHATS))],
  rows: [
    fd.optional('fd', I32),
    fd.optional('handle', HANDLE),
    fd.optional('path', TEXT),
    fd.optional('from', I32),
    fd.optional('offset', U64),
    fd.optional('size', U64),
    fd.optional('addr', U64),
    fd.optional('value', U64),
    fd.optional('ret', orNull(I32)),
  ],
  tail: [],
};

const mark = rowsOf<MarkEvent>();
export const MARK_TEXT: KindText = {
  kind: 'mark',
  lead: [mark.required('what', oneOf(MARK_WHATS))],
  rows: [
    mark.optional('text', TEXT),
    mark.optional('lost', COUNT),
    mark.optional('sint', U32),
    mark.optional('depth', COUNT),
    mark.optional('gsi', U32),
    mark.optional('vector', U32),
    mark.optional('level', U32),
    mark.optional('phase', PHASE),
  ],
  tail: [],
};
