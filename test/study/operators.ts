/** Ways to break a trace. Each gives every mutant that it can make of a sample. */

import type { DecodedField } from '../../engine/abi/codec/decoded.ts';
import { decodeControl, decodeHypercallInput, hypercalls, msrs } from '../../engine/abi/index.ts';
import type { HypercallEvent, TraceEvent } from '../../engine/trace/event.ts';
import { seqOf, type TimeNs } from '../../engine/trace/position.ts';
import { flipped } from '../mutation/bits.ts';
import type { Legal } from './legal.ts';

/** An event of a mutant, and which of the sample it is or is a copy of. */
export interface Placed {
  readonly event: TraceEvent;
  readonly was: number;
}

export interface Mutant {
  readonly sample: Legal;
  readonly operator: string;
  /** What was done to which event. */
  readonly what: string;
  /** Index of that event in the sample. */
  readonly index: number;
  readonly events: () => readonly Placed[];
  /** The same done to the sample with its answers. */
  readonly recorded: () => readonly Placed[];
}

type Change = (event: TraceEvent) => readonly TraceEvent[];
const SINTS = new Set(Array.from({ length: 16 }, (_, i) => msrs.number(`HV_X64_MSR_SINT${i}`) as number));
const ENABLED = new Set(
  ['SIMP', 'SIEFP', 'SIRBP', 'SCONTROL', 'VP_ASSIST_PAGE'].map(
    (name) => msrs.number(`HV_X64_MSR_${name}`) as number,
  ),
);
const MASKED = 1n << 16n;
const REP_COUNT = 1n << 32n;

/** Changes of one event, by operator. */
const CHANGES: Readonly<Record<string, Change>> = {
  'change the owner': (event) =>
    isWrite(event) && (event.component === 'vmbus' || event.component === 'mshv')
      ? [{ ...event, component: event.component === 'vmbus' ? 'mshv' : 'vmbus' }]
      : [],
  'set a reserved bit': reservedBits,
  'change a count': (event) =>
    event.kind === 'hypercall' && decodeControl(event.control).repCount > 0
      ? [
          { ...event, ...withOneMore(event), control: event.control + REP_COUNT },
          { ...event, control: event.control - REP_COUNT },
        ]
      : [],
  'forget a mask or unmask': (event) =>
    isWrite(event) && SINTS.has(event.msr) ? [{ ...event, value: event.value ^ MASKED }] : [],
  'turn an enable bit': (event) =>
    isWrite(event) && ENABLED.has(event.msr) ? [{ ...event, value: event.value ^ 1n }] : [],
  'name another partition': (event) => {
    if (event.kind !== 'hypercall' || event.input === undefined) return [];
    const fields = decodeHypercallInput(event.control, event.input)?.fields ?? [];
    const id = fields.find(({ display, value }) => display === 'partition' && value.kind === 'integer');
    return id === undefined ? [] : [{ ...event, input: flipped(event.input, id.offset * 8 + 6) }];
  },
};

type Write = TraceEvent & { readonly kind: 'msr'; readonly value: bigint };

function isWrite(event: TraceEvent): event is Write {
  return event.kind === 'msr' && event.dir === 'write' && event.value !== undefined;
}

function reservedBits(event: TraceEvent): TraceEvent[] {
  if (isWrite(event)) {
    const bits = (msrs.find(event.msr)?.bits ?? []).filter(
      ({ reserved, alternative }) => reserved && !alternative,
    );
    return bits.slice(0, 1).map(({ lsb }) => ({ ...event, value: event.value ^ (1n << BigInt(lsb)) }));
  }
  if (event.kind !== 'hypercall' || event.input === undefined) return [];
  const { input } = event;
  const fields = decodeHypercallInput(event.control, input)?.fields ?? [];
  return leaves(fields)
    .filter(({ reserved, chosen }) => reserved && chosen)
    .slice(0, 2)
    .map(({ offset, lsb }) => ({ ...event, input: flipped(input, offset * 8 + (lsb ?? 0)) }));
}

/** A list that has an element for each count has one more, as the hypervisor reads what stands behind it. */
function withOneMore({ control, input }: HypercallEvent): Pick<HypercallEvent, 'input'> {
  const list = input && decodeHypercallInput(control, input)?.fields.at(-1);
  if (input === undefined || list?.value.kind !== 'array') return {};
  const { elements } = list.value;
  const [first] = elements;
  if (first === undefined || elements.length !== decodeControl(control).repCount) return {};
  const longer = new Uint8Array(input.length + first.size);
  longer.set(input);
  return { input: longer };
}

function leaves(fields: readonly DecodedField[]): DecodedField[] {
  return fields.flatMap((field) =>
    field.value.kind === 'struct' ? leaves(field.value.struct.fields) : [field],
  );
}

/** What an operator can act on: accesses that change something, and calls. */
function acts(event: TraceEvent): boolean {
  return (
    isWrite(event) ||
    event.kind === 'hypercall' ||
    event.kind === 'ioctl' ||
    (event.kind === 'fd' && event.what === 'close')
  );
}

type Made = Omit<Mutant, 'sample' | 'recorded'>;

export function mutantsOf(sample: Legal): Mutant[] {
  const recorded = broken(sample.recorded.events);
  return broken(sample.events).map((made, i) => ({
    ...made,
    sample,
    recorded: (recorded[i] as Made).events,
  }));
}

function broken(events: readonly TraceEvent[]): Made[] {
  const placed: readonly Placed[] = events.map((event) => ({ event, was: event.seq }));
  const mutants: Made[] = [];
  events.forEach((event, i) => {
    const add = (operator: string, made: () => readonly Placed[]): void => {
      const what = `${operator}: ${nameOf(event)}`;
      mutants.push({ operator, what, index: i, events: () => ordered(made()) });
    };
    const own = placed[i] as Placed;
    if (!acts(event)) return;
    add('drop', () => placed.toSpliced(i, 1));
    add('duplicate', () => placed.toSpliced(i + 1, 0, own));
    const next = events.findIndex((other, j) => j > i && acts(other));
    if (next > i && nameOf(events[next] as TraceEvent) !== nameOf(event))
      add('swap with the next', () => placed.with(i, placed[next] as Placed).with(next, own));
    const boundary = events.findIndex((other, j) => j > i && other.kind === 'lifecycle');
    if (boundary > i)
      add('move behind the next step', () => placed.toSpliced(boundary + 1, 0, own).toSpliced(i, 1));
    for (const [operator, change] of Object.entries(CHANGES))
      for (const changed of change(event))
        add(operator, () => placed.with(i, { event: changed, was: event.seq }));
  });
  return mutants;
}

/** Numbered anew, with times that do not go back; below what stood above in the sample, where that is still before it. */
function ordered(placed: readonly Placed[]): Placed[] {
  let t = 0;
  const places = new Map<number, TraceEvent['seq']>();
  return placed.map(({ event: { parent, ...event }, was }, i) => {
    t = Math.max(t, event.t);
    const seq = seqOf(i + 1);
    const above = parent === undefined ? undefined : places.get(parent);
    if (!places.has(was)) places.set(was, seq);
    const below = above === undefined ? {} : { parent: above };
    return { event: { ...event, seq, t: t as TimeNs, ...below } as TraceEvent, was };
  });
}

/** The sample itself, in the form of its mutants. */
export function unbroken({ events }: Legal): readonly Placed[] {
  return ordered(events.map((event) => ({ event, was: event.seq })));
}

export function nameOf(event: TraceEvent): string {
  switch (event.kind) {
    case 'msr':
      return `${event.dir} of ${msrs.name(event.msr)}`;
    case 'hypercall':
      return hypercalls.name(Number(event.control & 0xffffn));
    case 'ioctl':
      return `ioctl on a ${event.handle.kind}`;
    default:
      return `${event.kind} ${'what' in event ? event.what : ''}`;
  }
}
