import { msrs } from '../../abi/index.ts';
import { CPU, STIMER_COUNT } from '../cells/cpu.ts';
import { cellAt, groupAt } from '../cells/place.ts';
import { KVM_INACTIVE, refusesInactive } from './policy.ts';
import { type AccessRule, answered, faulted, type MsrRow, unmodelled } from './row.ts';

/** Bits of a timer's configuration (TLFS, synthetic timer configuration register). */
const ENABLED = 1n;
const AUTO_ENABLED = 1n << 3n;
const DIRECT_MODE = 1n << 12n;
const APIC_VECTOR_SHIFT = 4n;
const SINT_SHIFT = 16n;
const FIRST_VECTOR = 16n;

const REGISTER = 'TLFS.stimer.register';
const NO_SINT = 'KVM.stimer.enabled-without-sint';
const DIRECT_VECTOR = 'TLFS.stimer.direct-vector';
const COUNT = 'TLFS.stimer.count';

type TimerSlots = typeof CPU.slots.synic.timer;

function read(slot: number): AccessRule {
  return (context, cpu, access) => {
    if (refusesInactive(context)) return faulted(KVM_INACTIVE);
    const cell = cellAt(cpu, slot);
    return context.store.known(cell) ? answered(context.store.get(cell), REGISTER) : unmodelled(access);
  };
}

function field(config: bigint, shift: bigint, mask: bigint): bigint {
  return (config >> shift) & mask;
}

/**
 * Configuration: a timer in direct mode needs a vector of at least 16 once it is enabled; one that was running
 * and is to send messages to SINT 0 stops (Linux 7.2 arch/x86/kvm/hyperv.c, stimer_set_config).
 */
function writeConfig(slot: number): AccessRule {
  return (context, cpu, access) => {
    if (refusesInactive(context)) return faulted(KVM_INACTIVE);
    const cell = cellAt(cpu, slot);
    let value = access.value ?? 0n;
    const direct = (value & DIRECT_MODE) !== 0n;
    if (direct && (value & ENABLED) !== 0n && field(value, APIC_VECTOR_SHIFT, 0xffn) < FIRST_VECTOR) {
      return faulted(DIRECT_VECTOR);
    }
    const wasEnabled = (context.store.get(cell) & ENABLED) !== 0n;
    const stops = wasEnabled && !direct && field(value, SINT_SHIFT, 0xfn) === 0n;
    if (stops) value &= ~ENABLED;
    context.store.set(cell, value);
    return answered(value, stops ? NO_SINT : REGISTER);
  };
}

/** Count: 0 stops the timer, any other starts one with the auto-enable bit (TLFS, synthetic timer count register). */
function writeCount(slot: number, configSlot: number): AccessRule {
  return (context, cpu, access) => {
    if (refusesInactive(context)) return faulted(KVM_INACTIVE);
    const value = access.value ?? 0n;
    const config = context.store.get(cellAt(cpu, configSlot));
    context.store.set(cellAt(cpu, slot), value);
    if (value === 0n) {
      if ((config & ENABLED) !== 0n) context.store.set(cellAt(cpu, configSlot), config & ~ENABLED);
    } else if ((config & AUTO_ENABLED) !== 0n && (config & ENABLED) === 0n) {
      context.store.set(cellAt(cpu, configSlot), config | ENABLED);
    }
    return answered(value, COUNT);
  };
}

/** The timers of a CPU or of a VP. */
export function timerRows(timers: TimerSlots): MsrRow[] {
  const list: MsrRow[] = [];
  for (let i = 0; i < STIMER_COUNT; i++) {
    const config = groupAt(timers, i) + timers.slots.config;
    const count = groupAt(timers, i) + timers.slots.count;
    list.push(
      { msr: msrs.number(`STIMER${i}_CONFIG`), read: read(config), write: writeConfig(config) },
      { msr: msrs.number(`STIMER${i}_COUNT`), read: read(count), write: writeCount(count, config) },
    );
  }
  return list;
}

export const TIMER_ROWS: readonly MsrRow[] = timerRows(CPU.slots.synic.timer);
