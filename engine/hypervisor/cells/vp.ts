import { cell, cells, groups, objectKind } from '../../state/schema.ts';
import {
  msrHint,
  queuedCells,
  STIMER_COUNT,
  synicControl,
  synicInterrupts,
  synicMessages,
  synicTimers,
} from './cpu.ts';
import { PARTITION } from './partition.ts';

const segment = () => ({ base: cell(), limit: cell(), selector: cell(), attributes: cell() });
const table = () => ({ base: cell(), limit: cell() });
const wide = () => ({ low: cell(), high: cell() });

/** 256 bits in words of 32, as an APIC has them (Intel SDM 3, 12.8.4). */
const vectors = () => cells(8, () => ({ as: 'hex' }));

export const XMM_COUNT = 16;
export const MMX_COUNT = 8;
export const CRASH_COUNT = 5;

/** Registers that have cells of their own, in the order of their names (Linux 7.2 hvgdk: enum hv_register_name). */
function registerCells() {
  return {
    ...{
      rax: cell(),
      rcx: cell(),
      rdx: cell(),
      rbx: cell(),
      rsp: cell(),
      rbp: cell(),
      rsi: cell(),
      rdi: cell(),
    },
    ...{
      r8: cell(),
      r9: cell(),
      r10: cell(),
      r11: cell(),
      r12: cell(),
      r13: cell(),
      r14: cell(),
      r15: cell(),
    },
    ...{ rip: cell(), rflags: cell() },
    ...{ cr0: cell(), cr2: cell(), cr3: cell(), cr4: cell(), cr8: cell(), xfem: cell() },
    ...{ dr0: cell(), dr1: cell(), dr2: cell(), dr3: cell(), dr6: cell(), dr7: cell() },
    ...{ es: segment(), cs: segment(), ss: segment(), ds: segment(), fs: segment(), gs: segment() },
    ...{ ldtr: segment(), tr: segment(), idtr: table(), gdtr: table() },
    ...{ efer: cell(), kernelGsBase: cell(), apicBase: cell(), pat: cell() },
    ...{ sysenterCs: cell(), sysenterEip: cell(), sysenterEsp: cell() },
    ...{ star: cell(), lstar: cell(), cstar: cell(), sfmask: cell() },
    xmm: groups(XMM_COUNT, wide),
    mmx: groups(MMX_COUNT, wide),
    ...{ fpControlStatus: wide(), xmmControlStatus: wide() },
    ...{ pendingInterruption: cell(), interruptState: cell(), pendingEvent0: wide(), pendingEvent1: wide() },
    hypercall: cell(msrHint('HYPERCALL')),
    guestOsId: cell(msrHint('GUEST_OS_ID')),
    vpIndex: cell('dec'),
    vpAssist: cell(msrHint('VP_ASSIST_PAGE')),
    referenceTsc: cell(msrHint('REFERENCE_TSC')),
    crash: cells(CRASH_COUNT, () => ({ as: 'hex' })),
    crashControl: cell(),
    /** What it waits for besides its suspensions: bit 0, a start-up interrupt (hv_internal_activity_register). */
    internalActivity: cell(),
    ...{ reenlightenment: cell(), tscEmulation: cell(), tscEmulationStatus: cell(), tscInvariant: cell() },
  };
}

/** `suspended`: explicitly; `idle`: its guest waits for an interrupt. */
export const BLOCKED = ['no', 'suspended', 'idle'] as const;

/** A virtual processor of a child partition. */
export const VP = objectKind('vp', PARTITION, 'decimal', {
  suspend: { explicit: cell('bool', 1n), intercept: cell('bool'), dispatch: cell('bool') },
  /** Scheduler signals sent for it (HV_REGISTER_VP_ROOT_SIGNAL_COUNT). */
  signals: cell('dec'),
  /** What its parent asked to be told of (HV_X64_REGISTER_DELIVERABILITY_NOTIFICATIONS). */
  deliverability: cell('hex'),
  /** Why its last dispatch was answered BLOCKED, until its parent is signalled. */
  blocked: cell({ as: 'enum', names: BLOCKED }),
  /** Frames of the mapped state pages; 0 = not mapped (Linux 7.2 hvhdk: enum hv_vp_state_page_type). */
  page: { registers: cell('pfn'), intercept: cell('pfn'), ghcb: cell('pfn') },
  /**
   * The register page: it shows the VP, which has stopped since it was mapped; what the parent has marked as changed
   * (HV_X64_REGISTER_CLASS_…) and put there, and the VP has not taken.
   */
  registerPage: { shown: cell('bool'), dirty: cell('hex'), written: cell('bytes') },
  stats: { self: cell('pfn'), parent: cell('pfn') },
  /** It has been let run, and nothing has told yet what the guest did with its registers. */
  ran: cell('bool'),
  /** Registers of which the value is not known any more, a bit each, since the guest ran unseen. */
  stale: cells(3, () => ({ as: 'hex' })),
  reg: registerCells(),
  synic: { ...synicControl(''), ...synicInterrupts(''), timer: synicTimers(), ...synicMessages() },
  /** The state of its timers as a call gave or took it whole; their registers stand in `synic`. */
  given: { timers: cell('bytes') },
  /** Interrupts that its parent put on its register page: how many, then vectors (hv_vp_register_page_interrupt_vectors). */
  injected: cell('hex'),
  /** Number of the next message that has to wait for its slot. */
  nextQueued: cell('dec'),
  /** The message of its last intercept, as the intercept page has it. */
  intercept: { type: cell(), content: cell('bytes') },
  /** Registers of its LAPIC (Intel SDM 3, 12.4); those of vectors stand in `interrupt`, the task priority in CR8. */
  lapic: {
    /** Its state as a call gave or took it whole, and whether it still is that. */
    ...{ content: cell('bytes'), certain: cell('bool', 1n) },
    /** The guest's own accesses are in the trace. */
    seen: cell('bool'),
    ...{ id: cell('dec'), ldr: cell(), dfr: cell('hex', 0xffff_ffffn), svr: cell('hex', 0xffn) },
    /** Errors that are shown, and those since. */
    ...{ esr: cell(), errors: cell() },
    ...{ icrLow: cell(), icrHigh: cell() },
    lvt: cells(7, () => ({ as: 'hex' }), 0x10000n),
    ...{ initialCount: cell('dec'), divide: cell() },
    /** When its timer reaches 0, in the time of the trace; 0 = it does not count. */
    due: cell('time'),
  },
  /** When a timer that its guest started expires, in the time of the trace; 0 = not, or it cannot be known. */
  timerDue: cells(STIMER_COUNT, () => ({ as: 'time' })),
  /**
   * Interrupts, a bit for each vector: requested, in service, and of these level-triggered; the EXTINT and the NMI that wait.
   */
  interrupt: { irr: vectors(), isr: vectors(), tmr: vectors(), extint: cell(), nmi: cell('bool') },
});

/** `partition[2].vp[0].queued[7]`: a message that waits for its slot. */
export const VP_QUEUED = objectKind('queued', VP, 'decimal', queuedCells());

/** `partition[2].vp[0].reg[0x8000d]`: a register without a cell of its own, once it has a value. */
export const VP_REGISTER = objectKind('reg', VP, 'hex', wide());
