import { highHalf, lowHalf, registers } from '../../abi/index.ts';
import { SINT_COUNT, STIMER_COUNT } from '../cells/cpu.ts';
import { groupAt } from '../cells/place.ts';
import { CRASH_COUNT, MMX_COUNT, VP, XMM_COUNT } from '../cells/vp.ts';

/** Some bits of a register that have a cell: `bits` from bit `shift` of the low (0) or high (1) 64. */
export interface Part {
  readonly slot: number;
  readonly word: 0 | 1;
  readonly shift: bigint;
  readonly mask: bigint;
}

/** Where a register is kept. */
export interface Place {
  readonly parts: readonly Part[];
  /** The slot of a register of up to 64 bits that is one cell as it stands, as most are. */
  readonly whole: number | undefined;
  /** Its bit in `stale`, counted over all words. */
  readonly index: number;
  /** The same as the slot of the word, and the bit in one of its halves. */
  readonly stale: { readonly slot: number; readonly low: number; readonly high: number };
}

const U16 = 0xffffn;
const U32 = 0xffff_ffffn;
const U64 = 0xffff_ffff_ffff_ffffn;

function part(slot: number, word: 0 | 1 = 0, shift = 0n, mask = U64): Part {
  return { slot, word, shift, mask };
}

/** A register of up to 64 bits. */
const plain = (slot: number): Part[] => [part(slot)];
const wide = ({ low, high }: { readonly low: number; readonly high: number }): Part[] => [
  part(low),
  part(high, 1),
];
type Segment = typeof VP.slots.reg.cs;
/** hv_x64_segment_register (Linux 7.2 include/hyperv). */
const segment = ({ base, limit, selector, attributes }: Segment): Part[] => [
  part(base),
  part(limit, 1, 0n, U32),
  part(selector, 1, 32n, U16),
  part(attributes, 1, 48n, U16),
];
/** hv_x64_table_register. */
const table = ({ base, limit }: typeof VP.slots.reg.idtr): Part[] => [
  part(limit, 0, 48n, U16),
  part(base, 1),
];

const { reg, synic } = VP.slots;

function rows(): [name: string, parts: Part[]][] {
  const list: [string, Part[]][] = [
    ...(['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11'] as const).map(
      (name): [string, Part[]] => [name.toUpperCase(), plain(reg[name])],
    ),
    ...(
      ['r12', 'r13', 'r14', 'r15', 'rip', 'rflags', 'cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'xfem'] as const
    ).map((name): [string, Part[]] => [name.toUpperCase(), plain(reg[name])]),
    ...(['dr0', 'dr1', 'dr2', 'dr3', 'dr6', 'dr7', 'efer', 'pat', 'star', 'lstar', 'cstar'] as const).map(
      (name): [string, Part[]] => [name.toUpperCase(), plain(reg[name])],
    ),
    ...(['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'] as const).map((name): [string, Part[]] => [
      name.toUpperCase(),
      segment(reg[name]),
    ]),
    ['IDTR', table(reg.idtr)],
    ['GDTR', table(reg.gdtr)],
    ['KERNEL_GS_BASE', plain(reg.kernelGsBase)],
    ['APIC_BASE', plain(reg.apicBase)],
    ['SYSENTER_CS', plain(reg.sysenterCs)],
    ['SYSENTER_EIP', plain(reg.sysenterEip)],
    ['SYSENTER_ESP', plain(reg.sysenterEsp)],
    ['SFMASK', plain(reg.sfmask)],
    ['FP_CONTROL_STATUS', wide(reg.fpControlStatus)],
    ['XMM_CONTROL_STATUS', wide(reg.xmmControlStatus)],
    ['PENDING_INTERRUPTION', plain(reg.pendingInterruption)],
    ['INTERRUPT_STATE', plain(reg.interruptState)],
    ['PENDING_EVENT0', wide(reg.pendingEvent0)],
    ['PENDING_EVENT1', wide(reg.pendingEvent1)],
    ['HYPERCALL', plain(reg.hypercall)],
    ['GUEST_OS_ID', plain(reg.guestOsId)],
    ['VP_INDEX', plain(reg.vpIndex)],
    ['VP_ASSIST_PAGE', plain(reg.vpAssist)],
    ['REFERENCE_TSC', plain(reg.referenceTsc)],
    ['GUEST_CRASH_CTL', plain(reg.crashControl)],
    ['SCONTROL', plain(synic.scontrol)],
    ['SIEFP', plain(synic.siefp)],
    ['SIMP', plain(synic.simp)],
    ['EOM', plain(synic.eom)],
    ['INTERNAL_ACTIVITY_STATE', plain(reg.internalActivity)],
  ];
  const wides = { XMM: [reg.xmm, XMM_COUNT], FP_MMX: [reg.mmx, MMX_COUNT] } as const;
  for (const [name, [group, count]] of Object.entries(wides)) {
    for (let i = 0; i < count; i++) {
      const at = groupAt(group, i);
      list.push([`${name}${i}`, [part(at + group.slots.low), part(at + group.slots.high, 1)]]);
    }
  }
  for (let i = 0; i < CRASH_COUNT; i++) list.push([`GUEST_CRASH_P${i}`, plain(reg.crash.first + i)]);
  for (let i = 0; i < SINT_COUNT; i++) list.push([`SINT${i}`, plain(synic.sint.first + i)]);
  for (let i = 0; i < STIMER_COUNT; i++) {
    const at = groupAt(synic.timer, i);
    list.push([`STIMER${i}_CONFIG`, plain(at + synic.timer.slots.config)]);
    list.push([`STIMER${i}_COUNT`, plain(at + synic.timer.slots.count)]);
  }
  return list;
}

const WORD_BITS = 64;

function placeOf(parts: readonly Part[], index: number): Place {
  const [first] = parts;
  const isWhole = parts.length === 1 && first?.word === 0 && first.shift === 0n && first.mask === U64;
  const bit = 1n << BigInt(index % WORD_BITS);
  const slot = VP.slots.stale.first + Math.floor(index / WORD_BITS);
  return {
    parts,
    whole: isWhole ? first.slot : undefined,
    index,
    stale: { slot, low: lowHalf(bit), high: highHalf(bit) },
  };
}

/** Registers that have cells of their own, by name code. */
export const PLACES: ReadonlyMap<number, Place> = new Map(
  rows().map(([name, parts], index) => [registers.number(name), placeOf(parts, index)]),
);
