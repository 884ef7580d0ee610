import { fieldOf, readU32, readU64, registers, writeField } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, repeated, unmodelledCall } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { VP } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { PHASES } from './phases.ts';
import { findChild, findVp, wrongState } from './target.ts';

const SET = {
  id: fieldOf('hv_input_set_vp_registers', 'partition_id'),
  index: fieldOf('hv_input_set_vp_registers', 'vp_index'),
  name: fieldOf('hv_input_set_vp_registers', 'elements.name'),
  value: fieldOf('hv_input_set_vp_registers', 'elements.value.reg64'),
};
const GET = {
  id: fieldOf('hv_input_get_vp_registers', 'partition_id'),
  index: fieldOf('hv_input_get_vp_registers', 'vp_index'),
  name: fieldOf('hv_input_get_vp_registers', 'names'),
};
const VALUE_BYTES = 16;
const VALUE = { ...fieldOf('hv_register_value', 'reg64'), stride: VALUE_BYTES };

const { suspend, signals } = VP.slots;
const INTERCEPT_SUSPEND = registers.number('HV_REGISTER_INTERCEPT_SUSPEND');

/** Registers that have a cell. The rest of the table belongs to the room of the guest processor. */
const CELLS: ReadonlyMap<number, number> = new Map([
  [registers.number('HV_REGISTER_EXPLICIT_SUSPEND'), suspend.explicit],
  [INTERCEPT_SUSPEND, suspend.intercept],
  [registers.number('HV_REGISTER_DISPATCH_SUSPEND'), suspend.dispatch],
  [registers.number('HV_REGISTER_VP_ROOT_SIGNAL_COUNT'), signals],
]);

function target(
  call: Call,
  fields: Pick<typeof SET, 'id' | 'index' | 'name'>,
): { readonly vp: ObjectId } | { readonly answer: HypercallAnswer } {
  const found = findChild(call, fields.id);
  if ('answer' in found) return found;
  const wrong = wrongState(call, found.id, PHASES.VP_REGISTERS);
  if (wrong !== undefined) return { answer: wrong };
  const vp = findVp(call, found.id, readU32(call.input, fields.index));
  if ('answer' in vp) return vp;
  for (let i = call.control.repStart; i < call.control.repCount; i++) {
    if (!CELLS.has(readU32(call.input, fields.name, i))) return { answer: unmodelledCall(call.event) };
  }
  return { vp: vp.id };
}

function cellOf(call: Call, vp: ObjectId, field: typeof SET.name, index: number) {
  return cellAt(vp, CELLS.get(readU32(call.input, field, index)) as number);
}

function get(call: Call): HypercallAnswer {
  const { repCount, repStart } = call.control;
  const found = target(call, GET);
  if ('answer' in found) return found.answer;
  const { store } = call.context;
  const output = new Uint8Array(repCount * VALUE_BYTES);
  for (let i = repStart; i < repCount; i++) {
    const cell = cellOf(call, found.vp, GET.name, i);
    if (!store.known(cell)) return unmodelledCall(call.event);
    writeField(output, VALUE, store.get(cell), i);
  }
  return repeated(STATUS.SUCCESS, repCount, 'TLFS2013.registers.get', output);
}

/** A parent may lift the intercept suspension, only the hypervisor sets it (TLFS 2013, HvSetVpRegisters). */
function set(call: Call): HypercallAnswer {
  const { repCount, repStart } = call.control;
  const found = target(call, SET);
  if ('answer' in found) return found.answer;
  for (let i = repStart; i < repCount; i++) {
    const value = readU64(call.input, SET.value, i);
    if (readU32(call.input, SET.name, i) === INTERCEPT_SUSPEND && (value & 1n) !== 0n) {
      const { result, ...refused } = failed(STATUS.INVALID_PARAMETER, 'TLFS2013.registers.intercept-suspend');
      return { ...refused, result: { ...result, reps: i } };
    }
    call.context.store.set(cellOf(call, found.vp, SET.name, i), value & 1n);
  }
  return repeated(STATUS.SUCCESS, repCount, 'TLFS2013.registers.set');
}

/** The suspension registers of a VP and its signal count, which tear-down needs. */
export const REGISTER_CALLS: readonly CallRow[] = [
  { name: 'GET_VP_REGISTERS', answer: get },
  { name: 'SET_VP_REGISTERS', answer: set },
];
