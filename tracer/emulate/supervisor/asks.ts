import { msrs } from '../../../engine/abi/index.ts';
import { APIC_WINDOW } from '../../../engine/hypervisor/index.ts';
import type { LiveMachine, LiveReturn } from '../../../engine/replay/live.ts';
import type { ObjectId } from '../../../engine/state/store.ts';
import type { MsrEvent } from '../../../engine/trace/event.ts';
import type { TimeNs } from '../../../engine/trace/position.ts';
import { ANSWER, halves } from '../vp/channel.ts';
import { OVERLAY_MSRS } from '../vp/overlays.ts';
import type { MsrAccess } from './deed.ts';
import type { Guest } from './guest.ts';
import { type GuestCall, resultWord } from './hypercall.ts';
import { takeCleared } from './message-page.ts';
import { refreshMemory } from './reference-time-page.ts';

/** What answers of a guest need of those who run it. */
export interface AskHost {
  readonly live: LiveMachine;
  now(): TimeNs;
  returned(returns: readonly LiveReturn[]): void;
  find(guest: Guest): ObjectId | undefined;
  answer(guest: Guest, answer: number, values?: readonly number[]): void;
  /** Something that the guest does is about to be told: what it wrote before is shown, where guests are captured. How far it has come. */
  tell(guest: Guest): Stamped;
  /** The guest is about to reset others: what they did is taken over first. */
  stopOthers(guest: Guest): void;
}

/** What events of a guest have that is captured. */
export interface Stamped {
  readonly instructions?: number;
}

const ICR_LOW = APIC_WINDOW + 0x300;
/** Commands to other APICs, however they are given. */
const COMMANDS: ReadonlySet<number> = new Set([msrs.number('ICR'), 0x830, ICR_LOW]);
const INIT = 5n;

/** What the guest did before is told: what it wrote, and slots of its message page that it freed. */
export function tellBefore(host: AskHost, guest: Guest): Stamped {
  const stamped = host.tell(guest);
  takeCleared(host, guest, stamped);
  return stamped;
}

/** The hypervisor answers a call that {@link tellBefore} came before. */
export function askedCall(host: AskHost, guest: Guest, call: GuestCall, stamped: Stamped): void {
  const { partition, index, memory } = guest;
  const { event, returned } = host.live.feed({
    kind: 'hypercall',
    t: host.now(),
    provenance: 'emulated',
    component: 'guest',
    vp: { partition, vp: index },
    ...stamped,
    ...call,
  });
  host.returned(returned);
  if (event.kind !== 'hypercall' || event.fault === true) {
    host.answer(guest, ANSWER.fault);
    return;
  }
  if (event.output !== undefined && call.outputGpa !== undefined) memory.write(call.outputGpa, event.output);
  host.answer(guest, ANSWER.done, halves(resultWord(event.result)));
}

/** An access to a register of the hypervisor, or of the APIC in its window. */
function feedMsr(host: AskHost, guest: Guest, { dir, msr, value }: Omit<MsrAccess, 'kind'>): MsrEvent {
  const stamped = tellBefore(host, guest);
  if (value !== undefined && COMMANDS.has(msr) && ((value >> 8n) & 7n) === INIT) host.stopOthers(guest);
  const { event, returned } = host.live.feed({
    kind: 'msr',
    t: host.now(),
    provenance: 'emulated',
    component: 'guest',
    vp: { partition: guest.partition, vp: guest.index },
    ...stamped,
    dir,
    msr,
    ...(value === undefined ? {} : { value }),
  });
  host.returned(returned);
  if (event.kind !== 'msr') throw new Error('an access became something else');
  return event;
}

/** RDMSR or WRMSR of a register of the hypervisor. */
export function askedMsr(host: AskHost, guest: Guest, access: MsrAccess): void {
  const event = feedMsr(host, guest, access);
  // It may have placed, or taken away, a page of the hypervisor.
  if (access.dir === 'write' && OVERLAY_MSRS.has(access.msr)) {
    guest.memory.changed();
    refreshMemory(host.live.machine, guest);
  }
  if (event.fault === true) host.answer(guest, ANSWER.fault);
  else host.answer(guest, ANSWER.done, halves(event.value ?? 0n));
}

/** A register of the APIC in its window; the value that a read gives. */
export function askedApic(host: AskHost, guest: Guest, offset: number, value?: number): number {
  const msr = APIC_WINDOW + offset;
  const access =
    value === undefined
      ? ({ dir: 'read', msr } as const)
      : ({ dir: 'write', msr, value: BigInt(value) } as const);
  return Number((feedMsr(host, guest, access).value ?? 0n) & 0xffff_ffffn);
}
