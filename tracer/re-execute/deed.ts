import { doorbellAt, guestCpuid, hearsGuest, offeredInterrupt } from '../../engine/hypervisor/index.ts';
import type { Machine } from '../../engine/machine/machine.ts';
import type { ObjectId } from '../../engine/state/store.ts';
import { callWords, type GuestCall, readGuestCall } from '../emulate/supervisor/hypercall.ts';
import type { Intercepts } from '../emulate/supervisor/intercepts.ts';
import { ANSWER, STOP } from '../emulate/vp/channel.ts';
import {
  cpuidMessage,
  type ExitMessage,
  hypercallMessage,
  memoryMessage,
  msrMessage,
} from '../emulate/vp/message.ts';
import { isApicWindow } from '../emulate/vp/overlays.ts';
import { describeAccess, describeCall } from './events.ts';
import type { Runner } from './runner.ts';

/** What a guest came to. */
export type Deed =
  /** A stop that its VMM hears of. */
  | { readonly kind: 'intercept'; readonly message: ExitMessage }
  /** It rang a doorbell. */
  | { readonly kind: 'ring'; readonly port: number }
  | { readonly kind: 'msr'; readonly dir: 'read' | 'write'; readonly msr: number; readonly value?: bigint }
  | { readonly kind: 'hypercall'; readonly call: GuestCall }
  /** It can take the interrupt that waits for it. */
  | { readonly kind: 'window' }
  /** HLT, and it sleeps. */
  | { readonly kind: 'idle' }
  /** It has been answered, and goes on. */
  | { readonly kind: 'goes on' };

const GOES_ON: Deed = { kind: 'goes on' };
const NOTHING = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

/** What the last exit of a VP's processor is to the hypervisor; as ../emulate/supervisor/guests.ts and asks.ts have it while it is recorded. */
export function deedOf(runner: Runner, machine: Machine, vp: ObjectId, intercepts: Intercepts): Deed {
  const { channel, partition, index, processor, memory } = runner;
  const message = (made: ExitMessage): Deed => ({ kind: 'intercept', message: made });
  const exit = { instructionLength: channel.word('instructionLength') };
  switch (channel.word('reason')) {
    case STOP.intercept: {
      const { stored } = processor;
      const port = stored === undefined ? undefined : doorbellAt(machine, partition, stored);
      if (port !== undefined) return { kind: 'ring', port };
      const payload = channel.payload.slice(0, channel.word('payloadBytes'));
      return message({ type: channel.word('messageType') >>> 0, payload });
    }
    case STOP.cpuid: {
      const [leaf, subleaf] = [channel.word('index') >>> 0, channel.word('subleaf') >>> 0];
      const base = machine.profile.cpuid.get(leaf) ?? NOTHING;
      const { eax, ebx, ecx, edx } = guestCpuid(machine, vp, leaf, subleaf, base);
      if (intercepts.takesCpuid(partition, leaf))
        return message(cpuidMessage(runner.stopped, exit, [eax, ecx, edx, ebx]));
      runner.answer(ANSWER.done, [eax, ebx, ecx, edx]);
      return GOES_ON;
    }
    case STOP.readMsr:
    case STOP.writeMsr: {
      const dir = channel.word('reason') === STOP.readMsr ? 'read' : 'write';
      const msr = channel.word('index') >>> 0;
      if (intercepts.takesMsr(partition, msr, dir)) {
        const kind = dir === 'read' ? 'rdmsr' : 'wrmsr';
        return message(msrMessage(runner.stopped, { ...exit, kind, msr }));
      }
      const isOwn = processor.ownsMsr(msr);
      if (isOwn || isApicWindow(msr)) {
        runner.answer(isOwn ? ANSWER.own : ANSWER.fault);
        return GOES_ON;
      }
      const value = (BigInt(channel.word('values', 1) >>> 0) << 32n) | BigInt(channel.word('values') >>> 0);
      return dir === 'read' ? { kind: 'msr', dir, msr } : { kind: 'msr', dir, msr, value };
    }
    case STOP.hypercall: {
      const isHeard = hearsGuest(machine, { partition, vp: index });
      if (isHeard && intercepts.takesHypercalls(partition))
        return message(hypercallMessage(runner.stopped, exit.instructionLength));
      const words = callWords((place) => channel.register(place));
      const call = isHeard ? readGuestCall(memory, words) : { control: words.control };
      if (!('access' in call)) return { kind: 'hypercall', call };
      const { gpa, access } = call;
      const at = { gpa, gva: gpa, access, mapped: memory.isMapped(gpa), instructionBytes: new Uint8Array(0) };
      return message(memoryMessage(runner.stopped, { ...exit, ...at }));
    }
    case STOP.window:
      // Nothing is offered any more: it goes on as it is.
      if (offeredInterrupt(machine, vp) !== undefined) return { kind: 'window' };
      runner.answer(ANSWER.registers);
      return GOES_ON;
    default:
      return { kind: 'idle' };
  }
}

/** A deed in a few words. */
export function describe(deed: Deed): string {
  switch (deed.kind) {
    case 'intercept':
      return `a stop of type 0x${deed.message.type.toString(16)}`;
    case 'ring':
      return `a doorbell of port ${deed.port}`;
    case 'msr':
      return describeAccess(deed);
    case 'hypercall':
      return describeCall(deed.call);
    case 'window':
      return 'an interrupt that it takes';
    case 'idle':
      return 'HLT';
    case 'goes on':
      return 'nothing';
  }
}
