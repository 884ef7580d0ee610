import type { StoreCheckpoint } from './store.ts';

/** First index and length of each run of zeros. */
export function runsOfZero(bytes: Uint8Array): Uint32Array {
  const runs: number[] = [];
  for (let from = bytes.indexOf(0); from >= 0; ) {
    const next = bytes.indexOf(1, from);
    const to = next < 0 ? bytes.length : next;
    runs.push(from, to - from);
    from = bytes.indexOf(0, to);
  }
  return Uint32Array.from(runs);
}

/** Puts the state of a checkpoint into arrays over all cells; where nothing exists `values` must be 0 already. */
export function fillImage(checkpoint: StoreCheckpoint, values: BigUint64Array, known: Uint8Array): void {
  const { cells, blocks, unknown } = checkpoint;
  for (let i = 0, from = 0; i < blocks.length; i += 2) {
    const length = blocks[i + 1] as number;
    values.set(checkpoint.values.subarray(from, from + length), blocks[i] as number);
    from += length;
  }
  known.fill(1, 0, cells);
  known.fill(0, cells);
  for (let i = 0; i < unknown.length; i += 2) {
    const from = unknown[i] as number;
    known.fill(0, from, from + (unknown[i + 1] as number));
  }
}
