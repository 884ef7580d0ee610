/** Where HvGetVpRegisters and HvSetVpRegisters have what they name, and where values stand (TLFS, virtual processor registers). */
import { type FieldHandle, fieldOf } from '../../abi/index.ts';

/** The upper half of a value of 16 bytes. */
const upperHalf = (low: FieldHandle): FieldHandle => ({ ...low, offset: low.offset + 8 });

export const GET = {
  id: fieldOf('hv_input_get_vp_registers', 'partition_id'),
  index: fieldOf('hv_input_get_vp_registers', 'vp_index'),
  name: fieldOf('hv_input_get_vp_registers', 'names'),
};

const SET_VALUE = fieldOf('hv_input_set_vp_registers', 'elements.value.reg64');
export const SET = {
  id: fieldOf('hv_input_set_vp_registers', 'partition_id'),
  index: fieldOf('hv_input_set_vp_registers', 'vp_index'),
  name: fieldOf('hv_input_set_vp_registers', 'elements.name'),
  value: SET_VALUE,
  high: upperHalf(SET_VALUE),
};

/** What HvGetVpRegisters gives: one after the other. */
export const VALUE_BYTES = 16;
export const LOW: FieldHandle = { ...fieldOf('hv_register_value', 'reg64'), stride: VALUE_BYTES };
export const HIGH: FieldHandle = upperHalf(LOW);
