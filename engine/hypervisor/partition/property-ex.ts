import { fieldOf, writeField } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import { type Call, type CallRow, succeeded, unmodelledCall } from '../call/call.ts';
import { PHASES } from './phases.ts';
import { namedProperty, plainProperty, propertyFields } from './property.ts';
import { propertyCode } from './property-rules.ts';
import { isOwn } from './target.ts';

const GET_EX = propertyFields('hv_input_get_partition_property_ex', [
  'padding',
  'arg_data.reserved0',
  'arg_data.reserved1',
]);
const VALUE = fieldOf('hv_output_get_partition_property', 'property_value');
const VALUE_BYTES = 8;
const VMM_CAPABILITIES = propertyCode('VMM_CAPABILITIES');
const INTEGRATED_SCHEDULER = propertyCode('INTEGRATED_SCHEDULER_ENABLED');
/** Its value is longer than 64 bits, and no header says how long. */
const UNKNOWN_LENGTH = propertyCode('ASSIGNABLE_SYNTHETIC_PROC_FEATURES');
const CAPABILITIES = {
  bytes: 16,
  banks: fieldOf('hv_partition_property_vmm_capabilities', 'bank_count'),
  overlay: fieldOf('hv_partition_property_vmm_capabilities', 'vmm_can_provide_overlay_gpfn'),
  integrated: fieldOf('hv_partition_property_vmm_capabilities', 'vmm_enable_integrated_scheduler'),
};

/**
 * What a VMM may do: an L1VH partition may give the frames of stats and state pages itself, a root may not (Linux 7.2
 * drivers/hv/mshv_root_hv_call.c, mshv_use_overlay_gpfn), and whether the scheduler is the parent's business.
 */
function capabilities({ context: { profile } }: Call): HypercallAnswer {
  const { role, scheduler } = profile;
  const output = new Uint8Array(CAPABILITIES.bytes);
  writeField(output, CAPABILITIES.banks, 1);
  writeField(output, CAPABILITIES.overlay, role === 'l1vh' ? 1 : 0);
  writeField(output, CAPABILITIES.integrated, role === 'l1vh' && scheduler === 'root' ? 1 : 0);
  return succeeded('choice.property.vmm-capabilities', output);
}

/** HVCALL_GET_PARTITION_PROPERTY_EX: values of any length; one of 64 bits is what the plain call gives. */
function getEx(call: Call): HypercallAnswer {
  const target = namedProperty(call, GET_EX, PHASES.GET_PARTITION_PROPERTY);
  if ('answer' in target) return target.answer;
  const own = isOwn(call, target.id);
  if (target.code === UNKNOWN_LENGTH) return unmodelledCall(call.event);
  if (target.code === VMM_CAPABILITIES) return own ? capabilities(call) : unmodelledCall(call.event);
  if (target.code !== INTEGRATED_SCHEDULER || !own) return plainProperty(call, target);
  const output = new Uint8Array(VALUE_BYTES);
  writeField(output, VALUE, call.context.profile.scheduler === 'root' ? 1 : 0);
  return succeeded('profile.scheduler', output);
}

export const PROPERTY_EX_CALLS: readonly CallRow[] = [{ name: 'GET_PARTITION_PROPERTY_EX', answer: getEx }];
