import { constant, constantNumber, readU32, readU64, writeField } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { ObjectId } from '../../state/store.ts';
import { failed, repeated, unmodelledCall } from '../call/call.ts';
import type { GuestCall } from '../call/guest.ts';
import { STATUS } from '../call/status.ts';
import { VP } from '../cells/vp.ts';
import { PLACES } from './places.ts';
import { GET, HIGH, LOW, SET, VALUE_BYTES } from './register-fields.ts';
import { fixedValue, runsByItself, unknownName } from './rules.ts';
import { refusedOwn, setSynthetic } from './synthetic.ts';
import { registerOf } from './values.ts';

const SELF = constant('HV_PARTITION_ID_SELF');
const VP_SELF = constantNumber('HV_VP_INDEX_SELF');

/** The VP of its own partition that a guest names. */
function named(call: GuestCall): ObjectId | { readonly answer: HypercallAnswer } {
  const { store } = call.context;
  if (readU64(call.input, GET.id) !== SELF) {
    return { answer: failed(STATUS.ACCESS_DENIED, 'TLFS2013.privilege.guest') };
  }
  const index = readU32(call.input, GET.index);
  const vp = index === VP_SELF ? call.vp : store.find(store.parent(call.vp), VP, index);
  return vp ?? { answer: failed(STATUS.INVALID_VP_INDEX, 'TLFS2013.vp.unknown-index') };
}

/**
 * HvGetVpRegisters of a guest, which may read the synthetic registers of its own partition's VPs. Those of the
 * processor it reads itself.
 */
export function readOwnRegisters(call: GuestCall): HypercallAnswer {
  const { context, input, event } = call;
  const { repCount, repStart } = call.control;
  const vp = named(call);
  if (typeof vp === 'object') return vp.answer;
  const output = new Uint8Array(repCount * VALUE_BYTES);
  for (let i = repStart; i < repCount; i++) {
    const name = readU32(input, GET.name, i);
    const refused = unknownName(name, context.profile) ?? refusedOwn(name);
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

/** HvSetVpRegisters of a guest: its synthetic registers, as a write of the MSR sets them. */
export function writeOwnRegisters(call: GuestCall): HypercallAnswer {
  const { context, input, event, control } = call;
  const { store } = context;
  const vp = named(call);
  if (typeof vp === 'object') return vp.answer;
  const ref = { partition: BigInt(store.key(store.parent(vp))), vp: Number(store.key(vp)) };
  const range = { from: control.repStart, to: control.repCount };
  return setSynthetic(context, { vp: ref }, input, SET, range) ?? unmodelledCall(event);
}
