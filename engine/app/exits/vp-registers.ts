import { registers } from '../../abi/lookup/registers.ts';
import { hexOf } from '../../abi/text.ts';
import { VP } from '../../hypervisor/index.ts';
import { PLACES, type Place } from '../../hypervisor/vp/places.ts';
import type { StateImage } from '../../replay/image.ts';
import type { CellId, ObjectRow } from '../../state/store.ts';

/** Registers that are shown whether they change or not: those a reader of code looks at. */
const ALWAYS: readonly number[] = [
  ...[
    'RAX',
    'RBX',
    'RCX',
    'RDX',
    'RSI',
    'RDI',
    'RSP',
    'RBP',
    'R8',
    'R9',
    'R10',
    'R11',
    'R12',
    'R13',
    'R14',
    'R15',
  ],
  ...['RIP', 'RFLAGS'],
].map((name) => registers.number(name));

/** Registers with a cell of their own, the ones that are always shown first. */
export const REGISTER_ORDER: readonly number[] = [
  ...ALWAYS,
  ...[...PLACES.keys()].filter((name) => !ALWAYS.includes(name)),
];

/** Bits of `stale` are counted in the order of the places. */
const STALE_BITS: ReadonlyMap<number, number> = new Map([...PLACES.keys()].map((name, bit) => [name, bit]));

export function isAlwaysShown(name: number): boolean {
  return ALWAYS.includes(name);
}

const WORD_BITS = 64;
const HALF_BITS = 64n;

/** What the registers of a VP hold where an image stands; null for those of which the value is not known. */
export function registersAt(image: StateImage, vp: ObjectRow): ReadonlyMap<number, string | null> {
  const cell = (slot: number): CellId => (vp.id + slot) as CellId;
  const exists = image.exists(vp);
  // The guest has run, and nothing has told yet what it did.
  const unseen = image.get(cell(VP.slots.ran)) === 1n;
  const isStale = (index: number): boolean => {
    const word = image.get(cell(VP.slots.stale.first + Math.floor(index / WORD_BITS)));
    return ((word >> BigInt(index % WORD_BITS)) & 1n) === 1n;
  };
  return new Map(
    REGISTER_ORDER.map((name) => {
      const place = PLACES.get(name) as Place;
      const known =
        exists &&
        !unseen &&
        !isStale(STALE_BITS.get(name) as number) &&
        place.parts.every(({ slot }) => image.known(cell(slot)));
      return [name, known ? hexOf(registerValue(image, cell, place)) : null];
    }),
  );
}

function registerValue(image: StateImage, cell: (slot: number) => CellId, { parts }: Place): bigint {
  let value = 0n;
  for (const { slot, word, shift } of parts) {
    value |= image.get(cell(slot)) << (shift + (word === 1 ? HALF_BITS : 0n));
  }
  return value;
}
