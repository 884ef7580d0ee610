import { apicMode, apicWindow } from '../../../engine/hypervisor/index.ts';
import type { Machine } from '../../../engine/machine/machine.ts';
import type { ObjectId } from '../../../engine/state/store.ts';
import type { RegisterValue } from '../../../engine/trace/event.ts';
import { ANSWER, type VpChannel } from '../vp/channel.ts';
import type { Processor } from '../vp/processor.ts';
import { REGISTERS } from '../vp/registers.ts';
import type { ApicWindow } from './apic-window.ts';
import type { EngineRegisters } from './engine-registers.ts';
import { pendingOf } from './interruptions.ts';

/** What stands between the engine and a VP's processor. */
export interface Exchange {
  readonly channel: VpChannel;
  readonly processor: Processor;
  readonly registers: EngineRegisters;
  /** Its APIC in memory. */
  readonly window: ApicWindow;
  /** The register that says what the guest takes before it goes on, until the engine has been told that it did. */
  entering: number | undefined;
}

/** Before a VP runs: what the engine has, and what the guest is to take first. */
export function giveState(machine: Machine, vp: ObjectId, to: Exchange): void {
  to.window.page = apicMode(machine, vp) === 'xapic' ? apicWindow(machine, vp) : -1;
  giveRegisters(machine, vp, to);
  // What it has taken, and the engine has not been told of yet, it does not take again.
  if (to.entering === undefined || to.processor.taking !== undefined) {
    const pending = pendingOf(machine, vp);
    to.entering = pending?.register;
    to.processor.taking = pending?.injection;
  }
  to.channel.answer(ANSWER.registers);
}

export function giveRegisters(
  machine: Machine,
  vp: ObjectId,
  { registers, channel }: Pick<Exchange, 'registers' | 'channel'>,
): void {
  registers.give(machine, vp, (place, value) => channel.setRegister('engine', place, value));
}

/** What a stop says of a VP's registers: those that its guest changed since its last one. */
export function takeRegisters(from: Exchange): RegisterValue[] {
  const { channel, processor, registers } = from;
  const entered = processor.taking === undefined ? from.entering : undefined;
  if (entered !== undefined) from.entering = undefined;
  const values: RegisterValue[] = [];
  for (const place of channel.takeChanged('engine')) {
    const name = REGISTERS[place];
    if (name === undefined) continue;
    registers.changedByGuest(place);
    values.push({ name, value: channel.register(place) });
  }
  if (entered !== undefined) values.push({ name: entered, value: 0n });
  return values;
}
