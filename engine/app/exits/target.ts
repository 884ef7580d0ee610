import { type FieldHandle, fieldOf, readU32, readU64 } from '../../abi/layout/field.ts';
import { messageTypes } from '../../abi/lookup/messages.ts';
import { msrs } from '../../abi/lookup/msrs.ts';
import { hexOf } from '../../abi/text.ts';
import { readMessage } from '../../hypervisor/index.ts';

/** What a VP stopped for, as far as its message says. */
export interface ExitTarget {
  /** Type of the message. */
  readonly type: number;
  /** `read`, `write`, `execute`; undefined where the message has no header of an intercept. */
  readonly access: string | undefined;
  /** Port, guest physical address, MSR or CPUID leaf; undefined for what has none (a halt). */
  readonly place: bigint | undefined;
}

interface TargetRow {
  readonly field: FieldHandle;
  /** Name of the field in the filter language. */
  readonly path: string;
  /** CPUID leaves and MSRs are 32 bits of a wider register. */
  text(place: bigint): string;
}

function row(struct: string, path: string, text: (place: bigint) => string): [string, TargetRow] {
  return [struct, { field: fieldOf(struct, path), path, text }];
}

/** Which field of a message's payload says what was touched, by payload (Linux 7.2 include/hyperv, hvhdk.h). */
const ROWS: ReadonlyMap<string, TargetRow> = new Map([
  row('hv_x64_io_port_intercept_message', 'port_number', (place) => `port ${hexOf(place)}`),
  row('hv_x64_memory_intercept_message', 'guest_physical_address', (place) => `GPA ${hexOf(place)}`),
  row('hv_x64_msr_intercept_message', 'msr_number', (place) => msrs.name(Number(place))),
  row('hv_x64_cpuid_intercept_message', 'rax', (place) => `leaf ${hexOf(place)}`),
  row('hv_x64_exception_intercept_message', 'exception_vector', (place) => `vector ${hexOf(place)}`),
  row('hv_x64_apic_eoi_message', 'interrupt_vector', (place) => `vector ${hexOf(place)}`),
]);

const HEADER = 'hv_x64_intercept_message_header';
const ACCESS = fieldOf(HEADER, 'intercept_access_type');
/** Values of hv_intercept_access_type. */
const ACCESSES = ['read', 'write', 'execute'] as const;
/** Messages of a stop that is not an access: their access type says nothing. */
const NO_ACCESS = new Set(['HVMSG_X64_HALT', 'HVMSG_X64_CPUID_INTERCEPT', 'HVMSG_X64_EXCEPTION_INTERCEPT']);

/** Reads what a message of MSHV_RUN_VP (256 bytes, or fewer) is about. */
export function targetOf(message: Uint8Array): ExitTarget {
  const { type, payload } = readMessage(message);
  const { name, payload: struct } = messageTypes.find(type) ?? { name: '', payload: undefined };
  const found = struct === undefined ? undefined : ROWS.get(struct);
  const hasAccess = found !== undefined && !NO_ACCESS.has(name);
  return {
    type,
    access: hasAccess ? ACCESSES[readU32(payload, ACCESS)] : undefined,
    place: found === undefined ? undefined : readU64(payload, found.field),
  };
}

/** `port 0x3f8`, `GPA 0xd0000000`, `HV_X64_MSR_…`, `leaf 0x40000010`; undefined where nothing was touched. */
export function placeText({ type, place }: ExitTarget): string | undefined {
  const struct = messageTypes.find(type)?.payload;
  const found = struct === undefined ? undefined : ROWS.get(struct);
  return place === undefined || found === undefined ? undefined : found.text(place);
}

/** The filter that such exits match, in the filter language of events. */
export function targetFilter({ type, access, place }: ExitTarget): string {
  const known = messageTypes.find(type);
  const words = [`out.type == ${known?.name ?? hexOf(type)}`];
  const found = known?.payload === undefined ? undefined : ROWS.get(known.payload);
  if (found !== undefined && place !== undefined) words.push(`payload.${found.path} == ${hexOf(place)}`);
  if (access !== undefined) {
    const name = `HV_INTERCEPT_ACCESS_${access.toUpperCase()}`;
    words.push(`payload.header.intercept_access_type == ${name}`);
  }
  return words.join(' && ');
}

const PORT = 'hv_x64_io_port_intercept_message';
const PORT_RAX = fieldOf(PORT, 'rax');
const PORT_SIZE = fieldOf(PORT, 'access_info.access_size');
const MSR_RAX = fieldOf('hv_x64_msr_intercept_message', 'rax');
const MSR_RDX = fieldOf('hv_x64_msr_intercept_message', 'rdx');

/** The value that a write to a port or an MSR carried: `0x48`; undefined for every other stop. */
export function valueText(message: Uint8Array): string | undefined {
  const { access } = targetOf(message);
  const { type, payload } = readMessage(message);
  if (access !== 'write') return undefined;
  switch (messageTypes.find(type)?.payload) {
    case PORT: {
      const bits = 8 * readU32(payload, PORT_SIZE);
      return hexOf(BigInt.asUintN(bits, readU64(payload, PORT_RAX)));
    }
    case 'hv_x64_msr_intercept_message': {
      const low = BigInt.asUintN(32, readU64(payload, MSR_RAX));
      return hexOf((BigInt.asUintN(32, readU64(payload, MSR_RDX)) << 32n) | low);
    }
    default:
      return undefined;
  }
}
