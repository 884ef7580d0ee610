import type { TraceEvent } from '../../../engine/trace/event.ts';
import { ActorReader } from './actors.ts';
import { PageRows } from './page-rows.ts';
import { BlobReader } from './payloads.ts';
import type { Queries } from './queries.ts';
import type { RowSource } from './row-source.ts';
import { SqlRows } from './sql-rows.ts';

/** Reads events out of rows. Whatever the file holds, what comes out is a valid event or a TraceFileError. */
export class RowReader {
  readonly actors: ActorReader;
  readonly #queries: Queries;
  readonly #source: RowSource;

  /** `settled`: the file itself, where nobody writes it and it has no `-wal`. */
  constructor(queries: Queries, settled: string | undefined) {
    this.#queries = queries;
    this.actors = new ActorReader(queries);
    const blobs = new BlobReader(queries);
    const parts = {
      actor: (id: number) => this.actors.actor(id),
      handle: (id: number) => this.actors.handle(id),
      payload: (id: number) => blobs.get(id),
    };
    this.#source =
      settled === undefined ? new SqlRows(queries, parts) : new PageRows(settled, queries, parts);
  }

  close(): void {
    this.#source.close();
  }

  /** Events `from` … `to` in order. */
  *events(from: number, to: number): Generator<TraceEvent, void, undefined> {
    for (let next = from; next <= to; ) {
      const fetched = this.#source.fetch(next, to);
      for (const event of fetched.events) yield event;
      next = fetched.next;
      if (fetched.damage !== undefined)
        throw this.#queries.corrupt(`event ${next} is damaged: ${fetched.damage}`);
    }
  }
}
