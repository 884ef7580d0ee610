import { msrs } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { CPU, STIMER_COUNT } from '../cells/cpu.ts';
import { cellAt, groupAt } from '../cells/place.ts';
import { timeOf } from '../partition/reference.ts';
import { armTimer, TIMER } from '../synic/expire.ts';
import { KVM_INACTIVE, refusesInactive } from './policy.ts';
import { type Access, type AccessRule, answered, faulted, type MsrRow, unmodelled } from './row.ts';

const ENABLED = BigInt(TIMER.enabled);
const PERIODIC = BigInt(TIMER.periodic);
const AUTO_ENABLED = BigInt(TIMER.autoEnabled);
const DIRECT_MODE = BigInt(TIMER.direct);
const FIRST_VECTOR = 16n;

const REGISTER = 'TLFS.stimer.register';
const NO_SINT = 'KVM.stimer.enabled-without-sint';
const DIRECT_VECTOR = 'TLFS.stimer.direct-vector';
const COUNT = 'TLFS.stimer.count';
const ONE_SHOT = 'TLFS.stimer.one-shot';

type TimerSlots = typeof CPU.slots.synic.timer;

function read(slot: number): AccessRule {
  return (context, cpu, access) => {
    if (refusesInactive(context)) return faulted(KVM_INACTIVE);
    const cell = cellAt(cpu, slot);
    return context.store.known(cell) ? answered(context.store.get(cell), REGISTER) : unmodelled(access);
  };
}

/**
 * A one-shot timer stops by itself when it expires (TLFS, synthetic timers). Of a guest that is a step of its own; of
 * the own partition nobody sees it, and a read that finds the timer stopped is what tells.
 */
function readConfig(slot: number): AccessRule {
  const plain = read(slot);
  return (context, owner, access) => {
    const answer = plain(context, owner, access);
    const { value } = answer;
    const runs = answer.rule === REGISTER && (value & (ENABLED | PERIODIC)) === ENABLED;
    if (!runs || access.vp !== undefined || access.value !== (value & ~ENABLED)) return answer;
    const stopped = context.bind('timer-expiry', access.value, value);
    context.store.set(cellAt(owner, slot), stopped);
    return answered(stopped, ONE_SHOT);
  };
}

function field(config: bigint, shift: number, mask: number): bigint {
  return (config >> BigInt(shift)) & BigInt(mask);
}

/** Of a guest's timer it follows when it expires. */
function arm(context: Context, owner: ObjectId, index: number, access: Access): void {
  if (access.vp !== undefined) armTimer(context, owner, index, timeOf(access));
}

/**
 * Configuration: a timer in direct mode needs a vector of at least 16 once it is enabled; one that was running
 * and is to send messages to SINT 0 stops (Linux 7.2 arch/x86/kvm/hyperv.c, stimer_set_config).
 */
function writeConfig(index: number, slot: number): AccessRule {
  return (context, cpu, access) => {
    if (refusesInactive(context)) return faulted(KVM_INACTIVE);
    const cell = cellAt(cpu, slot);
    let value = access.value ?? 0n;
    const direct = (value & DIRECT_MODE) !== 0n;
    const vector = field(value, TIMER.vectorShift, TIMER.vectorMask);
    if (direct && (value & ENABLED) !== 0n && vector < FIRST_VECTOR) return faulted(DIRECT_VECTOR);
    const wasEnabled = (context.store.get(cell) & ENABLED) !== 0n;
    const stops = wasEnabled && !direct && field(value, TIMER.sintShift, TIMER.sintMask) === 0n;
    if (stops) value &= ~ENABLED;
    context.store.set(cell, value);
    arm(context, cpu, index, access);
    return answered(value, stops ? NO_SINT : REGISTER);
  };
}

/** Count: 0 stops the timer, any other starts one with the auto-enable bit (TLFS, synthetic timer count register). */
function writeCount(index: number, slot: number, configSlot: number): AccessRule {
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
    arm(context, cpu, index, access);
    return answered(value, COUNT);
  };
}

/** The timers of a CPU or of a VP. */
export function timerRows(timers: TimerSlots): MsrRow[] {
  const list: MsrRow[] = [];
  for (let i = 0; i < STIMER_COUNT; i++) {
    const config = groupAt(timers, i) + timers.slots.config;
    const count = groupAt(timers, i) + timers.slots.count;
    const at = (name: string) => msrs.number(`STIMER${i}_${name}`);
    list.push(
      { msr: at('CONFIG'), read: readConfig(config), write: writeConfig(i, config) },
      { msr: at('COUNT'), read: read(count), write: writeCount(i, count, config) },
    );
  }
  return list;
}

export const TIMER_ROWS: readonly MsrRow[] = timerRows(CPU.slots.synic.timer);
