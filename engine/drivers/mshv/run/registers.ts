import { fieldOf, readU64, registers, writeField } from '../../../abi/index.ts';
import type { DriverRun, HypercallAnswer } from '../../../machine/child.ts';
import type { Actor } from '../../kernel/access.ts';
import { hypercall, hypercallCode } from '../../kernel/hypercall.ts';
import type { VpId } from '../pages.ts';

const SET_VP_REGISTERS = hypercallCode('SET_VP_REGISTERS');
const GET_VP_REGISTERS = hypercallCode('GET_VP_REGISTERS');
const SET = {
  id: fieldOf('hv_input_set_vp_registers', 'partition_id'),
  index: fieldOf('hv_input_set_vp_registers', 'vp_index'),
  name: fieldOf('hv_input_set_vp_registers', 'elements.name'),
  value: fieldOf('hv_input_set_vp_registers', 'elements.value.reg64'),
};
const NAME = fieldOf('hv_input_get_vp_registers', 'names');
const VALUE = fieldOf('hv_register_value', 'reg64');
const HEADER_BYTES = 16;
const ELEMENT_BYTES = 32;
const NAME_BYTES = 4;
const VALUE_BYTES = 16;

export const EXPLICIT_SUSPEND = registers.number('EXPLICIT_SUSPEND');
export const INTERCEPT_SUSPEND = registers.number('INTERCEPT_SUSPEND');

function header(bytes: number, vp: VpId): Uint8Array {
  const input = new Uint8Array(bytes);
  writeField(input, SET.id, vp.partition);
  writeField(input, SET.index, vp.index);
  return input;
}

/** One HVCALL_SET_VP_REGISTERS with small values. */
export function* setRegisters(
  actor: Actor,
  vp: VpId,
  values: readonly (readonly [name: number, value: number])[],
): DriverRun<HypercallAnswer> {
  const input = header(HEADER_BYTES + values.length * ELEMENT_BYTES, vp);
  values.forEach(([name, value], i) => {
    writeField(input, SET.name, name, i);
    writeField(input, SET.value, value, i);
  });
  return yield* hypercall(actor, SET_VP_REGISTERS, input, { reps: values.length });
}

/** One HVCALL_GET_VP_REGISTERS of registers of up to 64 bits. */
export function* getRegisters(
  actor: Actor,
  vp: VpId,
  names: readonly number[],
): DriverRun<{ readonly answer: HypercallAnswer; readonly values: readonly bigint[] }> {
  const input = header(HEADER_BYTES + names.length * NAME_BYTES, vp);
  names.forEach((name, i) => {
    writeField(input, NAME, name, i);
  });
  const answer = yield* hypercall(actor, GET_VP_REGISTERS, input, { reps: names.length });
  const output = answer.output ?? new Uint8Array(0);
  return { answer, values: names.map((_, i) => readU64(output.subarray(i * VALUE_BYTES), VALUE)) };
}
