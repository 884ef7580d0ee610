import type { GuestCpu } from '../../../engine/cpu/index.ts';
import type { Holder, VpChannel } from './channel.ts';
import { HANDED, placeOf, REGISTERS } from './registers.ts';

/** A processor takes the registers that others have changed since it ran; what it makes of a value is put back. */
export function takeRegisters(channel: VpChannel, holder: Holder, cpu: GuestCpu, every = false): void {
  const changed = channel.takeChanged(holder);
  for (const place of every ? HANDED.keys() : changed) {
    const name = HANDED[place] as number;
    cpu.setRegister(name, channel.register(place));
    channel.setRegister(holder, place, cpu.getRegister(name));
  }
  // From here on it is the guest that changes them, also where it comes back to a value from before.
  cpu.changedRegisters();
}

/** A processor puts the registers that changed where others take them. */
export function putRegisters(channel: VpChannel, holder: Holder, cpu: GuestCpu): void {
  for (const name of cpu.changedRegisters())
    channel.setRegister(holder, placeOf(name), cpu.getRegister(name));
}

/** A processor puts what only another processor needs, beside the registers. */
export function putInnerState(channel: VpChannel, holder: Holder, cpu: GuestCpu): void {
  for (let place = REGISTERS.length; place < HANDED.length; place++)
    channel.setRegister(holder, place, cpu.getRegister(HANDED[place] as number));
}
