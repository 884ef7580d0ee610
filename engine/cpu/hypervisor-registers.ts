/** The registers by their hypervisor names (TLFS, virtual processor register names), as numbers of up to 128 bits. */
import { registers } from '../abi/index.ts';
import { setCr0, setEfer } from './exec/system.ts';
import { EVERY_FLAG, readFlags, writeFlags } from './flags.ts';
import { GPR_COUNT, type Machine, XMM_COUNT } from './machine.ts';
import { flushTranslations } from './memory.ts';
import { setSegment } from './segment-state.ts';

interface Access {
  readonly get: (m: Machine) => bigint;
  readonly set: (m: Machine, value: bigint) => void;
}

const U16 = 0xffffn;
const U32 = 0xffffffffn;
const U64 = 0xffffffffffffffffn;
const name = (text: string): number => registers.number(`HV_X64_REGISTER_${text}`);

/** hv_x64_segment_register: base 0..63, limit 64..95, selector 96..111, attributes 112..127. */
function segment(index: number): Access {
  return {
    get: (m) =>
      BigInt.asUintN(64, BigInt(m.bases[index]!)) |
      (BigInt(m.limits[index]!) << 64n) |
      (BigInt(m.selectors[index]!) << 96n) |
      (BigInt(m.attributes[index]!) << 112n),
    set: (m, value) =>
      setSegment(
        m,
        index,
        Number((value >> 96n) & U16),
        signedNumber(value),
        Number((value >> 64n) & U32),
        Number((value >> 112n) & U16),
      ),
  };
}

/** hv_x64_table_register: limit 48..63, base 64..127. */
function tableRegister(
  get: (m: Machine) => { base: number; limit: number },
  set: (m: Machine, base: number, limit: number) => void,
): Access {
  return {
    get: (m) => (BigInt.asUintN(64, BigInt(get(m).base)) << 64n) | (BigInt(get(m).limit) << 48n),
    set: (m, value) => set(m, signedNumber(value >> 64n), Number((value >> 48n) & U16)),
  };
}

/** An address of 64 bits as memory.ts has them. */
function signedNumber(value: bigint): number {
  return Number(BigInt.asIntN(64, value));
}

/** A whole register that holds an address. */
function address(get: (m: Machine) => number, set: (m: Machine, value: number) => void): Access {
  return { get: (m) => BigInt.asUintN(64, BigInt(get(m))), set: (m, value) => set(m, signedNumber(value)) };
}

function plain(get: (m: Machine) => number, set: (m: Machine, value: number) => void): Access {
  return { get: (m) => BigInt(get(m)), set: (m, value) => set(m, Number(value & U32)) };
}

function general(index: number): Access {
  return {
    get: (m) => m.g64[index]!,
    set: (m, value) => {
      m.g64[index] = value & U64;
    },
  };
}

const debug = (index: number): Access =>
  address(
    (m) => m.dr[index]!,
    (m, value) => {
      m.dr[index] = value;
    },
  );

const accesses = new Map<number, Access>([
  ...Array.from({ length: GPR_COUNT }, (_, index): [number, Access] => [name('RAX') + index, general(index)]),
  ...Array.from({ length: 8 }, (_, index): [number, Access] => [name('ES') + index, segment(index)]),
  [
    name('RIP'),
    address(
      (m) => m.ip,
      (m, value) => {
        m.ip = value;
      },
    ),
  ],
  [name('RFLAGS'), plain(readFlags, (m, value) => writeFlags(m, value, EVERY_FLAG))],
  [
    name('IDTR'),
    tableRegister(
      (m) => ({ base: m.idtBase, limit: m.idtLimit }),
      (m, base, limit) => {
        m.idtBase = base;
        m.idtLimit = limit;
      },
    ),
  ],
  [
    name('GDTR'),
    tableRegister(
      (m) => ({ base: m.gdtBase, limit: m.gdtLimit }),
      (m, base, limit) => {
        m.gdtBase = base;
        m.gdtLimit = limit;
      },
    ),
  ],
  [
    name('CR0'),
    plain(
      (m) => m.cr0,
      (m, value) => {
        setCr0(m, value);
      },
    ),
  ],
  [
    name('CR2'),
    address(
      (m) => m.cr2,
      (m, value) => {
        m.cr2 = value;
      },
    ),
  ],
  [
    name('CR3'),
    address(
      (m) => m.cr3,
      (m, value) => {
        if (m.cr3 !== value) flushTranslations(m);
        m.cr3 = value;
      },
    ),
  ],
  [
    name('CR4'),
    plain(
      (m) => m.cr4,
      (m, value) => {
        if (m.cr4 !== value) flushTranslations(m);
        m.cr4 = value;
      },
    ),
  ],
  [
    name('CR8'),
    plain(
      (m) => m.cr8,
      (m, value) => {
        m.cr8 = value;
      },
    ),
  ],
  [name('EFER'), plain((m) => m.efer, setEfer)],
  [
    name('XFEM'),
    plain(
      (m) => m.xcr0,
      (m, value) => {
        m.xcr0 = value & 3;
      },
    ),
  ],
  [
    name('KERNEL_GS_BASE'),
    address(
      (m) => m.kernelGsBase,
      (m, value) => {
        m.kernelGsBase = value;
      },
    ),
  ],
  [
    name('LSTAR'),
    address(
      (m) => m.lstar,
      (m, value) => {
        m.lstar = value;
      },
    ),
  ],
  [
    name('SYSENTER_CS'),
    plain(
      (m) => m.sysenterCs,
      (m, value) => {
        m.sysenterCs = value;
      },
    ),
  ],
  [
    name('SYSENTER_EIP'),
    address(
      (m) => m.sysenterEip,
      (m, value) => {
        m.sysenterEip = value;
      },
    ),
  ],
  [
    name('SYSENTER_ESP'),
    address(
      (m) => m.sysenterEsp,
      (m, value) => {
        m.sysenterEsp = value;
      },
    ),
  ],
  [
    name('SFMASK'),
    plain(
      (m) => m.sfmask,
      (m, value) => {
        m.sfmask = value;
      },
    ),
  ],
  [
    // The lower half is the entry point of SYSCALL from 32-bit code, which nothing here reads.
    name('STAR'),
    {
      get: (m) => (BigInt(m.starHigh) << 32n) | BigInt(m.starLow),
      set: (m, value) => {
        m.starHigh = Number((value >> 32n) & U32);
        m.starLow = Number(value & U32);
      },
    },
  ],
  ...[0, 1, 2, 3, 6, 7].map((index): [number, Access] => [name(`DR${index}`), debug(index)]),
  [
    // hv_x64_fp_control_status_register: control word 0..15, status word 16..31, tags as FXSAVE's 32..39, last opcode 48..63,
    // last instruction 64..127.
    name('FP_CONTROL_STATUS'),
    {
      get: (m) => (m.fpLast << 48n) | BigInt(m.fpTags * 0x1_0000_0000 + m.fpStatus * 0x1_0000 + m.fpControl),
      set: (m, value) => {
        m.fpControl = Number(value & U16);
        m.fpStatus = Number((value >> 16n) & U16);
        m.fpTags = Number((value >> 32n) & 0xffn);
        m.fpLast = BigInt.asUintN(80, value >> 48n);
        m.fpTouched = true;
      },
    },
  ],
  // hv_x64_fp_register: significand 0..63, exponent and sign 64..79. In FXSAVE's order, from the top of the stack on: VMMs fill
  // them from KVM's kvm_fpu, which has that (rust-vmm mshv, FloatingPointUnit; QEMU target/i386/mshv).
  ...Array.from({ length: 8 }, (_, r): [number, Access] => [
    name(`FP_MMX${r}`),
    {
      get: (m) => [2, 1, 0].reduce((value, n) => (value << 32n) | BigInt(m.fpStack[4 * r + n]! >>> 0), 0n),
      set: (m, value) => {
        for (const n of [0, 1, 2])
          m.fpStack[4 * r + n] = Number(BigInt.asIntN(32, BigInt.asUintN(80, value) >> BigInt(32 * n)));
        m.fpTouched = true;
      },
    },
  ]),
  ...Array.from({ length: XMM_COUNT }, (_, r): [number, Access] => [
    name(`XMM${r}`),
    {
      get: (m) => (m.x64[2 * r + 1]! << 64n) | m.x64[2 * r]!,
      set: (m, value) => {
        m.x64[2 * r] = BigInt.asUintN(64, value);
        m.x64[2 * r + 1] = BigInt.asUintN(64, value >> 64n);
        m.xmmTouched = true;
      },
    },
  ]),
  [
    // hv_x64_xmm_control_status_register: the x87 unit's last operand 0..63, MXCSR 64..95, the bits that it has 96..127.
    name('XMM_CONTROL_STATUS'),
    {
      get: (m) => (0xffffn << 96n) | (BigInt(m.mxcsr) << 64n) | m.fpData,
      set: (m, value) => {
        m.fpData = value & U64;
        m.mxcsr = Number((value >> 64n) & 0xffffn);
      },
    },
  ],
  [
    name('TSC'),
    {
      get: (m) => m.timeStamp,
      set: (m, value) => {
        m.timeStamp = value & U64;
      },
    },
  ],
  [
    // What is added to the time: where each processor counts its own instructions, the count so far goes with it.
    name('TSC_ADJUST'),
    {
      get: (m) => (m.clock === undefined ? m.timeStamp : BigInt.asUintN(64, m.tscOffset)),
      set: (m, value) => {
        if (m.clock === undefined) m.timeStamp = value & U64;
        else m.tscOffset = BigInt.asIntN(64, value);
      },
    },
  ],
  [
    name('TSC_AUX'),
    plain(
      (m) => m.tscAux,
      (m, value) => {
        m.tscAux = value | 0;
      },
    ),
  ],
  [
    registers.number('HV_REGISTER_INTERRUPT_STATE'),
    {
      get: (m) => (m.interruptShadow ? 1n : 0n) | (m.nmiBlocked ? 2n : 0n),
      set: (m, value) => {
        m.interruptShadow = (value & 1n) !== 0n;
        m.nmiBlocked = (value & 2n) !== 0n;
      },
    },
  ],
]);

/** True for the registers that the processor works with itself. All others it keeps as they were written. */
export function isProcessorRegister(register: number): boolean {
  return accesses.has(register);
}

/** The value of a register; 0 for one that nobody wrote. */
export function getRegister(m: Machine, register: number): bigint {
  const access = accesses.get(register);
  return access === undefined ? (m.kept.get(register) ?? 0n) : access.get(m);
}

export function setRegister(m: Machine, register: number, value: bigint): void {
  const access = accesses.get(register);
  if (access === undefined) m.kept.set(register, BigInt.asUintN(128, value));
  else access.set(m, value);
}
