/** Which registers changed, told from the machine's own words: no number of 128 bits is made of one that did not. */
import { registers } from '../abi/index.ts';
import { readFlags } from './flags.ts';
import { GPR_COUNT, type Machine, XMM_COUNT } from './machine.ts';

const name = (text: string): number => registers.number(`HV_X64_REGISTER_${text}`);
const FIRST_GENERAL = name('RAX');
const FIRST_XMM = name('XMM0');
const FIRST_MMX = name('FP_MMX0');
const MMX_COUNT = 8;
const FP_CONTROL_STATUS = name('FP_CONTROL_STATUS');
const XMM_CONTROL_STATUS = name('XMM_CONTROL_STATUS');
const FIRST_SEGMENT = name('ES');
const SEGMENTS = 8;
/** Of a segment: base, limit, selector, attributes. */
const SEGMENT_WORDS = 4;
/** All but the general registers and the segments, in exact numbers; the parts of one register stand together. */
const SINGLE: readonly { readonly name: number; readonly get: (m: Machine) => number }[] = [
  { name: name('RIP'), get: (m) => m.ip },
  { name: name('RFLAGS'), get: readFlags },
  { name: name('IDTR'), get: (m) => m.idtBase },
  { name: name('IDTR'), get: (m) => m.idtLimit },
  { name: name('GDTR'), get: (m) => m.gdtBase },
  { name: name('GDTR'), get: (m) => m.gdtLimit },
  { name: name('CR0'), get: (m) => m.cr0 },
  { name: name('CR2'), get: (m) => m.cr2 },
  { name: name('CR3'), get: (m) => m.cr3 },
  { name: name('CR4'), get: (m) => m.cr4 },
  { name: name('CR8'), get: (m) => m.cr8 },
  { name: name('XMM_CONTROL_STATUS'), get: (m) => m.mxcsr },
  { name: name('EFER'), get: (m) => m.efer },
  { name: name('KERNEL_GS_BASE'), get: (m) => m.kernelGsBase },
  { name: name('LSTAR'), get: (m) => m.lstar },
  { name: name('SFMASK'), get: (m) => m.sfmask },
  { name: name('STAR'), get: (m) => m.starHigh },
  { name: name('STAR'), get: (m) => m.starLow },
  { name: name('XFEM'), get: (m) => m.xcr0 },
  { name: name('SYSENTER_CS'), get: (m) => m.sysenterCs },
  { name: name('SYSENTER_EIP'), get: (m) => m.sysenterEip },
  { name: name('SYSENTER_ESP'), get: (m) => m.sysenterEsp },
  ...[0, 1, 2, 3, 6, 7].map((index) => ({
    name: name(`DR${index}`),
    get: (m: Machine) => m.dr[index] as number,
  })),
];

export class RegisterWatch {
  readonly #machine: Machine;
  readonly #general: Int32Array;
  readonly #segments = new Float64Array(SEGMENTS * SEGMENT_WORDS);
  readonly #single: Float64Array;
  readonly #xmm = new Int32Array(4 * XMM_COUNT);
  readonly #fpStack = new Int32Array(4 * MMX_COUNT);
  #fpWords = 0;
  #fpLast = 0n;
  #fpData = 0n;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#general = new Int32Array(2 * GPR_COUNT);
    this.#single = new Float64Array(SINGLE.length);
    this.changed();
  }

  /** Names of the registers that are not as they were when this was last asked. */
  changed(): number[] {
    const names: number[] = [];
    const m = this.#machine;
    const general = this.#general;
    for (let i = 0; i < GPR_COUNT; i += 1) {
      const low = m.g32[2 * i] as number;
      const high = m.g32[2 * i + 1] as number;
      if (general[2 * i] === low && general[2 * i + 1] === high) continue;
      general[2 * i] = low;
      general[2 * i + 1] = high;
      names.push(FIRST_GENERAL + i);
    }
    for (let i = 0; i < SEGMENTS; i += 1) if (this.#segmentChanged(i)) names.push(FIRST_SEGMENT + i);
    const single = this.#single;
    for (let i = 0; i < single.length; i += 1) {
      const register = SINGLE[i] as (typeof SINGLE)[number];
      const value = register.get(m);
      if (single[i] === value) continue;
      single[i] = value;
      if (names.at(-1) !== register.name) names.push(register.name);
    }
    if (m.xmmTouched) this.#xmmChanged(names);
    if (m.fpTouched) this.#fpChanged(names);
    return names;
  }

  #xmmChanged(names: number[]): void {
    const m = this.#machine;
    m.xmmTouched = false;
    for (let at = 0; at < 4 * XMM_COUNT; at += 1) {
      if (this.#xmm[at] === m.x32[at]) continue;
      this.#xmm[at] = m.x32[at]!;
      const register = FIRST_XMM + (at >> 2);
      if (names.at(-1) !== register) names.push(register);
    }
  }

  #fpChanged(names: number[]): void {
    const m = this.#machine;
    m.fpTouched = false;
    const words = m.fpTags * 0x1_0000_0000 + m.fpStatus * 0x1_0000 + m.fpControl;
    if (words !== this.#fpWords || m.fpLast !== this.#fpLast) names.push(FP_CONTROL_STATUS);
    if (m.fpData !== this.#fpData && !names.includes(XMM_CONTROL_STATUS)) names.push(XMM_CONTROL_STATUS);
    this.#fpWords = words;
    this.#fpLast = m.fpLast;
    this.#fpData = m.fpData;
    for (let r = 0; r < MMX_COUNT; r += 1) {
      const old = this.#fpStack.subarray(4 * r, 4 * r + 4);
      const now = m.fpStack.subarray(4 * r, 4 * r + 4);
      if (now.every((word, n) => word === old[n])) continue;
      old.set(now);
      names.push(FIRST_MMX + r);
    }
  }

  #segmentChanged(index: number): boolean {
    const m = this.#machine;
    const words = this.#segments;
    const at = index * SEGMENT_WORDS;
    const base = m.bases[index] as number;
    const limit = m.limits[index] as number;
    const selector = m.selectors[index] as number;
    const attributes = m.attributes[index] as number;
    if (
      words[at] === base &&
      words[at + 1] === limit &&
      words[at + 2] === selector &&
      words[at + 3] === attributes
    )
      return false;
    words[at] = base;
    words[at + 1] = limit;
    words[at + 2] = selector;
    words[at + 3] = attributes;
    return true;
  }
}
