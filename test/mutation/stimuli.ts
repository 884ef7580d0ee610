import { decodeControl, hypercalls, lowHalf } from '../../engine/abi/index.ts';
import type { FieldView } from '../../engine/app/api.ts';
import { buffersOf } from '../../engine/app/buffers.ts';
import { ioctlRowOf } from '../../engine/trace/dialect.ts';
import {
  DROP_REASONS,
  FAIL_STEPS,
  FD_WHATS,
  LIFECYCLE_WHATS,
  MESSAGE_WHATS,
  type TraceEvent,
} from '../../engine/trace/event.ts';
import type { Handle } from '../../engine/trace/handle.ts';
import type { Profile } from '../../engine/trace/profile.ts';
import { flipped } from './bits.ts';

/** A change of what came from outside: one field of one event that nothing in the trace caused. */
export interface StimulusChange {
  /** Which field of what: `ioctl MSHV_CREATE_VP arg.vp_index`. */
  readonly field: string;
  readonly event: TraceEvent;
  readonly changed: () => TraceEvent;
}

type Draft = Readonly<Record<string, unknown>>;

/** Every change of a stimulus; answers are not among them (answers.ts). */
export function changesOf(event: TraceEvent, profile: Profile): StimulusChange[] {
  if (event.parent !== undefined) return [];
  const of = nameOf(event, profile);
  const change = (field: string, made: () => Draft): StimulusChange => ({
    field: `${of} ${field}`,
    event,
    changed: () => ({ ...event, ...made() }) as TraceEvent,
  });
  return [
    ...commonChanges(event, change),
    ...ownChanges(event, change),
    ...byteChanges(event, profile, change),
  ];
}

/** What an event is called in the table: `msr write`, `hypercall HVCALL_CREATE_VP`, `fd close`. */
export function nameOf(event: TraceEvent, profile: Profile): string {
  switch (event.kind) {
    case 'msr':
      return `msr ${event.dir}`;
    case 'hypercall':
      return `hypercall ${hypercalls.name(decodeControl(event.control).code)}`;
    case 'ioctl':
      return `ioctl ${ioctlRowOf(event, profile)?.name ?? 'unknown'}`;
    case 'intercept':
      return 'intercept';
    default:
      return `${event.kind} ${event.what}`;
  }
}

type Make = (field: string, made: () => Draft) => StimulusChange;

function commonChanges(event: TraceEvent, change: Make): StimulusChange[] {
  const { cpu = 0, pid = 0, tid = 0, vtl = 0, t } = event;
  return [
    change('t', () => ({ t: t + 1 })),
    change('cpu', () => ({ cpu: cpu + 1 })),
    change('component', () => ({ component: 'somebody' })),
    change('pid', () => ({ pid: pid + 1 })),
    change('tid', () => ({ tid: tid + 1 })),
    change('vtl', () => ({ vtl: vtl + 1 })),
    change('note', () => ({ note: 'changed' })),
  ];
}

const others = <T>(all: readonly T[], one: T | undefined): T[] => all.filter((each) => each !== one);

function ownChanges(event: TraceEvent, change: Make): StimulusChange[] {
  const number = (field: string, value: number | undefined, step = 1): StimulusChange[] =>
    value === undefined ? [] : [change(field, () => ({ [field]: value + step }))];
  const whole = (field: string, value: bigint | undefined, step: bigint): StimulusChange[] =>
    value === undefined ? [] : [change(field, () => ({ [field]: value + step }))];
  switch (event.kind) {
    case 'msr': {
      const { msr, value, dir } = event;
      const turned = change('dir', () => ({ dir: dir === 'read' ? 'write' : 'read', value: value ?? 0n }));
      return [change('msr', () => ({ msr: msr + 1 })), turned];
    }
    case 'hypercall': {
      const { control, inputGpa, outputGpa } = event;
      const bits = Array.from({ length: 64 }, (_, bit) =>
        change(`control.${controlField(bit)}`, () => ({ control: control ^ (1n << BigInt(bit)) })),
      );
      return [...bits, ...whole('inputGpa', inputGpa, 1n), ...whole('outputGpa', outputGpa, 1n)];
    }
    case 'ioctl':
      return [
        change('op', () => ({ op: (event.op ^ 0x80) >>> 0 })),
        change('handle', () => ({ handle: anotherHandle(event.handle) })),
        ...number('fd', event.fd),
      ];
    case 'intercept':
      return [
        change('vp', () => ({ vp: { ...event.vp, vp: (event.vp.vp ?? 0) + 1 } })),
        change('type', () => ({ type: (event.type ^ 1) >>> 0 })),
        ...(event.registers ?? []).flatMap(({ name, value }, i) => [
          change('registers.name', () => ({
            registers: event.registers?.with(i, { name: name + 1, value }),
          })),
          change('registers.value', () => ({
            registers: event.registers?.with(i, { name, value: value ^ 1n }),
          })),
        ]),
      ];
    case 'message':
      return [
        ...others(MESSAGE_WHATS, event.what).map((what) => change('what', () => ({ what }))),
        ...number('sint', event.sint),
        ...number('flags', event.flags),
        ...number('flag', event.flag),
        ...number('vector', event.vector),
        ...others(DROP_REASONS, event.reason).flatMap((reason) =>
          event.reason === undefined ? [] : [change('reason', () => ({ reason }))],
        ),
      ];
    case 'fd':
      return [
        ...others(FD_WHATS, event.what).map((what) => change('what', () => ({ what }))),
        ...number('fd', event.fd),
        ...number('from', event.from),
        ...whole('offset', event.offset, 0x1000n),
        ...whole('size', event.size, 0x1000n),
        ...whole('addr', event.addr, 0x1000n),
        ...whole('value', event.value, 1n),
        ...(event.path === undefined ? [] : [change('path', () => ({ path: `${event.path}er` }))]),
        ...(event.handle === undefined
          ? []
          : [change('handle', () => ({ handle: anotherHandle(event.handle as Handle) }))]),
      ];
    case 'lifecycle':
      return [
        ...others(LIFECYCLE_WHATS, event.what).map((what) => change('what', () => ({ what }))),
        change('phase', () => ({ phase: event.phase === 'end' ? 'begin' : 'end' })),
        change('partition', () => ({ partition: (event.partition ?? 1n) + 1n })),
        ...others(FAIL_STEPS, event.fail).map((fail) => change('fail', () => ({ fail }))),
      ];
    case 'page':
      return whole('gpa', event.gpa, 0x1000n);
    case 'mark':
      return [change('what', () => ({ what: event.what === 'note' ? 'queue' : 'note' }))];
  }
}

/** The part of the control word that a bit belongs to (TLFS, hypercall inputs). */
function controlField(bit: number): string {
  const ends = [
    [16, 'code'],
    [17, 'fast'],
    [27, 'variable header size'],
    [31, 'reserved 1'],
    [32, 'nested'],
    [44, 'rep count'],
    [48, 'reserved 2'],
    [60, 'rep start'],
    [64, 'reserved 3'],
  ] as const;
  return ends.find(([end]) => bit < end)?.[1] ?? '';
}

function anotherHandle(handle: Handle): Handle {
  switch (handle.kind) {
    case 'partition':
      return { ...handle, partition: (handle.partition ?? 0n) + 1n };
    case 'vp':
      return { ...handle, vp: (handle.vp ?? 0) + 1 };
    default:
      return { kind: 'partition', partition: 77n };
  }
}

/** Members of an event that hold what came in as bytes. */
const BUFFERS = ['arg', 'in', 'input', 'slot', 'payload', 'value'] as const;

/** Each field of each buffer: plus one, its lowest and its highest bit; what no field covers, by bytes. */
function byteChanges(event: TraceEvent, profile: Profile, change: Make): StimulusChange[] {
  const members = event as unknown as Readonly<Record<string, unknown>>;
  return buffersOf(event, profile).flatMap(({ name, fields }) => {
    const buffer = BUFFERS.find((each) => each === name);
    if (buffer === undefined) return [];
    if (buffer === 'value')
      return event.kind === 'msr' && event.dir === 'write' ? msrBits(event.value ?? 0n, change) : [];
    const bytes = members[buffer];
    if (!(bytes instanceof Uint8Array)) return [];
    const leaves = leavesOf(fields);
    const covered = new Uint8Array(bytes.length);
    for (const { offset, size } of leaves) covered.fill(1, offset, offset + size);
    const flip = (path: string, bit: number) =>
      change(`${buffer}.${path}`, () => ({ [buffer]: flipped(bytes, bit) }));
    const plain = Array.from(covered, (is, byte) => (is === 1 ? [] : [flip('not named', byte * 8)])).flat();
    return [
      ...plain,
      ...leaves.flatMap((leaf) => {
        const [first, last] = bitsOf(leaf);
        const path = nameOfField(leaf.path);
        const flips = first === last ? [flip(path, first)] : [flip(path, first), flip(path, last)];
        return leaf.lsb === undefined
          ? [...flips, change(`${buffer}.${path}`, () => ({ [buffer]: incremented(bytes, leaf) }))]
          : flips;
      }),
    ];
  });
}

function msrBits(value: bigint, change: Make): StimulusChange[] {
  return Array.from({ length: 64 }, (_, bit) =>
    change('value', () => ({ value: value ^ (1n << BigInt(bit)) })),
  );
}

/** Fields without fields of their own; of several names for the same bits the first. */
function leavesOf(fields: readonly FieldView[]): FieldView[] {
  const leaves = fields.filter(({ depth, size }, i) => (fields[i + 1]?.depth ?? 0) <= depth && size > 0);
  return [...new Map(leaves.toReversed().map((leaf) => [bitsOf(leaf).join(), leaf])).values()];
}

/** Its name without indexes; a register's value, which has a meaning for each register, is one field. */
function nameOfField(path: string): string {
  return path.replaceAll(/\[\d+\]/g, '[]').replace(/^(elements\[\]\.value)\..*/, '$1');
}

/** First and last bit of a field, counted from the start of the buffer. */
function bitsOf({ offset, size, lsb, width }: FieldView): readonly [number, number] {
  const first = offset * 8 + (lsb ?? 0);
  return [first, first + (width ?? size * 8) - 1];
}

function incremented(bytes: Uint8Array, { offset, size }: FieldView): Uint8Array {
  const changed = bytes.slice();
  for (let i = offset; i < offset + size; i++) {
    changed[i] = lowHalf(BigInt((changed[i] ?? 0) + 1)) & 0xff;
    if (changed[i] !== 0) break;
  }
  return changed;
}
