import type {
  FdEvent,
  HypercallEvent,
  IoctlEvent,
  MessageEvent,
  MsrEvent,
  TraceEvent,
} from '../../engine/trace/event.ts';
import type { Handle } from '../../engine/trace/handle.ts';
import { flipped } from './bits.ts';

/** A change of one field of a recorded event. */
export interface Mutation {
  /** As a divergence names it. */
  readonly field: string;
  /** An answer, or a request that the engine makes itself (the value that a driver writes). */
  readonly of: 'answer' | 'request';
  readonly event: TraceEvent;
  /** The event with the field changed. */
  readonly changed: () => TraceEvent;
  /** Only a change of this kind is seen: the rest of the field is bound (docs/engine.md). */
  readonly bound?: true;
}

/** HV_STATUS_SUCCESS and HV_STATUS_INVALID_PARAMETER. */
const [SUCCESS, INVALID_PARAMETER] = [0, 5];
const FAST = 1n << 16n;
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
  const changed: Changed = (field, change) => mutation(event, 'request', field, change);
  const component = changed('component', { component: 'somebody' });
  switch (event.kind) {
    case 'msr': {
      const nested = changed('nested', { nested: !(event.nested ?? false) });
      const values = [0n, 12n].map((bit) => changed('value', { value: (event.value ?? 0n) ^ (1n << bit) }));
      return event.dir === 'read' ? [component, nested] : [component, nested, ...values];
    }
    case 'hypercall': {
      const control = changed('control', { control: event.control ^ FAST });
      const { input } = event;
      const bytes =
        input === undefined ? [] : eachByte(input, (to) => changed('input', () => ({ input: to() })));
      return [component, control, ...bytes];
    }
    case 'lifecycle':
      // Another component's step is another event.
      return [{ ...component, field: 'event' }, changed('ret', { ret: (event.ret ?? 0) + 1 })];
    case 'message':
      return [component, ...messageRequests(event, changed)];
    case 'intercept': {
      const { payload } = event;
      const bytes =
        payload === undefined ? [] : eachByte(payload, (to) => changed('payload', () => ({ payload: to() })));
      return [component, changed('type', { type: (event.type ^ 1) >>> 0 }), ...bytes];
    }
    default:
      return [component];
  }
}

function messageRequests(event: MessageEvent, changed: Changed): Mutation[] {
  const { reason, flags, flag, vector, slot } = event;
  return [
    changed('reason', { reason: reason === 'masked' ? 'no-port' : 'masked' }),
    changed('flags', { flags: (flags ?? 0) ^ 1 }),
    changed('flag', { flag: (flag ?? 0) ^ 1 }),
    changed('vector', { vector: (vector ?? 0) ^ 1 }),
    ...(slot === undefined ? [] : eachByte(slot, (bytes) => changed('slot', () => ({ slot: bytes() })))),
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

type Change = object | (() => object);
type Changed = (field: string, change: Change) => Mutation;

function mutation(event: TraceEvent, of: Mutation['of'], field: string, change: Change): Mutation {
  const changed = () => ({ ...event, ...(typeof change === 'function' ? change() : change) }) as TraceEvent;
  return { field, of, event, changed };
}

function answer(event: TraceEvent, field: string, change: Change): Mutation {
  return mutation(event, 'answer', field, change);
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
  const status = result.status === SUCCESS ? INVALID_PARAMETER : SUCCESS;
  return [
    answer(event, 'fault', { fault: true }),
    answer(event, 'status', { result: { ...result, status } }),
    answer(event, 'reps', { result: { ...result, reps: result.reps + 1 } }),
    ...(output === undefined
      ? []
      : eachByte(output, (bytes) => answer(event, 'output', () => ({ output: bytes() })))),
  ];
}

function callAnswers(event: IoctlEvent | FdEvent): Mutation[] {
  if (typeof event.ret !== 'number') return [];
  const out = event.kind === 'ioctl' ? event.out : undefined;
  // Which descriptor it is cannot be known, only that it is one.
  const opens = out?.handle !== undefined && event.ret >= 0;
  const ret = answer(event, 'ret', { ret: event.ret === -EIO ? 0 : -EIO });
  const { handle, arg, data } = out ?? {};
  const changed = (field: string, change: () => object): Mutation =>
    answer(event, field, () => ({ out: { ...out, ...change() } }));
  return [
    opens ? { ...ret, bound: true } : ret,
    ...(handle === undefined ? [] : [changed('out.handle', () => ({ handle: another(handle) }))]),
    ...(arg === undefined ? [] : eachByte(arg, (bytes) => changed('out.arg', () => ({ arg: bytes() })))),
    ...(data === undefined ? [] : eachByte(data, (bytes) => changed('out.data', () => ({ data: bytes() })))),
  ];
}

function another(handle: Handle): Handle {
  return handle.kind === 'partition'
    ? { kind: 'vp', partition: handle.partition, vp: 0 }
    : { kind: 'partition', partition: 77n };
}

function eachByte(bytes: Uint8Array, change: (changed: () => Uint8Array) => Mutation): Mutation[] {
  return Array.from(bytes, (_, i) => change(() => flipped(bytes, i * 8)));
}

/** What a divergence of a field says of its place: a call's answers belong to its return. */
export function placeOf({ event, of }: Mutation): string {
  return of === 'answer' && (event.kind === 'ioctl' || event.kind === 'fd')
    ? `${event.seq}r`
    : `${event.seq}`;
}
