/** One instruction of classic BPF, or a label (Linux include/uapi/linux/filter.h). */
export type Line =
  | { readonly label: string }
  | { readonly op: 'load'; readonly offset: number }
  | { readonly op: 'and'; readonly value: number }
  | {
      readonly op: 'equal' | 'at-least' | 'any-of';
      readonly value: number;
      /** Labels further down; without one the next instruction. */
      readonly yes?: string;
      readonly no?: string;
    }
  | { readonly op: 'go'; readonly to: string }
  | { readonly op: 'return'; readonly value: number };

const CODES = {
  load: 0x20,
  and: 0x54,
  equal: 0x15,
  'at-least': 0x35,
  'any-of': 0x45,
  go: 0x05,
  return: 0x06,
} as const;

/** sizeof(struct sock_filter). */
const INSTRUCTION_BYTES = 8;
/** Jumps on a condition count in 8 bits. */
const FARTHEST = 255;

/** Assembles a program. Jumps lead forward only; a label that does not exist, or is too far, is a mistake. */
export function assemble(lines: readonly Line[]): Uint8Array {
  const places = new Map<string, number>();
  let count = 0;
  for (const line of lines) {
    if ('label' in line) places.set(line.label, count);
    else count++;
  }
  const bytes = new Uint8Array(count * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const distance = (label: string | undefined, farthest: number): number => {
    if (label === undefined) return 0;
    const jump = (places.get(label) ?? -1) - at - 1;
    if (jump < 0 || jump > farthest) throw new Error(`no jump from ${at} to ${label}`);
    return jump;
  };
  for (const line of lines) {
    if ('label' in line) continue;
    const offset = at * INSTRUCTION_BYTES;
    view.setUint16(offset, CODES[line.op], true);
    if (line.op === 'equal' || line.op === 'at-least' || line.op === 'any-of') {
      bytes[offset + 2] = distance(line.yes, FARTHEST);
      bytes[offset + 3] = distance(line.no, FARTHEST);
    }
    const value =
      line.op === 'load' ? line.offset : line.op === 'go' ? distance(line.to, 2 ** 32) : line.value;
    view.setUint32(offset + 4, value >>> 0, true);
    at++;
  }
  return bytes;
}
