import type { OpenCall } from '../../../engine/replay/frame.ts';
import { isSound, type Start } from '../../../engine/replay/start.ts';
import type { StoreCheckpoint, StoreTables } from '../../../engine/state/checkpoint.ts';
import type { KindRegistry } from '../../../engine/state/kind-path.ts';
import type { ObjectRow } from '../../../engine/state/store.ts';
import { type Address, at, isCount } from '../../../engine/trace/position.ts';
import { addGrowth, decodeHash, decodeState } from './checkpoint-codec.ts';

/** A checkpoint and where it stands. */
export interface PlacedCheckpoint {
  readonly at: Address;
  readonly checkpoint: StoreCheckpoint;
}

/** The columns of `checkpoint` but for `growth`, in their order. */
export const CHECKPOINT_COLUMNS = 'id, seq, sub, entries, cells, objects, blobs, components, hash, state';

/** A row with these columns; undefined where it is none. */
export function checkpointIn(row: readonly unknown[]): PlacedCheckpoint | undefined {
  const [hashJson, bytes] = row.slice(8);
  const numbers = row.slice(0, 8);
  if (!numbers.every(isCount) || typeof hashJson !== 'string' || !(bytes instanceof Uint8Array))
    return undefined;
  const [, seq = 0, sub = 0, entries = 0, cells = 0, objects = 0, blobs = 0, components = 0] = numbers;
  const [state, hash] = [decodeState(bytes, cells), decodeHash(hashJson)];
  if (state === undefined || hash === undefined) return undefined;
  return { at: at(seq, sub), checkpoint: { ...state, cells, entries, objects, blobs, components, hash } };
}

/** Open calls with which a trace starts: the first events, numbered from 1. */
export function openCallsIn(json: string): OpenCall[] | undefined {
  let calls: unknown;
  try {
    calls = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!Array.isArray(calls)) return undefined;
  const good = (calls as unknown[]).every((call, i) => {
    const { seq, sub, waits } = (call ?? {}) as Partial<OpenCall>;
    return seq === i + 1 && isCount(sub) && typeof waits === 'boolean';
  });
  return good ? (calls as OpenCall[]) : undefined;
}

/** The state with which a trace starts, of a whole row of `checkpoint` and the open calls; undefined where it is not one. */
export function startIn(row: readonly unknown[], open: string, registry: KindRegistry): Start | undefined {
  const [calls, first, growth] = [openCallsIn(open), checkpointIn(row), row[10]];
  const tables: StoreTables & { objects: ObjectRow[]; blobs: Uint8Array[]; components: string[] } = {
    objects: [],
    blobs: [],
    components: [],
  };
  if (calls === undefined || first === undefined || !(growth instanceof Uint8Array)) return undefined;
  if (!addGrowth(growth, registry, tables) || !isSound(first.checkpoint, tables)) return undefined;
  return { store: first.checkpoint, tables, open: calls };
}
