import { decodeControl, fieldOf, hypercalls, readU32, registers } from '../../../engine/abi/index.ts';
import type { HypercallEvent } from '../../../engine/trace/event.ts';

const OVERLAY_REGISTERS: ReadonlySet<number> = new Set(
  ['HYPERCALL', 'GUEST_OS_ID'].map((name) => registers.number(name)),
);
const GET_REGISTERS = hypercalls.number('HVCALL_GET_VP_REGISTERS');
const SET_REGISTERS = hypercalls.number('HVCALL_SET_VP_REGISTERS');
const SET_NAME = fieldOf('hv_input_set_vp_registers', 'elements.name');

/** Whether a call changes neither what the guest sees of its memory nor what of it is intercepted. */
export function leavesMemory({ control, input }: HypercallEvent): boolean {
  const { code, repCount } = decodeControl(control);
  if (code === GET_REGISTERS) return true;
  if (code !== SET_REGISTERS || input === undefined) return false;
  for (let i = 0; i < repCount; i++) if (OVERLAY_REGISTERS.has(readU32(input, SET_NAME, i))) return false;
  return true;
}
