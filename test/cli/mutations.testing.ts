import { decodeControl, hypercalls } from '../../engine/abi/index.ts';
import type {
  FdEvent,
  HypercallEvent,
  IoctlEvent,
  MessageEvent,
  MsrEvent,
  TraceEvent,
} from '../../engine/trace/event.ts';
import type { Handle } from '../../engine/trace/handle.ts';

/** One field of a recorded event, changed. */
export interface Mutation {
  /** As a divergence names it. */
  readonly field: string;
  /** An answer, or a request that the engine makes itself (the value that a driver writes). */
  readonly of: 'answer' | 'request';
  readonly event: TraceEvent;
  /** Only a change of this kind is seen: the rest of the field is bound (docs/engine.md). */
  readonly bound?: true;
}

/** HV_STATUS_SUCCESS and HV_STATUS_INVALID_PARAMETER. */
const [SUCCESS, INVALID_PARAMETER] = [0, 5];
const FAST = 1n << 16n;
/** Hypercalls whose whole output the hypervisor chooses: it is bound (docs/engine.md, "Bound"). */
const BOUND_OUTPUTS = new Set(
  ['CREATE_PARTITION', 'MAP_VP_STATE_PAGE', 'MAP_STATS_PAGE', 'WITHDRAW_MEMORY'].map((name) =>
    hypercalls.number(`HVCALL_${name}`),
  ),
);
/** Linux errno of a call that nothing here returns. */
const EIO = 5;

/**
 * Every field of an event that replay compares, each changed once; of bytes, each byte changed by itself. Events
 * below others are requests as well: what a driver asks for, or the hypervisor makes.
 */
export function mutationsOf(event: TraceEvent): Mutation[] {
  const requested = event.parent === undefined ? [] : requests(event);
  return [...requested, ...answers(event)];
}

function requests(event: TraceEvent): Mutation[] {
  const changed = (field: string, change: object): Mutation => ({
    field,
    of: 'request',
    event: { ...event, ...change } as TraceEvent,
  });
  const component = changed('component', { component: 'somebody' });
  switch (event.kind) {
    case 'msr': {
      const nested = changed('nested', { nested: !(event.nested ?? false) });
      const value = changed('value', { value: (event.value ?? 0n) ^ 1n });
      return event.dir === 'read' ? [component, nested] : [component, nested, value];
    }
    case 'hypercall': {
      const control = changed('control', { control: event.control ^ FAST });
      const input = event.input === undefined ? [] : [changed('input', { input: flipped(event.input, 0) })];
      return [component, control, ...input];
    }
    case 'lifecycle':
      // Another component's step is another event.
      return [{ ...component, field: 'event' }, changed('ret', { ret: (event.ret ?? 0) + 1 })];
    case 'message':
      return [component, ...messageRequests(event, changed)];
    default:
      return [component];
  }
}

function messageRequests(
  event: MessageEvent,
  changed: (field: string, change: object) => Mutation,
): Mutation[] {
  const { reason, flags, flag, vector, slot } = event;
  return [
    changed('reason', { reason: reason === 'masked' ? 'no-port' : 'masked' }),
    changed('flags', { flags: (flags ?? 0) ^ 1 }),
    changed('flag', { flag: (flag ?? 0) ^ 1 }),
    changed('vector', { vector: (vector ?? 0) ^ 1 }),
    ...(slot === undefined ? [] : eachByte(slot, (bytes) => changed('slot', { slot: bytes }))),
  ];
}

function answers(event: TraceEvent): Mutation[] {
  switch (event.kind) {
    case 'msr':
      return msrAnswers(event);
    case 'hypercall':
      return hypercallAnswers(event);
    case 'ioctl':
    case 'fd':
      return callAnswers(event);
    default:
      return [];
  }
}

function answer(event: TraceEvent, field: string, change: object): Mutation {
  return { field, of: 'answer', event: { ...event, ...change } as TraceEvent };
}

function msrAnswers(event: MsrEvent): Mutation[] {
  if (event.fault === undefined) return [];
  const fault = answer(event, 'fault', { fault: !event.fault });
  if (event.dir === 'write' || event.value === undefined) return [fault];
  const { value } = event;
  return [fault, ...[0n, 12n, 63n].map((bit) => answer(event, 'value', { value: value ^ (1n << bit) }))];
}

function hypercallAnswers(event: HypercallEvent): Mutation[] {
  const { result, output, fault } = event;
  if (result === undefined) return fault === true ? [answer(event, 'fault', { fault: false })] : [];
  const isBound = BOUND_OUTPUTS.has(decodeControl(event.control).code);
  const status = result.status === SUCCESS ? INVALID_PARAMETER : SUCCESS;
  return [
    answer(event, 'fault', { fault: true }),
    answer(event, 'status', { result: { ...result, status } }),
    answer(event, 'reps', { result: { ...result, reps: result.reps + 1 } }),
    ...(output === undefined || isBound
      ? []
      : eachByte(output, (bytes) => answer(event, 'output', { output: bytes }))),
  ];
}

function callAnswers(event: IoctlEvent | FdEvent): Mutation[] {
  if (typeof event.ret !== 'number') return [];
  // The number of a descriptor is the kernel's choice, and so is whether there was one left.
  if (event.kind === 'fd' && (event.what === 'open' || event.what === 'dup')) return [];
  const out = event.kind === 'ioctl' ? event.out : undefined;
  // Which descriptor it is cannot be known, only that it is one.
  const opens = out?.handle !== undefined && event.ret >= 0;
  const ret = answer(event, 'ret', { ret: event.ret === -EIO ? 0 : -EIO });
  const { handle, arg, data } = out ?? {};
  const changed = (field: string, change: object): Mutation =>
    answer(event, field, { out: { ...out, ...change } });
  return [
    opens ? { ...ret, bound: true } : ret,
    ...(handle === undefined ? [] : [changed('out.handle', { handle: another(handle) })]),
    ...(arg === undefined ? [] : eachByte(arg, (bytes) => changed('out.arg', { arg: bytes }))),
    ...(data === undefined ? [] : eachByte(data, (bytes) => changed('out.data', { data: bytes }))),
  ];
}

function another(handle: Handle): Handle {
  return handle.kind === 'partition'
    ? { kind: 'vp', partition: handle.partition, vp: 0 }
    : { kind: 'partition', partition: 77n };
}

function eachByte(bytes: Uint8Array, mutation: (bytes: Uint8Array) => Mutation): Mutation[] {
  return Array.from(bytes, (_, i) => mutation(flipped(bytes, i)));
}

/** The bytes with the lowest bit of one of them flipped. */
function flipped(bytes: Uint8Array, index: number): Uint8Array {
  const changed = bytes.slice();
  changed[index] = (changed[index] ?? 0) ^ 1;
  return changed;
}
