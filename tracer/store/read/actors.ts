import { type Handle, parseHandle, parseVp } from '../../../engine/trace/handle.ts';
import { readWord } from '../row/actor-ids.ts';
import { RowRefusal, type StoredActor } from '../row/decode.ts';
import { within } from '../row/limits.ts';
import type { Queries, Query } from './queries.ts';

/** Actors and handles by number. Both tables are small: a thread, a CPU, a VP, an open file each. */
export class ActorReader {
  readonly #actor: Query;
  readonly #handle: Query;
  readonly #actors: Query;
  readonly #handles: Query;
  readonly #actorOf = new Map<number, StoredActor>();
  readonly #handleOf = new Map<number, Handle>();

  constructor(queries: Queries) {
    this.#actor = queries.prepare('SELECT * FROM actor WHERE id = ?');
    this.#actors = queries.prepare('SELECT * FROM actor ORDER BY id');
    this.#handle = queries.prepare('SELECT * FROM handle WHERE id = ?');
    this.#handles = queries.prepare('SELECT * FROM handle ORDER BY id');
  }

  actor(id: number): StoredActor {
    const known = this.#actorOf.get(id);
    if (known !== undefined) return known;
    const actor = actorIn(this.#actor.get(id));
    if (actor === undefined) throw new RowRefusal(`its actor ${id} is missing or damaged`);
    this.#actorOf.set(id, actor);
    return actor;
  }

  handle(id: number): Handle {
    const known = this.#handleOf.get(id);
    if (known !== undefined) return known;
    const handle = handleIn(this.#handle.get(id));
    if (handle === undefined) throw new RowRefusal(`its handle ${id} is missing or damaged`);
    this.#handleOf.set(id, handle);
    return handle;
  }

  /** Components of all actors, in the order in which they come up. */
  components(): string[] {
    const components = this.#actors.all().map((row) => actorIn(row)?.component);
    return [...new Set(components.filter((component) => component !== undefined))];
  }

  /** Numbers of the actors that pass. */
  actorsThat(pass: (actor: StoredActor) => boolean): number[] {
    return this.#idsThat(this.#actors, actorIn, pass);
  }

  /** Numbers of the handles that pass. */
  handlesThat(pass: (handle: Handle) => boolean): number[] {
    return this.#idsThat(this.#handles, handleIn, pass);
  }

  #idsThat<T>(query: Query, read: (row: unknown) => T | undefined, pass: (value: T) => boolean): number[] {
    const ids: number[] = [];
    for (const row of query.all()) {
      const value = read(row);
      if (value !== undefined && pass(value)) ids.push(row[0] as number);
    }
    return ids;
  }
}

/** The columns of a row of `actor`, in the order of the schema; undefined where a writer makes none such. */
export function actorIn(row: unknown): StoredActor | undefined {
  if (!Array.isArray(row)) return undefined;
  const [, component, cpu, pid, tid, vp, , , vtl] = row as unknown[];
  const actor: { -readonly [K in keyof StoredActor]: StoredActor[K] } = {};
  if (component !== null) {
    const word = typeof component === 'string' ? readWord(component) : undefined;
    if (word === undefined) return undefined;
    actor.component = word;
  }
  if (vp !== null) {
    const ref = typeof vp === 'string' ? parseVp(vp) : undefined;
    if (ref === undefined) return undefined;
    actor.vp = ref;
  }
  for (const [key, value, limit] of [
    ['cpu', cpu, 'u32'],
    ['pid', pid, 'u32'],
    ['tid', tid, 'u32'],
    ['vtl', vtl, 'u8'],
  ] as const) {
    if (value === null) continue;
    if (!within(value, limit)) return undefined;
    actor[key] = value;
  }
  return actor;
}

/** The same for `handle`. */
export function handleIn(row: unknown): Handle | undefined {
  const name = Array.isArray(row) ? (row as unknown[])[2] : undefined;
  return typeof name === 'string' ? parseHandle(name) : undefined;
}
