import {
  type ControlWord,
  decodeControl,
  type FieldHandle,
  fieldOf,
  hypercalls,
  readU64,
  statuses,
  structOf,
} from '../../abi/index.ts';
import type { Step } from '../../replay/step.ts';

/** Number of a hypercall, by its name without prefix. */
export function call(name: string): number {
  return hypercalls.number(name);
}

/** Number of a status, by its name without prefix. */
export function status(name: string): number {
  return statuses.number(name);
}

/** The partition of whoever makes the call (Linux 7.2 include/hyperv, HV_PARTITION_ID_SELF). */
export const SELF = 0xffff_ffff_ffff_ffffn;
export const SUCCESS = status('SUCCESS');
/** The hypervisor took the call and finishes it later. */
const CALL_PENDING = status('CALL_PENDING');

/** The statuses that say that a pool is short (Linux 7.2 drivers/hv/hv_proc.c). */
const SHORTAGES: ReadonlySet<number> = new Set(
  ['MEMORY', 'CONTIGUOUS_MEMORY', 'ROOT_MEMORY', 'CONTIGUOUS_ROOT_MEMORY'].map((name) =>
    status(`INSUFFICIENT_${name}`),
  ),
);

/** A pool is short: the call is made again when it has more pages. */
export function isShortage(code: number): boolean {
  return SHORTAGES.has(code);
}

/** A hypercall and its answer. */
export interface Answered {
  readonly control: ControlWord;
  readonly input: Uint8Array;
  readonly output: Uint8Array | undefined;
  readonly status: number;
  /** Elements completed in all, those before the rep start included (TLFS, hypercall result). */
  readonly reps: number;
  readonly component: string | undefined;
}

const NOTHING = new Uint8Array(0);

/** What a step says of a hypercall; undefined where it is none, or nobody knows what was answered. */
export function answered({ event }: Step): Answered | undefined {
  if (event.kind !== 'hypercall' || event.result === undefined) return undefined;
  const { control, input = NOTHING, output, result, component } = event;
  return {
    control: decodeControl(control),
    input,
    output,
    status: result.status,
    reps: result.reps,
    component: component === 'unknown' ? undefined : component,
  };
}

/** The hypervisor did what it was asked, or has taken it on. */
export function isDone(code: number): boolean {
  return code === SUCCESS || code === CALL_PENDING;
}

/** Where a call names the partition that it is about: first of the partitions in its input, or inside an identity. */
export function partitionField(code: number): FieldHandle {
  const struct = hypercalls.find(code)?.input;
  if (struct === undefined) throw new Error(`no input is known of hypercall ${code}`);
  const field = structOf(struct).fields.find(({ display }) => display === 'partition');
  return fieldOf(struct, field?.name ?? 'identity.vp.partition_id');
}

/** Reads the elements of a rep call’s list that were completed, or `from` to `to`. */
export function listOf(input: Uint8Array, field: FieldHandle, from: number, to: number): readonly bigint[] {
  const items: bigint[] = [];
  for (let i = from; i < to; i++) items.push(readU64(input, field, i));
  return items;
}
