/** One event of each kind, and a way to run a filter over them, for the tests of the event fields. */
import assert from 'node:assert/strict';
import { encodeControl, hypercalls, ioctlNamed, msrs, statuses } from '../abi/index.ts';
import type { IoctlEvent, TraceEvent } from '../trace/event.ts';
import { type Address, at, seqOf, timeNs } from '../trace/position.ts';
import { formatFilterError } from './error.ts';
import { eventAccess } from './event-access.ts';
import { eventFields } from './fields.ts';
import { readFilter } from './filter.ts';
import { compilePredicate } from './predicate.ts';

export const TABLE = eventFields({
  dialect: 'upstream',
  replayed: true,
  components: ['vmbus', 'mshv'],
  rules: ['R01'],
  paths: ['cpu[*].synic.scontrol'],
});

/** A request of a dialect, by name. */
export function request(dialect: 'upstream' | 'rfc2020', handle: 'partition' | 'vp', name: string): number {
  const number = ioctlNamed(dialect, handle, name)?.number;
  assert.ok(number !== undefined, name);
  return number;
}

type Bare<E> = E extends TraceEvent ? Omit<E, 'seq' | 't' | 'provenance'> : never;

/** Events with seq 1, 2, … and a microsecond between them. */
export function numbered(events: readonly Bare<TraceEvent>[]): TraceEvent[] {
  return events.map((event, i) => {
    return { ...event, seq: seqOf(i + 1), t: timeNs(i * 1000), provenance: 'observed' } as TraceEvent;
  });
}

const runVp: Bare<IoctlEvent> = {
  kind: 'ioctl',
  handle: { kind: 'vp', partition: 2n, vp: 0 },
  op: request('upstream', 'vp', 'MSHV_RUN_VP'),
  pid: 100,
  tid: 101,
};

export const EVENTS = numbered([
  {
    kind: 'msr',
    dir: 'write',
    msr: msrs.number('SIMP'),
    value: 0x1001n,
    cpu: 0,
    component: 'vmbus',
    fault: false,
  },
  { kind: 'msr', dir: 'read', msr: msrs.number('SINT2'), value: 0n, cpu: 1, component: 'mshv', fault: true },
  {
    kind: 'hypercall',
    control: encodeControl({ code: hypercalls.number('CREATE_VP'), repCount: 3 }),
    result: { status: statuses.number('INVALID_PARAMETER'), reps: 0 },
    tEnd: timeNs(7000),
    cpu: 0,
    component: 'mshv',
    parent: seqOf(1),
  },
  { ...runVp, ret: 0, tEnd: timeNs(5_003_000) },
  { ...runVp, ret: -22, parent: seqOf(3) },
  { ...runVp, ret: null },
  { ...runVp, dialect: 'rfc2020', ret: 0 },
  { ...runVp, handle: { kind: 'foreign', fd: 5 }, ret: 0 },
  { kind: 'intercept', vp: { partition: 1n << 63n, vp: 3 }, type: 0x8001_0007 },
  { kind: 'message', what: 'read', sint: 2, cpu: 1 },
  { kind: 'fd', what: 'open', fd: 4, handle: { kind: 'device', open: 1 }, ret: -13, path: '/dev/mshv' },
  { kind: 'page', what: 'write', page: 'simp', vp: { partition: undefined, vp: undefined } },
  { kind: 'lifecycle', what: 'partition-reset', partition: 2n },
  { kind: 'mark', what: 'note', text: 'here' },
]);

const BY_SEQ = new Map(EVENTS.map((event) => [event.seq, event]));

function parentOf(address: Address): Address | undefined {
  if (address.sub > 0) return at(address.seq);
  const parent = BY_SEQ.get(address.seq)?.parent;
  return parent === undefined ? undefined : at(parent);
}

/** Numbers of the events that a filter holds for. */
export function chosen(text: string, events: readonly TraceEvent[] = EVENTS): number[] {
  const filter = readFilter(text, TABLE);
  if (!filter.ok) assert.fail(`${text}: ${formatFilterError(filter.error)}`);
  const access = eventAccess<TraceEvent>({
    dialect: 'upstream',
    eventOf: (event) => event,
    addressOf: (event) => at(event.seq),
    parentOf,
    changes: (path) => (event) => path.startsWith('cpu[') && event.kind === 'msr' && event.dir === 'write',
    rulesOf: (address) => (address.seq === 2 ? ['R01', 'R02'] : []),
  });
  const holds = compilePredicate(filter.value.plan, access);
  return events.filter(holds).map((event) => event.seq);
}
