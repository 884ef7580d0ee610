import {
  type FieldHandle,
  fieldOf,
  messageTypes,
  sizeOfStruct,
  writeField,
} from '../../../engine/abi/index.ts';
import type {
  CpuExit,
  CpuidExit,
  IoExit,
  MemoryExit,
  ReadMsrExit,
  WriteMsrExit,
} from '../../../engine/cpu/index.ts';
import type { VpChannel } from './channel.ts';
import { registerIndex } from './registers.ts';

/** A message of the hypervisor about an exit of a VP. */
export interface ExitMessage {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** An access that memory does not answer, by the guest or by the hypervisor on its behalf. */
type MemoryAccessExit = Pick<MemoryExit, 'instructionLength' | 'access' | 'instructionBytes' | 'mapped'> & {
  readonly gpa: number | bigint;
  readonly gva: number | bigint;
};

/** The VP whose exit it is; its channel has the registers as the guest left them. */
export interface Stopped {
  readonly index: number;
  readonly channel: VpChannel;
}

const HEADER = {
  vp: fieldOf('hv_x64_intercept_message_header', 'vp_index'),
  length: fieldOf('hv_x64_intercept_message_header', 'instruction_length'),
  cr8: fieldOf('hv_x64_intercept_message_header', 'cr8'),
  access: fieldOf('hv_x64_intercept_message_header', 'intercept_access_type'),
  cpl: fieldOf('hv_x64_intercept_message_header', 'execution_state.cpl'),
  protectedMode: fieldOf('hv_x64_intercept_message_header', 'execution_state.cr0_pe'),
  alignment: fieldOf('hv_x64_intercept_message_header', 'execution_state.cr0_am'),
  longMode: fieldOf('hv_x64_intercept_message_header', 'execution_state.efer_lma'),
  cs: fieldOf('hv_x64_intercept_message_header', 'cs_segment'),
  rip: fieldOf('hv_x64_intercept_message_header', 'rip'),
  rflags: fieldOf('hv_x64_intercept_message_header', 'rflags'),
};
const IO = {
  port: fieldOf('hv_x64_io_port_intercept_message', 'port_number'),
  size: fieldOf('hv_x64_io_port_intercept_message', 'access_info.access_size'),
  string: fieldOf('hv_x64_io_port_intercept_message', 'access_info.string_op'),
  rep: fieldOf('hv_x64_io_port_intercept_message', 'access_info.rep_prefix'),
  byteCount: fieldOf('hv_x64_io_port_intercept_message', 'instruction_byte_count'),
  rax: fieldOf('hv_x64_io_port_intercept_message', 'rax'),
  bytes: fieldOf('hv_x64_io_port_intercept_message', 'instruction_bytes'),
  ds: fieldOf('hv_x64_io_port_intercept_message', 'ds_segment'),
  es: fieldOf('hv_x64_io_port_intercept_message', 'es_segment'),
  rcx: fieldOf('hv_x64_io_port_intercept_message', 'rcx'),
  rsi: fieldOf('hv_x64_io_port_intercept_message', 'rsi'),
  rdi: fieldOf('hv_x64_io_port_intercept_message', 'rdi'),
};
const MEMORY = {
  byteCount: fieldOf('hv_x64_memory_intercept_message', 'instruction_byte_count'),
  gvaValid: fieldOf('hv_x64_memory_intercept_message', 'memory_access_info.gva_valid'),
  gpaValid: fieldOf('hv_x64_memory_intercept_message', 'memory_access_info.gva_gpa_valid'),
  gva: fieldOf('hv_x64_memory_intercept_message', 'guest_virtual_address'),
  gpa: fieldOf('hv_x64_memory_intercept_message', 'guest_physical_address'),
  bytes: fieldOf('hv_x64_memory_intercept_message', 'instruction_bytes'),
};
const CPUID = ['rax', 'rcx', 'rdx', 'rbx'].map((name) => ({
  value: fieldOf('hv_x64_cpuid_intercept_message', name),
  byDefault: fieldOf('hv_x64_cpuid_intercept_message', `default_result_${name}`),
  place: registerIndex(name.toUpperCase()),
}));
const MSR = {
  number: fieldOf('hv_x64_msr_intercept_message', 'msr_number'),
  rdx: fieldOf('hv_x64_msr_intercept_message', 'rdx'),
  rax: fieldOf('hv_x64_msr_intercept_message', 'rax'),
};
const HYPERCALL = ['rax', 'rbx', 'rcx', 'rdx', 'r8', 'rsi', 'rdi'].map((name) => ({
  field: fieldOf('hv_x64_hypercall_intercept_message', name),
  place: registerIndex(name.toUpperCase()),
}));
const IO_PORT_INTERCEPT = messageTypes.number('HVMSG_X64_IO_PORT_INTERCEPT');
const ACCESS = { read: 0, write: 1, execute: 2 } as const;
const [RAX, RCX, RDX, RSI, RDI, RIP, RFLAGS, ES, CS, SS, DS, CR0, CR8, EFER] = [
  ...['RAX', 'RCX', 'RDX', 'RSI', 'RDI', 'RIP', 'RFLAGS'],
  ...['ES', 'CS', 'SS', 'DS', 'CR0', 'CR8', 'EFER'],
].map(registerIndex) as [number, ...number[]] as readonly number[] as Places;
type Places = readonly [
  rax: number,
  rcx: number,
  rdx: number,
  rsi: number,
  rdi: number,
  rip: number,
  rflags: number,
  es: number,
  cs: number,
  ss: number,
  ds: number,
  cr0: number,
  cr8: number,
  efer: number,
];

/** A whole register: a segment's field is laid out as the register is. */
function putRegister(payload: Uint8Array, field: FieldHandle, { channel }: Stopped, place: number): void {
  channel.copyRegister(place, payload, field.offset, field.size);
}

function begin(struct: string, vp: Stopped, length: number, access: number): Uint8Array {
  const payload = new Uint8Array(sizeOfStruct(struct as Parameters<typeof sizeOfStruct>[0]));
  const put = (field: FieldHandle, value: number | bigint) => writeField(payload, field, value);
  put(HEADER.vp, vp.index);
  put(HEADER.length, length);
  put(HEADER.cr8, vp.channel.register(CR8));
  put(HEADER.access, access);
  const cr0 = vp.channel.register(CR0);
  const isProtected = cr0 & 1n;
  put(HEADER.protectedMode, isProtected);
  put(HEADER.alignment, (cr0 >> 18n) & 1n);
  put(HEADER.longMode, (vp.channel.register(EFER) >> 10n) & 1n);
  // The DPL of SS is the privilege level; its attributes are the register's upper 16 bits.
  if (isProtected === 1n) put(HEADER.cpl, (vp.channel.register(SS) >> 117n) & 3n);
  putRegister(payload, HEADER.cs, vp, CS);
  putRegister(payload, HEADER.rip, vp, RIP);
  putRegister(payload, HEADER.rflags, vp, RFLAGS);
  return payload;
}

function ioMessage(vp: Stopped, exit: IoExit): ExitMessage {
  const access = exit.direction === 'out' ? ACCESS.write : ACCESS.read;
  const payload = begin('hv_x64_io_port_intercept_message', vp, exit.instructionLength, access);
  const put = (field: FieldHandle, value: number | bigint) => writeField(payload, field, value);
  put(IO.port, exit.port);
  put(IO.size, exit.size);
  put(IO.string, exit.string ? 1 : 0);
  put(IO.rep, exit.rep ? 1 : 0);
  put(IO.byteCount, exit.instructionBytes.length);
  putRegister(payload, IO.rax, vp, RAX);
  payload.set(exit.instructionBytes, IO.bytes.offset);
  putRegister(payload, IO.ds, vp, DS);
  putRegister(payload, IO.es, vp, ES);
  putRegister(payload, IO.rcx, vp, RCX);
  putRegister(payload, IO.rsi, vp, RSI);
  putRegister(payload, IO.rdi, vp, RDI);
  return { type: IO_PORT_INTERCEPT, payload };
}

export function memoryMessage(vp: Stopped, exit: MemoryAccessExit): ExitMessage {
  const payload = begin('hv_x64_memory_intercept_message', vp, exit.instructionLength, ACCESS[exit.access]);
  const put = (field: FieldHandle, value: number | bigint) => writeField(payload, field, value);
  put(MEMORY.byteCount, exit.instructionBytes.length);
  put(MEMORY.gvaValid, 1);
  put(MEMORY.gpaValid, 1);
  put(MEMORY.gva, BigInt.asUintN(64, BigInt(exit.gva)));
  put(MEMORY.gpa, exit.gpa);
  payload.set(exit.instructionBytes, MEMORY.bytes.offset);
  const name = exit.mapped ? 'HVMSG_GPA_INTERCEPT' : 'HVMSG_UNMAPPED_GPA';
  return { type: messageTypes.number(name), payload };
}

/** What a CPUID intercept says; the answer that the hypervisor would give comes with it. */
export function cpuidMessage(
  vp: Stopped,
  exit: Pick<CpuidExit, 'instructionLength'>,
  byDefault: readonly number[],
): ExitMessage {
  const payload = begin('hv_x64_cpuid_intercept_message', vp, exit.instructionLength, ACCESS.execute);
  CPUID.forEach(({ value, byDefault: field, place }, index) => {
    putRegister(payload, value, vp, place);
    writeField(payload, field, byDefault[index] ?? 0);
  });
  return { type: messageTypes.number('HVMSG_X64_CPUID_INTERCEPT'), payload };
}

/** What an MSR intercept says. */
export function msrMessage(
  vp: Stopped,
  exit: Pick<ReadMsrExit | WriteMsrExit, 'instructionLength' | 'kind' | 'msr'>,
): ExitMessage {
  const access = exit.kind === 'wrmsr' ? ACCESS.write : ACCESS.read;
  const payload = begin('hv_x64_msr_intercept_message', vp, exit.instructionLength, access);
  writeField(payload, MSR.number, exit.msr);
  putRegister(payload, MSR.rdx, vp, RDX);
  putRegister(payload, MSR.rax, vp, RAX);
  return { type: messageTypes.number('HVMSG_X64_MSR_INTERCEPT'), payload };
}

/** What a hypercall intercept says: the registers that a call may use. */
export function hypercallMessage(vp: Stopped, instructionLength: number): ExitMessage {
  const payload = begin('hv_x64_hypercall_intercept_message', vp, instructionLength, ACCESS.execute);
  for (const { field, place } of HYPERCALL) putRegister(payload, field, vp, place);
  return { type: messageTypes.number('HVMSG_HYPERCALL_INTERCEPT'), payload };
}

/** The message of an exit that is the VMM's at any rate; undefined for one that the hypervisor may answer itself. */
export function exitMessage(vp: Stopped, exit: CpuExit): ExitMessage | undefined {
  switch (exit.kind) {
    case 'io':
      return ioMessage(vp, exit);
    case 'memory':
      return memoryMessage(vp, exit);
    case 'halt':
      return {
        type: messageTypes.number('HVMSG_X64_HALT'),
        payload: begin('hv_x64_halt_message', vp, exit.instructionLength, ACCESS.execute),
      };
    case 'shutdown':
    case 'unsupported':
      return {
        type: messageTypes.number('HVMSG_UNRECOVERABLE_EXCEPTION'),
        payload: begin('hv_x64_unrecoverable_exception_message', vp, 0, ACCESS.execute),
      };
    default:
      return undefined;
  }
}
