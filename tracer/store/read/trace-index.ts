import type { TraceIndex } from '../../../engine/app/early/trace-index.ts';
import { toSql } from '../../../engine/filter/sql.ts';
import { MAX_TILE_LEVEL, tileEvents } from '../tile/tile.ts';
import type { TraceReader } from './reader.ts';

const TILE_EVENTS = Array.from({ length: MAX_TILE_LEVEL + 1 }, (_, level) => tileEvents(level));

/** What a file tells the app at once: filters run as SQL, and the timeline comes from tiles where it has some. */
export function indexOf(reader: TraceReader, components: () => string[]): TraceIndex {
  return {
    components,
    timeOf: (seq) => reader.timeOf(seq),
    lastAt: (t) => reader.lastAt(t),
    matching: (plan) => {
      const { where, params, residual } = toSql(plan, reader.columns);
      const seqs = reader.matching({ where, params }, 1, reader.events, reader.events);
      return { seqs: Uint32Array.from(seqs), residual };
    },
    ...(reader.hasTiles
      ? { tiles: { events: TILE_EVENTS, read: (level, from, to) => reader.tiles(level, from, to) } }
      : {}),
  };
}
