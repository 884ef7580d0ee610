/** Exits of VP 2.0 and what is done about them, for {@link told}. */
import { runMessageFromObject } from '../abi/index.ts';
import { hypercall, ioctl, type Line } from './told.testing.ts';

const VP = { partition_id: 2, vp_index: 0 };

/** MSHV_RUN_VP of another thread than that of other calls. */
export const RUN: Line = ioctl('vp:2.0', 'MSHV_RUN_VP', { tid: 8 });

/** The run of that number comes back with an access to a port at `rip`. */
export function portExit(returns: number, rip: string, rax = '0x5'): Line {
  const payload = { header: { instruction_length: 2, rip }, port_number: '0x60', rax };
  return { returns, ret: 0, out: message('HVMSG_X64_IO_PORT_INTERCEPT', payload) };
}

/** The run of that number comes back with an intercepted access to memory, by an instruction at 0x401000. */
export function memoryExit(returns: number, access: number, info: object, gva: string, gpa: string): Line {
  const payload = {
    header: { intercept_access_type: access, rip: '0x401000' },
    memory_access_info: info,
    guest_virtual_address: gva,
    guest_physical_address: gpa,
  };
  return { returns, ret: 0, out: message('HVMSG_GPA_INTERCEPT', payload) };
}

/** What MSHV_RUN_VP writes back, as the reader of event text gives it. */
function message(type: string, payload: object): { data: Uint8Array } {
  const read = runMessageFromObject({ type, payload });
  if (!read.ok) throw new Error(`${read.error.path} ${read.error.message}`);
  return { data: read.bytes };
}

export function setRegister(name: string, value: string): Line {
  const elements = [{ name: `HV_X64_REGISTER_${name}`, value }];
  return hypercall('SET_VP_REGISTERS', { ...VP, elements }, { done: 1 });
}

export function getRegister(name: string, value: string): Line {
  const names = [`HV_X64_REGISTER_${name}`];
  return hypercall('GET_VP_REGISTERS', { ...VP, names }, { done: 1, output: { values: [value] } });
}

/** The register page is written (or shown) by somebody; without its fields as a whole, by bytes. */
export function registerPageLine(
  what: string,
  shown: object | { readonly bytes: Readonly<Record<string, string>> },
  component = 'vmm',
): Line {
  const content = 'bytes' in shown ? shown : { fields: shown };
  return { kind: 'page', what, component, vp: '2.0', page: 'register', ...content };
}
