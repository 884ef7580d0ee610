import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { EVENT_FLAGS, VP_EVENT_FLAGS } from '../cells/event-flags.ts';
import { cellAt } from '../cells/place.ts';
import { type SynicFile, VP_FILE } from './file.ts';

/** Flags of a SINT on the SIEF page, 256 bytes (TLFS, SIEF page). */
export const FLAG_COUNT = 2048;
const WORD_BITS = 64;
const WORDS = FLAG_COUNT / WORD_BITS;
/** Words of the nested register file stand behind those of the other. */
const FILE_WORDS = 16 * WORDS;

function place(file: SynicFile, sint: number, flag: number) {
  const word = (file.nested ? FILE_WORDS : 0) + sint * WORDS + Math.floor(flag / WORD_BITS);
  return { kind: file === VP_FILE ? VP_EVENT_FLAGS : EVENT_FLAGS, word, bit: 1n << BigInt(flag % WORD_BITS) };
}

export function isFlagSet(
  { store }: Context,
  owner: ObjectId,
  file: SynicFile,
  sint: number,
  flag: number,
): boolean {
  const { kind, word, bit } = place(file, sint, flag);
  const id = store.find(owner, kind, word);
  return id !== undefined && (store.get(cellAt(id, kind.slots.value)) & bit) !== 0n;
}

/** Words of 64 flags on a page. */
export const WORD_COUNT = FILE_WORDS;

/** A word of the page, and what it becomes. */
export function flagWord({ store }: Context, owner: ObjectId, file: SynicFile, word: number): bigint {
  const { kind, word: key } = place(file, 0, word * WORD_BITS);
  const id = store.find(owner, kind, key);
  return id === undefined ? 0n : store.get(cellAt(id, kind.slots.value));
}

export function setFlagWord(
  { store }: Context,
  owner: ObjectId,
  file: SynicFile,
  word: number,
  value: bigint,
): void {
  const { kind, word: key } = place(file, 0, word * WORD_BITS);
  const found = store.find(owner, kind, key);
  if (found === undefined && value === 0n) return;
  store.set(cellAt(found ?? store.create(owner, kind, key), kind.slots.value), value);
}

/** A signal sets a flag; its reader clears it. A flag that no page has is none. */
export function changeFlag(
  { store }: Context,
  owner: ObjectId,
  file: SynicFile,
  sint: number,
  flag: number,
  on: boolean,
): void {
  if (flag >= FLAG_COUNT) return;
  const { kind, word, bit } = place(file, sint, flag);
  const found = store.find(owner, kind, word);
  if (found === undefined && !on) return;
  const cell = cellAt(found ?? store.create(owner, kind, word), kind.slots.value);
  const was = store.get(cell);
  store.set(cell, on ? was | bit : was & ~bit);
}

/** Whether one of the flags of a SINT is set, from `first` on. */
export function hasFlags(
  context: Context,
  owner: ObjectId,
  file: SynicFile,
  sint: number,
  first: number,
): boolean {
  const { store } = context;
  for (let flag = first; flag < FLAG_COUNT; flag += WORD_BITS - (flag % WORD_BITS)) {
    const { kind, word } = place(file, sint, flag);
    const id = store.find(owner, kind, word);
    const shift = BigInt(flag % WORD_BITS);
    if (id !== undefined && store.get(cellAt(id, kind.slots.value)) >> shift !== 0n) return true;
  }
  return false;
}
