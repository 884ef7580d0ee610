import { constantNumber, fieldOf, writeField } from '../../abi/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Actor } from '../kernel/access.ts';
import { hypercall, hypercallCode } from '../kernel/hypercall.ts';

const WITHDRAW_MEMORY = hypercallCode('WITHDRAW_MEMORY');
const ID = fieldOf('hv_input_withdraw_memory', 'partition_id');
const INPUT_BYTES = 16;
const BATCH = constantNumber('HV_WITHDRAW_BATCH_SIZE');

/**
 * Takes back every page, in batches, until one fails: NO_RESOURCES is the end that it should come to. The pages
 * go to the kernel's allocator (Linux 7.2 drivers/hv/mshv_root_hv_call.c, hv_call_withdraw_memory).
 */
export function* withdrawAll(actor: Actor, partition: bigint): DriverRun<void> {
  for (;;) {
    const input = new Uint8Array(INPUT_BYTES);
    writeField(input, ID, partition);
    const answer = yield* hypercall(actor, WITHDRAW_MEMORY, input, { reps: BATCH });
    if (answer.fault === true || answer.result.status !== 0 || answer.result.reps === 0) return;
  }
}
