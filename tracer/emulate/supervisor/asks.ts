import { msrs } from '../../../engine/abi/index.ts';
import { APIC_WINDOW, guestCpuid, hearsGuest } from '../../../engine/hypervisor/index.ts';
import type { LiveMachine, LiveReturn } from '../../../engine/replay/live.ts';
import type { ObjectId } from '../../../engine/state/store.ts';
import type { MsrEvent } from '../../../engine/trace/event.ts';
import type { TimeNs } from '../../../engine/trace/position.ts';
import { ANSWER } from '../vp/channel.ts';
import { cpuidMessage, type ExitMessage, hypercallMessage, msrMessage } from '../vp/message.ts';
import { isApicWindow, OVERLAY_MSRS } from '../vp/overlays.ts';
import { type Guest, halves, stopped, stoppedAt } from './guest.ts';
import { callWords, readGuestCall, resultWord } from './hypercall.ts';
import type { Intercepts } from './intercepts.ts';
import { takeCleared } from './message-page.ts';

/** What answers of a guest need of those who run it. */
export interface AskHost {
  readonly live: LiveMachine;
  readonly intercepts: Intercepts;
  now(): TimeNs;
  returned(returns: readonly LiveReturn[]): void;
  find(guest: Guest): ObjectId | undefined;
  intercept(guest: Guest, message: ExitMessage): void;
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

const NOTHING = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

/** CPUID: what the processor says, under what the program registered; unless it wants to see it. */
export function askedCpuid(host: AskHost, guest: Guest): void {
  const { channel, partition } = guest;
  const { machine } = host.live;
  const [leaf, subleaf] = [channel.word('index') >>> 0, channel.word('subleaf') >>> 0];
  const base = machine.profile.cpuid.get(leaf) ?? NOTHING;
  const vp = host.find(guest);
  const { eax, ebx, ecx, edx } = vp === undefined ? base : guestCpuid(machine, vp, leaf, subleaf, base);
  if (host.intercepts.takesCpuid(partition, leaf)) {
    const exit = { instructionLength: channel.word('instructionLength') };
    host.intercept(guest, cpuidMessage(stopped(guest), exit, [eax, ecx, edx, ebx]));
  } else host.answer(guest, ANSWER.done, [eax, ebx, ecx, edx]);
}

/** The hypervisor answers a call, unless the VMM asked to see them or its memory is not there. */
export function askedCall(host: AskHost, guest: Guest): void {
  const { channel, partition, index, memory } = guest;
  const vp = { partition, vp: index };
  const stamped = host.tell(guest);
  takeCleared(host, guest, stamped);
  const isHeard = hearsGuest(host.live.machine, vp);
  if (isHeard && host.intercepts.takesHypercalls(partition)) {
    host.intercept(guest, hypercallMessage(stopped(guest), channel.word('instructionLength')));
    return;
  }
  const words = callWords((place) => channel.register(place));
  const call = isHeard ? readGuestCall(memory, words) : { control: words.control };
  if ('access' in call) {
    host.intercept(guest, stoppedAt(guest, call));
    return;
  }
  const { event, returned } = host.live.feed({
    kind: 'hypercall',
    t: host.now(),
    provenance: 'emulated',
    component: 'guest',
    vp,
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
function feedMsr(host: AskHost, guest: Guest, msr: number, value?: bigint): MsrEvent {
  const stamped = host.tell(guest);
  takeCleared(host, guest, stamped);
  if (value !== undefined && COMMANDS.has(msr) && ((value >> 8n) & 7n) === INIT) host.stopOthers(guest);
  const { event, returned } = host.live.feed({
    kind: 'msr',
    t: host.now(),
    provenance: 'emulated',
    component: 'guest',
    vp: { partition: guest.partition, vp: guest.index },
    ...stamped,
    dir: value === undefined ? 'read' : 'write',
    msr,
    ...(value === undefined ? {} : { value }),
  });
  host.returned(returned);
  if (event.kind !== 'msr') throw new Error('an access became something else');
  return event;
}

/** RDMSR or WRMSR, unless the VMM asked to see it. */
export function askedMsr(host: AskHost, guest: Guest, dir: 'read' | 'write'): void {
  const { channel, partition } = guest;
  const msr = channel.word('index') >>> 0;
  const value = (BigInt(channel.word('values', 1) >>> 0) << 32n) | BigInt(channel.word('values') >>> 0);
  if (host.intercepts.takesMsr(partition, msr, dir)) {
    const kind = dir === 'read' ? 'rdmsr' : 'wrmsr';
    const instructionLength = channel.word('instructionLength');
    host.intercept(guest, msrMessage(stopped(guest), { kind, msr, instructionLength }));
    return;
  }
  if (guest.processor.ownsMsr(msr)) {
    host.answer(guest, ANSWER.own);
    return;
  }
  if (isApicWindow(msr)) {
    host.answer(guest, ANSWER.fault);
    return;
  }
  const event = feedMsr(host, guest, msr, dir === 'write' ? value : undefined);
  // It may have placed, or taken away, a page of the hypervisor.
  if (dir === 'write' && OVERLAY_MSRS.has(msr)) {
    guest.memory.changed();
    guest.memory.refresh(host.live.machine);
  }
  if (event.fault === true) host.answer(guest, ANSWER.fault);
  else host.answer(guest, ANSWER.done, halves(event.value ?? 0n));
}

/** A register of the APIC in its window; the value that a read gives. */
export function askedApic(host: AskHost, guest: Guest, offset: number, value?: number): number {
  const written = value === undefined ? undefined : BigInt(value);
  return Number((feedMsr(host, guest, APIC_WINDOW + offset, written).value ?? 0n) & 0xffff_ffffn);
}
