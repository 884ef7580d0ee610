/** Hypercalls and ioctls by hand, for {@link Traffic}: with control words and bytes that event text would refuse (else told.testing.ts). */
import assert from 'node:assert/strict';
import {
  encodeControl,
  type FdKind,
  hypercallInputFromObject,
  hypercalls,
  ioctlArgFromObject,
  ioctlInFromObject,
  ioctlNamed,
  type ObjectResult,
  statuses,
} from '../abi/index.ts';
import type { HypercallEvent, IoctlEvent } from '../trace/event.ts';
import { parseHandle } from '../trace/handle.ts';
import { at } from '../trace/position.ts';
import type { Traffic } from './traffic.testing.ts';

type Json = Readonly<Record<string, unknown>>;
type HypercallExtra = Partial<
  Pick<
    HypercallEvent,
    'control' | 'cpu' | 'component' | 'vp' | 'inputGpa' | 'output' | 'fault' | 'input' | 'outputGpa'
  >
> & {
  readonly reps?: number;
  readonly start?: number;
  readonly fast?: boolean;
  readonly status?: string | number;
  readonly done?: number;
  /** Number of the step with the ioctl that it was made for. */
  readonly below?: number;
};

/** A hypercall of mshv on CPU 0 that succeeds, unless `extra` says otherwise. */
export function hypercall(traffic: Traffic, name: string, input: Json, extra: HypercallExtra = {}): Traffic {
  const { reps, start, fast, status = 'SUCCESS', done, below, ...more } = extra;
  const code = hypercalls.number(name);
  const read = hypercallInputFromObject(code, input);
  assert.ok(read.ok, read.ok ? '' : `${read.error.path} ${read.error.message}`);
  const repCount = reps ?? read.elements ?? 0;
  const control = encodeControl({
    code,
    repCount,
    repStart: start ?? 0,
    fast: fast === true,
    variableHeaderQwords: read.variableHeaderQwords,
  });
  const answer = typeof status === 'number' ? status : statuses.number(status);
  const result = { status: answer, reps: done ?? (answer === 0 ? repCount : 0) };
  const event = {
    kind: 'hypercall',
    cpu: 0,
    control,
    input: read.bytes,
    component: 'mshv',
    ...more,
  } as const;
  return traffic.add(
    extra.fault === true ? event : { ...event, result },
    below === undefined ? undefined : at(below),
  );
}

interface IoctlExtra {
  readonly in?: Json;
  readonly ret?: number;
  readonly out?: IoctlEvent['out'];
  readonly component?: string;
  readonly fd?: number;
}

/** An ioctl is made: its step's number. `done` makes it return. */
export function enter(
  traffic: Traffic,
  handle: string,
  name: string,
  arg: Json = {},
  extra: IoctlExtra = {},
): number {
  const to = parseHandle(handle);
  assert.ok(to !== undefined);
  const row = ioctlNamed('upstream', to.kind as FdKind, name);
  assert.ok(row?.number !== undefined, `${name} on ${handle}`);
  const given = row.argument === undefined ? undefined : bytesOf(ioctlArgFromObject(row, arg));
  const { in: asked, ...rest } = extra;
  const buffer = asked === undefined ? undefined : bytesOf(ioctlInFromObject(row, given, asked));
  traffic.add({
    kind: 'ioctl',
    handle: to,
    op: row.number,
    ...(given === undefined ? {} : { arg: given }),
    ...(buffer === undefined ? {} : { in: buffer }),
    ...rest,
  });
  return traffic.steps.length;
}

function bytesOf(read: ObjectResult): Uint8Array {
  if (!read.ok) throw new Error(`${read.error.path} ${read.error.message}`);
  return read.bytes;
}

/** The ioctl of a step returns. */
export function leave(traffic: Traffic, entered: number, ret: number, out?: IoctlEvent['out']): Traffic {
  const began = traffic.steps[entered - 1];
  assert.ok(began?.event.kind === 'ioctl');
  const event = { ...began.event, ret, ...(out === undefined ? {} : { out }) };
  return traffic.step(event, began.parent, true);
}
