import { msrs } from '../../abi/index.ts';
import { type CellHint, cell, cells, groups, objectKind, singleCellKind } from '../../state/schema.ts';

/** SINTs of a SynIC, and synthetic timers of a virtual processor (TLFS, SynIC). */
export const SINT_COUNT = 16;
export const STIMER_COUNT = 4;

/** Shown as that MSR's fields. */
export function msrHint(name: string): CellHint {
  return { as: 'msr', msr: msrs.number(name) };
}

/** Prefix of the names of a register file's registers. */
type Prefix = '' | 'NESTED_';

/** Control registers of a register file. */
export function synicControl(prefix: Prefix) {
  return {
    scontrol: cell(msrHint(`${prefix}SCONTROL`)),
    siefp: cell(msrHint(`${prefix}SIEFP`)),
    simp: cell(msrHint(`${prefix}SIMP`)),
  };
}

/** Its EOM and SINTs. */
export function synicInterrupts(prefix: Prefix) {
  const sint0 = msrs.number(`${prefix}SINT0`);
  return {
    /** The last value written; it reads as 0. */
    eom: cell('hex'),
    sint: cells(SINT_COUNT, (index) => ({ as: 'msr', msr: sint0 + index }), 0x10000n),
  };
}

/** What else the SynIC of one register file holds. */
export function synicMessages() {
  return {
    /** Message page: one slot for each SINT (TLFS, SIM page). */
    slot: groups(SINT_COUNT, () => ({
      filled: cell('bool'),
      type: cell('hex'),
      flags: cell({ as: 'flags', names: ['msg_pending'] }),
      content: cell('bytes'),
      /** Messages that wait for the slot. */
      queued: cell('dec'),
    })),
    /** Messages lost because the SynIC or its message page was off. */
    dropped: cell('dec'),
    /** The component that last switched SCONTROL off while it was on; none while it is on. */
    disabledBy: cell('bytes'),
  };
}

/** Synthetic timers. */
export function synicTimers() {
  return groups(STIMER_COUNT, (index) => ({
    config: cell(msrHint(`STIMER${index}_CONFIG`)),
    count: cell('dec'),
  }));
}

/** A CPU of the partition that the trace is about, with its SynIC and that of the nested register file. */
export const CPU = objectKind('cpu', undefined, 'decimal', {
  online: cell('bool', 1n),
  /** Number of the next message that has to wait for its slot. */
  nextQueued: cell('dec'),
  synic: {
    ...synicControl(''),
    sirbp: cell(msrHint('SIRBP')),
    ...synicInterrupts(''),
    timer: synicTimers(),
    ...synicMessages(),
  },
  nested: { synic: { ...synicControl('NESTED_'), ...synicInterrupts('NESTED_'), ...synicMessages() } },
});

/** `cpu[0].msr[0x40000073]`: what a read of this MSR gives on this CPU. */
export const CPU_MSR = singleCellKind('msr', CPU, 'hex', 'hex');

/** A message that waits for its slot. */
export function queuedCells() {
  return { nested: cell('bool'), sint: cell('dec'), content: cell('bytes') };
}

/** `cpu[0].queued[7]`: a message that waits for its slot. */
export const QUEUED = objectKind('queued', CPU, 'decimal', queuedCells());

/** Slots of the cells that both register files have. */
export type SynicSlots = typeof CPU.slots.nested.synic;
