import type { HashState } from './hash.ts';
import type { Rows } from './rows.ts';
import type { ObjectRow } from './store.ts';

/**
 * Everything needed to continue a store from a point: values, knownness, and how far the tables had grown. Only
 * what exists has values: a machine that made and destroyed a million objects has no larger checkpoints than
 * another.
 */
export interface StoreCheckpoint {
  /** Cells allocated so far. */
  readonly cells: number;
  /** First cell and length of each object that exists, in order. All other cells are 0. */
  readonly blocks: Uint32Array;
  /** The values of these blocks, one block after the other. */
  readonly values: BigUint64Array;
  /** First cell and length of each run of cells that are not known. */
  readonly unknown: Uint32Array;
  readonly objects: number;
  readonly blobs: number;
  readonly components: number;
  readonly entries: number;
  readonly hash: HashState;
}

/** The append-only tables that checkpoints of one store share. */
export interface StoreTables {
  readonly objects: Rows<ObjectRow>;
  readonly blobs: Rows<Uint8Array>;
  readonly components: readonly string[];
}

/** The same of a store that is done, for many questions. */
export interface WholeTables extends StoreTables {
  readonly objects: readonly ObjectRow[];
  readonly blobs: readonly Uint8Array[];
}
