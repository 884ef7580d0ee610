import { fieldOf, readU32, readU64 } from '../layout/field.ts';
import type { StructLayout } from '../layout/layout.ts';
import { structOf } from '../layout/structs.ts';
import type { BufferShape, IoctlRow } from '../lookup/ioctl-row.ts';
import { MESSAGE_BYTES } from '../lookup/messages.ts';
import { setOf } from '../lookup/sets.ts';
import { encodeControl } from './words.ts';

/** MSHV_PT_BIT_CPU_AND_XSAVE_FEATURES: the kernel then reads the longer form of the argument. */
const CPU_AND_XSAVE_FEATURES = 1n << 3n;
const PT_FLAGS = fieldOf('mshv_create_partition', 'pt_flags');

/** The layout of an ioctl's argument; undefined for a call without one. */
export function argumentLayout(row: IoctlRow, arg: Uint8Array | undefined): StructLayout | undefined {
  if (row.argument === undefined) return undefined;
  const layout = structOf(row.argument);
  if (row.argument !== 'mshv_create_partition' || arg === undefined) return layout;
  const longer = structOf('mshv_create_partition_v2');
  const isLonger = arg.length >= longer.size && (readU64(arg, PT_FLAGS) & CPU_AND_XSAVE_FEATURES) !== 0n;
  return isLonger ? longer : layout;
}

/** What the bytes behind a pointer are, and how many the argument says there are (0: it does not say). */
export type Buffer =
  | { readonly kind: 'bytes' }
  | { readonly kind: 'struct'; readonly layout: StructLayout; readonly length: number }
  | {
      readonly kind: 'hypercall-input' | 'hypercall-output';
      readonly control: bigint;
      readonly length: number;
    }
  | { readonly kind: 'run-message' }
  | { readonly kind: 'slot'; readonly length: number }
  | { readonly kind: 'registers'; readonly form: 'both' | 'names' | 'values' }
  | { readonly kind: 'names-then-values' };

/** Interprets a row's shape of a buffer with the argument that points to it. */
export function bufferOf(row: IoctlRow, shape: BufferShape, side: 'in' | 'out', arg: Uint8Array): Buffer {
  switch (shape) {
    case 'bytes':
      return { kind: 'bytes' };
    case 'message':
      return side === 'out' ? { kind: 'run-message' } : slotBuffer(row, arg);
    case 'hypercall':
      return hypercallBuffer(row, side, arg);
    case 'vp-state':
      return vpStateBuffer(row, arg);
    case 'registers':
      return { kind: 'registers', form: 'both' };
    case 'register-names':
      return { kind: 'registers', form: 'names' };
    case 'register-values':
      return { kind: 'registers', form: 'values' };
    case 'names+values':
      return { kind: 'names-then-values' };
    default:
      return { kind: 'struct', layout: structOf(LISTS[shape]), length: 0 };
  }
}

const LISTS = {
  names: 'mshv_register_names',
  values: 'hv_output_get_vp_registers',
  'access-states': 'hv_output_get_gpa_pages_access_states',
  'gva-translation': 'mshv_gva_translation',
} as const;

/** MSHV_POST_MESSAGE_DIRECT says how long its message is. */
function slotBuffer(row: IoctlRow, arg: Uint8Array): Buffer {
  const length = readU32(arg, fieldOf(row.argument as string, 'length'));
  return { kind: 'slot', length: length === 0 ? MESSAGE_BYTES : length };
}

/** MSHV_ROOT_HVCALL names the call and the sizes; MSHV_HVCALL of the VTL driver has a control word. */
function hypercallBuffer(row: IoctlRow, side: 'in' | 'out', arg: Uint8Array): Buffer {
  const struct = row.argument as string;
  const kind = side === 'in' ? 'hypercall-input' : 'hypercall-output';
  if (struct === 'mshv_vtl_hvcall') {
    const length = readU64(arg, fieldOf(struct, side === 'in' ? 'input_size' : 'output_size'));
    return { kind, control: readU64(arg, fieldOf(struct, 'control')), length: lengthOf(length) };
  }
  const code = readU32(arg, fieldOf(struct, 'code'));
  const repCount = readU32(arg, fieldOf(struct, 'reps'));
  const length = readU32(arg, fieldOf(struct, side === 'in' ? 'in_sz' : 'out_sz'));
  return { kind, control: encodeControl({ code, repCount }), length };
}

/** Lengths beyond what a call can carry say nothing. */
function lengthOf(size: bigint): number {
  return size <= 0x10_0000n ? Number(size) : 0;
}

/** Linux 7.2.13 uapi MSHV_VP_STATE_*; the RFC of 2020 passed the hypervisor's own types, 0 for the LAPIC. */
const STATE_LAYOUTS: Readonly<Record<string, string>> = {
  LAPIC: 'hv_local_interrupt_controller_state',
  LAPIC_STATE: 'hv_local_interrupt_controller_state',
  SIMP: 'hv_message_page',
  SIM_PAGE: 'hv_message_page',
  SIEFP: 'hv_synic_event_flags_page',
  SIEF_PAGE: 'hv_synic_event_flags_page',
  SYNTHETIC_TIMERS: 'hv_synthetic_timers_state',
};

function vpStateBuffer(row: IoctlRow, arg: Uint8Array): Buffer {
  const struct = row.argument as string;
  const upstream = struct === 'mshv_get_set_vp_state';
  const type = readU32(arg, fieldOf(struct, 'type'));
  const set = setOf(upstream || type === 0 ? 'mshvVpStateTypes' : 'vpStateTypes');
  const name = set?.kind === 'enum' ? set.names.name(type) : '';
  const layout = STATE_LAYOUTS[name.replace(/^MSHV_VP_STATE_|^HV_GET_SET_VP_STATE_/, '')];
  if (layout === undefined) return { kind: 'bytes' };
  const size = readU64(arg, fieldOf(struct, upstream ? 'buf_sz' : 'buf_size'));
  return { kind: 'struct', layout: structOf(layout), length: lengthOf(size) };
}
