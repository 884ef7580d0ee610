import { fieldOf, readU32, registers } from '../../../engine/abi/index.ts';
import type { Injection } from '../../../engine/cpu/index.ts';
import { cellAt, type Offered, registerOf, VP } from '../../../engine/hypervisor/index.ts';
import type { Machine } from '../../../engine/machine/machine.ts';
import type { ObjectId } from '../../../engine/state/store.ts';
import { type VpChannel, WAITS } from '../vp/channel.ts';

const INTERRUPTION = registers.number('PENDING_INTERRUPTION');
const EVENT = registers.number('PENDING_EVENT0');
const { pendingInterruption, pendingEvent0 } = VP.slots.reg;
const PENDING = 1;
const interruption = (name: string) => fieldOf('hv_x64_pending_interruption_register', name);
const OF_INTERRUPTION = {
  type: interruption('interruption_type'),
  hasError: interruption('deliver_error_code'),
  length: interruption('instruction_length'),
  vector: interruption('interruption_vector'),
  error: interruption('error_code'),
};
const exception = (name: string) => fieldOf('hv_x64_pending_exception_event', name);
const OF_EVENT = {
  type: exception('event_type'),
  hasError: exception('deliver_error_code'),
  vector: exception('vector'),
  error: exception('error_code'),
};
/** By type (Linux 7.2 hvgdk: enum hv_x64_pending_interruption_type): 4 and above are instructions. */
const KINDS: Readonly<Record<number, Injection['kind']>> = { 0: 'external', 2: 'nmi', 3: 'exception' };

/** What waits until the guest can take it: its processor says when that is. */
export function putOffered(channel: VpChannel, offered: Offered | undefined): void {
  const waits = offered === undefined ? WAITS.no : offered.nmi ? WAITS.nmi : WAITS.interrupt;
  channel.setWord('interrupt', waits);
}

/** The guest takes it now. */
export function injectionOf({ nmi, vector }: Offered): Injection {
  return { kind: nmi ? 'nmi' : 'external', vector };
}

/** What a VP is to take before its next instruction, and the register that says so. */
export interface Interruption {
  readonly register: number;
  readonly injection: Injection;
}

function bytesOf(machine: Machine, vp: ObjectId, register: number): Uint8Array {
  const { low, high } = registerOf(machine, vp, register);
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, low, true);
  view.setBigUint64(8, high, true);
  return bytes;
}

/** What the registers of a VP say that it is to take: the hypervisor put it there, or the program did. */
export function pendingOf(machine: Machine, vp: ObjectId): Interruption | undefined {
  const { store } = machine;
  if ((store.low(cellAt(vp, pendingInterruption)) & PENDING) !== 0) {
    const bytes = bytesOf(machine, vp, INTERRUPTION);
    const read = (name: keyof typeof OF_INTERRUPTION) => readU32(bytes, OF_INTERRUPTION[name]);
    const kind = KINDS[read('type')] ?? 'software';
    return {
      register: INTERRUPTION,
      injection: {
        kind,
        vector: read('vector') & 0xff,
        ...(read('hasError') === 1 ? { error: read('error') } : {}),
        ...(kind === 'software' ? { length: read('length') } : {}),
      },
    };
  }
  if ((store.low(cellAt(vp, pendingEvent0.low)) & PENDING) === 0) return undefined;
  const bytes = bytesOf(machine, vp, EVENT);
  const read = (name: keyof typeof OF_EVENT) => readU32(bytes, OF_EVENT[name]);
  // Type 0 is an exception; nothing else comes to a guest without its own hypervisor (Linux 7.2 hvgdk).
  if (read('type') !== 0) return undefined;
  return {
    register: EVENT,
    injection: {
      kind: 'exception',
      vector: read('vector') & 0xff,
      ...(read('hasError') === 1 ? { error: read('error') } : {}),
    },
  };
}
