import { EVENT_KINDS, type TraceEvent } from '../../../engine/trace/event.ts';
import { failed } from '../../../engine/trace/failed.ts';
import { ActorIds } from '../row/actor-ids.ts';
import { RowRefusal, type StoredActor } from '../row/decode.ts';
import { decodeTile, MAX_TILE_LEVEL, type TileCount, tileEvents } from '../tile/tile.ts';
import { TileCounter } from '../tile/tile-counter.ts';
import { actorIn } from './actors.ts';
import type { Queries, QueryRow } from './queries.ts';

/** What one actor did in one bucket; `counts` in the order of EVENT_KINDS. */
export interface Tile {
  readonly bucket: number;
  readonly actor: StoredActor;
  readonly counts: readonly TileCount[];
}

/** Where the tiles of a file come from, and who is who. */
interface TileRows {
  actor(id: number): StoredActor;
  /** Lane, bucket and data of the tiles of a level, in the order of bucket and lane. */
  rows(level: number, from: number, to: number): readonly QueryRow[];
}

/** Tiles of full buckets: those of the file, or made of its events where it has none. */
export class TileReader {
  /** The file has no tiles: it is older, or another program's. */
  readonly absent: boolean;
  readonly #queries: Queries;
  readonly #file: TileRows;
  readonly #events: () => Iterable<TraceEvent>;
  #made: TileRows | undefined;

  constructor(
    queries: Queries,
    actor: (id: number) => StoredActor,
    events: () => Iterable<TraceEvent>,
    full: boolean,
  ) {
    this.#queries = queries;
    this.#events = events;
    const rows = queries.prepare(
      'SELECT lane, bucket, data FROM tile WHERE level = ? AND bucket BETWEEN ? AND ? ORDER BY bucket, lane',
    );
    this.#file = { actor, rows: (level, from, to) => rows.all(level, from, to) };
    this.absent = full && queries.prepare('SELECT 1 FROM tile LIMIT 1').get() === undefined;
  }

  /** Tiles of the buckets `from` to `to`, all of them full. What no writer makes is a TraceFileError. */
  tiles(level: number, from: number, to: number): Tile[] {
    if (level > MAX_TILE_LEVEL || to < from) return [];
    if (this.absent) this.#made ??= madeOf(this.#events());
    const { actor, rows } = this.#made ?? this.#file;
    const tiles: Tile[] = [];
    let [due, events] = [from, 0];
    for (const row of rows(level, from, to)) {
      const tile = this.#tile(level, row, actor);
      // The tiles of a bucket count each of its events once, and no bucket is left out.
      if (tile.bucket !== due) throw this.#damage(level, due);
      for (const { count } of tile.counts) events += count;
      if (events > tileEvents(level)) throw this.#damage(level, due);
      if (events === tileEvents(level)) [due, events] = [due + 1, 0];
      tiles.push(tile);
    }
    if (due !== to + 1) throw this.#damage(level, due);
    return tiles;
  }

  #tile(level: number, [lane, bucket, data]: QueryRow, actor: TileRows['actor']): Tile {
    const good = Number.isSafeInteger(lane) && Number.isSafeInteger(bucket) && data instanceof Uint8Array;
    const counts = good ? decodeTile(level, bucket as number, data) : undefined;
    if (counts === undefined) throw this.#damage(level, bucket);
    try {
      return { bucket: bucket as number, actor: actor(lane as number), counts };
    } catch (error) {
      throw error instanceof RowRefusal ? this.#damage(level, bucket) : error;
    }
  }

  #damage(level: number, bucket: unknown): Error {
    return this.#queries.corrupt(`tile ${bucket} of level ${level} is damaged`);
  }
}

/** Counts events into tiles that stay in memory. */
function madeOf(events: Iterable<TraceEvent>): TileRows {
  const [ids, counter] = [new ActorIds(), new TileCounter()];
  for (const event of events) counter.add(ids.actor(event), EVENT_KINDS.indexOf(event.kind), failed(event));
  const actors = ids.pendingActors.map((row) => actorIn(row) as StoredActor);
  const made = counter.takeFinished();
  return {
    actor: (id) => actors[id - 1] as StoredActor,
    rows: (level, from, to) =>
      made
        .filter(([own, , bucket]) => own === level && bucket >= from && bucket <= to)
        .map(([, lane, bucket, data]) => [lane, bucket, data]),
  };
}
