import {
  constant,
  constantNumber,
  fieldOf,
  readU32,
  readU64,
  registers,
  writeField,
} from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import { failed, repeated, unmodelledCall } from '../call/call.ts';
import type { GuestCall } from '../call/guest.ts';
import { STATUS } from '../call/status.ts';
import { VP } from '../cells/vp.ts';
import { PLACES } from './places.ts';
import { fixedValue, runsByItself, unknownName } from './rules.ts';
import { registerOf } from './values.ts';

const GET = {
  id: fieldOf('hv_input_get_vp_registers', 'partition_id'),
  index: fieldOf('hv_input_get_vp_registers', 'vp_index'),
  name: fieldOf('hv_input_get_vp_registers', 'names'),
};
const VALUE_BYTES = 16;
const LOW = { ...fieldOf('hv_register_value', 'reg64'), stride: VALUE_BYTES };
const HIGH = { ...LOW, offset: LOW.offset + 8 };
const SELF = constant('HV_PARTITION_ID_SELF');
const VP_SELF = constantNumber('HV_VP_INDEX_SELF');
/** Upper halves of the names of synthetic registers: identity and the like, the SynIC (Linux 7.2 hvgdk: enum hv_register_name). */
const SYNTHETIC = [registers.number('VP_RUNTIME') >>> 16, registers.number('SINT0') >>> 16];

/**
 * HvGetVpRegisters of a guest, which may read the synthetic registers of its own partition's VPs. Those of the
 * processor it reads itself.
 */
export function readOwnRegisters(call: GuestCall): HypercallAnswer {
  const { context, input, event } = call;
  const { store } = context;
  const { repCount, repStart } = call.control;
  if (readU64(input, GET.id) !== SELF) return failed(STATUS.ACCESS_DENIED, 'TLFS2013.privilege.guest');
  const index = readU32(input, GET.index);
  const vp = index === VP_SELF ? call.vp : store.find(store.parent(call.vp), VP, index);
  if (vp === undefined) return failed(STATUS.INVALID_VP_INDEX, 'TLFS2013.vp.unknown-index');
  const output = new Uint8Array(repCount * VALUE_BYTES);
  for (let i = repStart; i < repCount; i++) {
    const name = readU32(input, GET.name, i);
    const refused =
      unknownName(name, context.profile) ??
      (SYNTHETIC.includes(name >>> 16)
        ? undefined
        : { status: STATUS.ACCESS_DENIED, rule: 'choice.guest.processor-register' });
    if (refused !== undefined)
      return repeated(refused.status, i, refused.rule, output.slice(0, i * VALUE_BYTES));
    const fixed = fixedValue(name);
    if (fixed === undefined && (runsByItself(name) || !PLACES.has(name))) return unmodelledCall(event);
    const { low, high } = fixed ?? registerOf(context, vp, name);
    writeField(output, LOW, low, i);
    writeField(output, HIGH, high, i);
  }
  return repeated(STATUS.SUCCESS, repCount, 'TLFS.guest.get-registers', output);
}
