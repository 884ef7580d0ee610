import { cellAt } from '../../../engine/hypervisor/index.ts';
import { PLACES } from '../../../engine/hypervisor/vp/places.ts';
import { registerOf } from '../../../engine/hypervisor/vp/values.ts';
import type { Context } from '../../../engine/machine/context.ts';
import type { ObjectId } from '../../../engine/state/store.ts';
import { REGISTERS } from '../vp/registers.ts';

/** The cells of all registers, one register after the other, and where those of each end. */
const SLOTS: number[] = [];
const ENDS = REGISTERS.map((name) => {
  const place = PLACES.get(name);
  if (place === undefined) throw new Error(`register 0x${name.toString(16)} has no cell`);
  return SLOTS.push(...place.parts.map(({ slot }) => slot));
});

/** What the engine has in the registers of a VP, and what of it changed since they were last given to the guest. */
export class EngineRegisters {
  readonly #words = new Uint32Array(2 * SLOTS.length);
  /** 1: the guest has another value than the words say. */
  readonly #differs = new Uint8Array(REGISTERS.length);

  /** The guest has changed a register. */
  changedByGuest(place: number): void {
    this.#differs[place] = 1;
  }

  /** Hands on what changed, by its place; at first everything that is not 0. */
  give(context: Context, vp: ObjectId, put: (place: number, value: bigint) => void): void {
    const { store } = context;
    const words = this.#words;
    for (let place = 0, at = 0; place < ENDS.length; place++) {
      let changed = this.#differs[place] === 1;
      this.#differs[place] = 0;
      for (const end = ENDS[place] as number; at < end; at++) {
        const cell = cellAt(vp, SLOTS[at] as number);
        const low = store.low(cell);
        const high = store.high(cell);
        if (words[2 * at] === low && words[2 * at + 1] === high) continue;
        words[2 * at] = low;
        words[2 * at + 1] = high;
        changed = true;
      }
      if (!changed) continue;
      const value = registerOf(context, vp, REGISTERS[place] as number);
      put(place, (value.high << 64n) | value.low);
    }
  }
}
