import {
  doorbellAt,
  guestCpuid,
  hearsGuest,
  type Offered,
  offeredInterrupt,
  vpOfRef,
} from '../../../engine/hypervisor/index.ts';
import type { Machine } from '../../../engine/machine/machine.ts';
import { ANSWER, STOP, type VpChannel } from '../vp/channel.ts';
import {
  cpuidMessage,
  type ExitMessage,
  hypercallMessage,
  memoryMessage,
  msrMessage,
} from '../vp/message.ts';
import { isApicWindow } from '../vp/overlays.ts';
import type { Processor } from '../vp/processor.ts';
import { callWords, type GuestCall, readGuestCall } from './hypercall.ts';
import type { Intercepts } from './intercepts.ts';
import type { PartitionMemory } from './partition-memory.ts';

/** A VP whose processor has stopped. */
export interface StoppedVp {
  readonly partition: bigint;
  readonly index: number;
  readonly channel: VpChannel;
  readonly processor: Processor;
  readonly memory: Pick<PartitionMemory, 'allows' | 'isMapped' | 'read'>;
}

/** An access to a register of the hypervisor. */
export interface MsrAccess {
  readonly kind: 'msr';
  readonly dir: 'read' | 'write';
  readonly msr: number;
  readonly value?: bigint;
}

/** What a guest came to. */
export type Deed =
  /** A stop that its VMM hears of. */
  | { readonly kind: 'intercept'; readonly message: ExitMessage }
  /** It rang a doorbell. */
  | { readonly kind: 'ring'; readonly port: number }
  | MsrAccess
  | { readonly kind: 'hypercall'; readonly call: GuestCall }
  /** It can take the interrupt that waits for it; nothing where none is offered any more. */
  | { readonly kind: 'window'; readonly offered: Offered | undefined }
  /** HLT, and it sleeps. */
  | { readonly kind: 'idle' }
  /** What needs nothing of the engine's state but a look: it goes on with this. */
  | { readonly kind: 'answer'; readonly answer: number; readonly values?: readonly number[] };

const NOTHING = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

/** What the last exit of a VP's processor is to the hypervisor. Changes nothing. */
export function deedOf(machine: Machine, guest: StoppedVp, intercepts: Intercepts): Deed {
  const { channel, partition, index } = guest;
  const reason = channel.word('reason');
  switch (reason) {
    case STOP.intercept: {
      const { stored } = guest.processor;
      const port = stored === undefined ? undefined : doorbellAt(machine, partition, stored);
      if (port !== undefined) return { kind: 'ring', port };
      const payload = channel.payload.slice(0, channel.word('payloadBytes'));
      return { kind: 'intercept', message: { type: channel.word('messageType') >>> 0, payload } };
    }
    case STOP.cpuid:
      return cpuid(machine, guest, intercepts);
    case STOP.readMsr:
    case STOP.writeMsr:
      return access(guest, reason === STOP.readMsr ? 'read' : 'write', intercepts);
    case STOP.hypercall:
      return call(machine, guest, intercepts);
    case STOP.window: {
      const vp = vpOfRef(machine, { partition, vp: index });
      return { kind: 'window', offered: vp === undefined ? undefined : offeredInterrupt(machine, vp) };
    }
    case STOP.idle:
      return { kind: 'idle' };
    default:
      throw new Error(`a processor that stopped for ${reason}`);
  }
}

/** CPUID: what the processor says, under what the program registered; unless it wants to see it. */
function cpuid(machine: Machine, guest: StoppedVp, intercepts: Intercepts): Deed {
  const { channel, partition, index } = guest;
  const [leaf, subleaf] = [channel.word('index') >>> 0, channel.word('subleaf') >>> 0];
  const vp = vpOfRef(machine, { partition, vp: index });
  const { eax, ebx, ecx, edx } = vp === undefined ? NOTHING : guestCpuid(machine, vp, leaf, subleaf);
  if (!intercepts.takesCpuid(partition, leaf))
    return { kind: 'answer', answer: ANSWER.done, values: [eax, ebx, ecx, edx] };
  const exit = { instructionLength: channel.word('instructionLength') };
  return { kind: 'intercept', message: cpuidMessage(guest, exit, [eax, ecx, edx, ebx]) };
}

/** RDMSR or WRMSR, unless the VMM asked to see it. */
function access(guest: StoppedVp, dir: 'read' | 'write', intercepts: Intercepts): Deed {
  const { channel, partition, processor } = guest;
  const msr = channel.word('index') >>> 0;
  if (intercepts.takesMsr(partition, msr, dir)) {
    const kind = dir === 'read' ? 'rdmsr' : 'wrmsr';
    const exit = { kind, msr, instructionLength: channel.word('instructionLength') } as const;
    return { kind: 'intercept', message: msrMessage(guest, exit) };
  }
  if (processor.ownsMsr(msr)) return { kind: 'answer', answer: ANSWER.own };
  if (isApicWindow(msr)) return { kind: 'answer', answer: ANSWER.fault };
  return dir === 'read' ? { kind: 'msr', dir, msr } : { kind: 'msr', dir, msr, value: channel.wideValue };
}

/** A call is the hypervisor's, unless the VMM asked to see it or its memory is not there. */
function call(machine: Machine, guest: StoppedVp, intercepts: Intercepts): Deed {
  const { channel, partition, index, memory } = guest;
  const instructionLength = channel.word('instructionLength');
  const isHeard = hearsGuest(machine, { partition, vp: index });
  if (isHeard && intercepts.takesHypercalls(partition))
    return { kind: 'intercept', message: hypercallMessage(guest, instructionLength) };
  const words = callWords((place) => channel.register(place));
  const read = isHeard ? readGuestCall(memory, words) : { control: words.control };
  if (!('access' in read)) return { kind: 'hypercall', call: read };
  const { gpa } = read;
  const at = { gva: gpa, mapped: memory.isMapped(gpa), instructionBytes: new Uint8Array(0) };
  const message = memoryMessage(guest, { instructionLength, ...read, ...at });
  return { kind: 'intercept', message };
}
