import { DIALECTS, type Dialect, EVENT_KINDS, PROVENANCES, type TraceEvent } from '../trace/event.ts';
import { formatHandle, type Handle, type VpRef } from '../trace/handle.ts';
import { type Address, compareAddresses } from '../trace/position.ts';
import { HANDLE_KINDS, MSR_DIRS, OP_WORDS } from './names.ts';
import { payloadReader } from './payload.ts';
import type { Access } from './predicate.ts';
import type { FieldValue } from './value.ts';

/** What surrounds the events of type `E` that a filter is run over. */
export interface Surroundings<E> {
  /** Dialect of the ioctls that name none: the profile's. */
  readonly dialect: Dialect;
  eventOf(from: E): TraceEvent;
  addressOf(from: E): Address;
  /** The event that caused the one at `address`; undefined for a stimulus. */
  parentOf(address: Address): Address | undefined;
  /** See {@link Access.changes}. Never asked where the field table says that there is no state. */
  changes(path: string): (from: E) => boolean;
  /** Ids of the rules with a finding that the event at `address` proves or causes. */
  rulesOf(address: Address): readonly string[];
}

type Reader = (event: TraceEvent) => FieldValue | undefined;

/** Gives a compiled filter its fields, read from trace events. */
export function eventAccess<E>(around: Surroundings<E>): Access<E> {
  const readPayload = payloadReader(around.dialect);
  return {
    field(name) {
      if (name === 'seq') return (from) => around.addressOf(from).seq;
      if (name === 'sub') return (from) => around.addressOf(from).sub;
      if (name === 'rule') return (from) => nonEmpty(around.rulesOf(around.addressOf(from)));
      if (name === 'dialect') return (from) => dialectOf(around.eventOf(from), around.dialect);
      const read = READERS.get(name);
      if (read === undefined) throw new RangeError(`events have no field '${name}'`);
      return (from) => read(around.eventOf(from));
    },
    payload(root, path) {
      const read = readPayload(root, path);
      return (from) => read(around.eventOf(from));
    },
    changes: (path) => around.changes(path),
    under: (position) => (from) => isUnder(around.addressOf(from), position, around.parentOf),
  };
}

function nonEmpty(list: readonly string[]): readonly string[] | undefined {
  return list.length === 0 ? undefined : list;
}

function dialectOf(event: TraceEvent, profile: Dialect): number | undefined {
  return event.kind === 'ioctl' ? DIALECTS.indexOf(event.dialect ?? profile) : undefined;
}

/** A cause comes before its effects, so that going up ends at `position` or before it. */
function isUnder(
  address: Address,
  position: Address,
  parentOf: (address: Address) => Address | undefined,
): boolean {
  let at = parentOf(address);
  while (at !== undefined && compareAddresses(at, position) > 0) at = parentOf(at);
  return at !== undefined && compareAddresses(at, position) === 0;
}

/** The handle that an event speaks to. */
function handleOf(event: TraceEvent): Handle | undefined {
  return event.kind === 'ioctl' || event.kind === 'fd' ? event.handle : undefined;
}

/** The VP that an event names, else the one whose handle it speaks to. */
function vpOf(event: TraceEvent): VpRef | undefined {
  if (event.vp !== undefined) return event.vp;
  const handle = handleOf(event);
  return handle?.kind === 'vp' ? handle : undefined;
}

function partitionOf(event: TraceEvent): bigint | undefined {
  const vp = vpOf(event);
  if (vp !== undefined) return vp.partition;
  if (event.kind === 'lifecycle') return event.partition;
  const handle = handleOf(event);
  return handle?.kind === 'partition' ? handle.partition : undefined;
}

/** The number of an event's operation; what it counts depends on the kind (names.ts). */
function opOf(event: TraceEvent): number | undefined {
  switch (event.kind) {
    case 'ioctl':
      return event.op;
    case 'intercept':
      return event.type;
    case 'hypercall':
      return undefined;
    case 'msr':
      return MSR_DIRS.indexOf(event.dir);
    default:
      return OP_WORDS[event.kind]?.indexOf(event.what);
  }
}

function retOf(event: TraceEvent): number | undefined {
  if (event.kind !== 'ioctl' && event.kind !== 'fd' && event.kind !== 'lifecycle') return undefined;
  return event.ret ?? undefined;
}

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['t', (event) => event.t],
  [
    'dur',
    (event) => {
      const timed = event.kind === 'ioctl' || event.kind === 'hypercall';
      return timed && event.tEnd !== undefined ? event.tEnd - event.t : undefined;
    },
  ],
  ['kind', (event) => EVENT_KINDS.indexOf(event.kind)],
  ['op', opOf],
  ['code', (event) => (event.kind === 'hypercall' ? Number(event.control & 0xffffn) : undefined)],
  ['msr', (event) => (event.kind === 'msr' ? event.msr : undefined)],
  ['status', (event) => (event.kind === 'hypercall' ? event.result?.status : undefined)],
  [
    'errno',
    (event) => {
      const ret = retOf(event);
      return ret !== undefined && ret < 0 ? -ret : undefined;
    },
  ],
  ['ret', retOf],
  [
    'fault',
    (event) => {
      const fault = event.kind === 'msr' || event.kind === 'hypercall' ? event.fault : undefined;
      return fault === undefined ? undefined : Number(fault);
    },
  ],
  ['cpu', (event) => event.cpu],
  ['vp', (event) => vpOf(event)?.vp],
  ['pid', (event) => event.pid],
  ['tid', (event) => event.tid],
  [
    'handle',
    (event) => {
      const handle = handleOf(event);
      return handle === undefined ? undefined : formatHandle(handle);
    },
  ],
  [
    'handlekind',
    (event) => {
      const handle = handleOf(event);
      return handle === undefined ? undefined : HANDLE_KINDS.indexOf(handle.kind);
    },
  ],
  ['partition', partitionOf],
  ['component', (event) => event.component],
  ['provenance', (event) => PROVENANCES.indexOf(event.provenance)],
]);
