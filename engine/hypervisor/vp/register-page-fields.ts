import { constantNumber, fieldOf, readU64, registers, writeField } from '../../abi/index.ts';
import type { PageBytes } from '../../trace/event.ts';
import type { Wide } from './values.ts';

/** The register page (Linux 7.2 include/hyperv/hvhdk.h, hv_vp_register_page). */
const STRUCT = 'hv_vp_register_page';
const WORD_BYTES = 8;
const LOW = { ...fieldOf('hv_register_value', 'reg64'), offset: 0 };

/** A register on the page; `dirty`: the bit that says a parent has changed one of its class, 0 for those it cannot change. */
export interface PageField {
  readonly register: number;
  readonly offset: number;
  readonly bytes: number;
  readonly dirty: number;
}

function fields(group: string | undefined, names: readonly string[]): PageField[] {
  const dirty = group === undefined ? 0 : 1 << constantNumber(`HV_X64_REGISTER_CLASS_${group}`);
  return names.map((name) => {
    const { offset, length } = fieldOf(STRUCT, name);
    return { register: registers.number(name.toUpperCase()), offset, bytes: length, dirty };
  });
}

const GENERAL = [
  ...['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'],
  ...['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'],
];

/** In the order in which they stand there, by the classes of their dirty bits (HV_X64_REGISTER_CLASS_…). */
export const PAGE_FIELDS: readonly PageField[] = [
  ...fields('GENERAL', GENERAL),
  ...fields('IP', ['rip']),
  ...fields('FLAGS', ['rflags']),
  ...fields('XMM', ['xmm0', 'xmm1', 'xmm2', 'xmm3', 'xmm4', 'xmm5']),
  ...fields('SEGMENT', ['es', 'cs', 'ss', 'ds', 'fs', 'gs']),
  ...fields(undefined, ['cr0', 'cr3', 'cr4', 'cr8', 'efer', 'dr7']),
  ...fields(undefined, ['pending_interruption', 'interrupt_state', 'instruction_emulation_hints', 'xfem']),
];

export function readPageField(page: Uint8Array, { offset, bytes }: PageField): Wide {
  return {
    low: readU64(page, { ...LOW, offset }),
    high: bytes === WORD_BYTES ? 0n : readU64(page, { ...LOW, offset: offset + WORD_BYTES }),
  };
}

export function writePageField(page: Uint8Array, { offset, bytes }: PageField, { low, high }: Wide): void {
  writeField(page, { ...LOW, offset }, low);
  if (bytes !== WORD_BYTES) writeField(page, { ...LOW, offset: offset + WORD_BYTES }, high);
}

/** Whether some of these bytes are a register's. */
export function touches(parts: readonly PageBytes[], { offset, bytes }: PageField): boolean {
  return parts.some((part) => part.offset < offset + bytes && part.offset + part.bytes.length > offset);
}
