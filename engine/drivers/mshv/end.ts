import { fieldOf, writeField } from '../../abi/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { Actor } from '../kernel/access.ts';
import { hypercall, hypercallCode } from '../kernel/hypercall.ts';

/** Calls about a partition as a whole, of which it is all the input. */

const FINALIZE_PARTITION = hypercallCode('FINALIZE_PARTITION');
const DELETE_PARTITION = hypercallCode('DELETE_PARTITION');
const ID = fieldOf('hv_input_finalize_partition', 'partition_id');
const ID_BYTES = 8;

/** The input of such a call. */
export function idInput(partition: bigint): Uint8Array {
  const input = new Uint8Array(ID_BYTES);
  writeField(input, ID, partition);
  return input;
}

/** The input travels in a register; the RFC of 2020 has it in memory. */
export function isFast({ profile }: Context): boolean {
  return profile.kernel !== 'rfc2020';
}

/** HVCALL_FINALIZE_PARTITION, whatever it comes to. */
export function* finalizePartition(context: Context, actor: Actor, partition: bigint): DriverRun<void> {
  yield* hypercall(actor, FINALIZE_PARTITION, idInput(partition), { fast: isFast(context) });
}

/** HVCALL_DELETE_PARTITION, whatever it comes to. */
export function* deletePartition(context: Context, actor: Actor, partition: bigint): DriverRun<void> {
  yield* hypercall(actor, DELETE_PARTITION, idInput(partition), { fast: isFast(context) });
}
