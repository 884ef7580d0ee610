import { type FieldHandle, readU64, writeField } from '../../abi/index.ts';
import { TOP } from '../../state/store.ts';
import type { Call } from '../call/call.ts';
import { FIRST_PROVIDED_FRAME, HYPERVISOR } from '../cells/host.ts';
import { cellAt, knownOr } from '../cells/place.ts';

const OUTPUT_BYTES = 8;

/** A page that the hypervisor provides: its frame, the recorded one where a recorded call returned it. */
export function providedFrame(call: Call, output: FieldHandle): bigint {
  const { store } = call.context;
  const hypervisor = store.find(TOP, HYPERVISOR, 0);
  if (hypervisor === undefined) throw new Error('no hypervisor');
  const next = cellAt(hypervisor, HYPERVISOR.slots.nextFrame);
  const own = knownOr(call.context, next, BigInt(FIRST_PROVIDED_FRAME));
  store.set(next, own + 1n);
  const recorded = call.event.output;
  return recorded === undefined || recorded.length < OUTPUT_BYTES
    ? own
    : call.context.bind('hypervisor-page', readU64(recorded, output), own);
}

/** The output of a call that returns one frame. */
export function frameOutput(field: FieldHandle, frame: bigint): Uint8Array {
  const output = new Uint8Array(OUTPUT_BYTES);
  writeField(output, field, frame);
  return output;
}
