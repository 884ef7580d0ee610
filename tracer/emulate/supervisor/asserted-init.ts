import {
  constantNumber,
  fieldOf,
  hypercalls,
  type IoctlRow,
  readU32,
  readU64,
} from '../../../engine/abi/index.ts';
import type { CallBytes } from '../../process/call-buffers.ts';

const CODE = fieldOf('mshv_root_hvcall', 'code');
const ASSERT = hypercalls.number('HVCALL_ASSERT_VIRTUAL_INTERRUPT');
const TYPE = fieldOf('hv_input_assert_virtual_interrupt', 'control.interrupt_type');
/** The interrupt control's low half, which is all that counts, as above. */
const RFC_CONTROL = fieldOf('rfc2020_mshv_assert_interrupt', 'control');
const INIT = constantNumber('HV_X64_INTERRUPT_TYPE_INIT');
const TYPE_BYTES = 4;

/** Whether a call of the program resets VPs by an INIT: those that run have to be stopped before the engine hears of it. */
export function assertsInit(row: IoctlRow | undefined, { arg, in: input }: CallBytes): boolean {
  if (row === undefined || arg === undefined || arg.length !== row.size) return false;
  if (row.name === 'MSHV_ASSERT_INTERRUPT') return Number(readU64(arg, RFC_CONTROL) & 0xffff_ffffn) === INIT;
  if (row.name !== 'MSHV_ROOT_HVCALL' || readU32(arg, CODE) !== ASSERT) return false;
  return input !== undefined && input.length >= TYPE.offset + TYPE_BYTES && readU32(input, TYPE) === INIT;
}
