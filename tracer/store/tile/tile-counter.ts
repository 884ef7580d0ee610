import { EVENT_KINDS, type EventKind } from '../../../engine/trace/event.ts';
import { seqOf } from '../../../engine/trace/position.ts';
import { encodeTile, MAX_TILE_LEVEL, type TileCount, type TileRow, tileEvents } from './tile.ts';

const KINDS = EVENT_KINDS.length;
/** A power takes longer than all the rest of counting an event. */
const LEAST_EVENTS = tileEvents(0);
/** Room for actors at first; it doubles. */
const FIRST_ACTORS = 16;

/** An answer that came when the tile of its call was finished already. */
export interface LateAnswer {
  readonly level: number;
  readonly lane: number;
  readonly bucket: number;
  readonly kind: EventKind;
  /** 1: one more has failed, -1: one less. */
  readonly by: number;
}

/** The open bucket of one level: a row of counts for each actor that has something in it. */
class OpenBucket {
  /** One more than an actor's row, 0 for none; actors are many in a long recording, most of them long gone. */
  #rowOf = new Uint32Array(FIRST_ACTORS);
  readonly #actors: number[] = [];
  #count = new Uint32Array(FIRST_ACTORS * KINDS);
  #failed = new Uint32Array(FIRST_ACTORS * KINDS);
  #first = new Float64Array(FIRST_ACTORS * KINDS);

  add(actor: number, kind: number, count: number, failed: number, first: number): void {
    const row = actor < this.#rowOf.length ? (this.#rowOf[actor] as number) : 0;
    const place = (row === 0 ? this.#begin(actor) : row - 1) * KINDS + kind;
    const before = this.#count[place] as number;
    if (before === 0) this.#first[place] = first;
    this.#count[place] = before + count;
    if (failed !== 0) (this.#failed[place] as number) += failed;
  }

  /** Hands out what was counted, by actor and kind, and begins the next bucket. */
  take(each: (actor: number, kind: number, count: number, failed: number, first: number) => void): void {
    const rowOf = this.#rowOf;
    for (const actor of this.#actors.sort((a, b) => a - b)) {
      const from = ((rowOf[actor] as number) - 1) * KINDS;
      for (let kind = 0; kind < KINDS; kind++) {
        const [place, count] = [from + kind, this.#count[from + kind] as number];
        if (count > 0) each(actor, kind, count, this.#failed[place] as number, this.#first[place] as number);
      }
      this.#count.fill(0, from, from + KINDS);
      this.#failed.fill(0, from, from + KINDS);
      rowOf[actor] = 0;
    }
    this.#actors.length = 0;
  }

  /** Of a call that is counted here. */
  failedBy(actor: number, kind: number, by: number): void {
    (this.#failed[((this.#rowOf[actor] as number) - 1) * KINDS + kind] as number) += by;
  }

  /** A row for an actor that has none. */
  #begin(actor: number): number {
    const row = this.#actors.push(actor) - 1;
    this.#rowOf = withRoom(this.#rowOf, actor, (length) => new Uint32Array(length));
    this.#rowOf[actor] = row + 1;
    const last = row * KINDS + KINDS - 1;
    this.#count = withRoom(this.#count, last, (length) => new Uint32Array(length));
    this.#failed = withRoom(this.#failed, last, (length) => new Uint32Array(length));
    this.#first = withRoom(this.#first, last, (length) => new Float64Array(length));
    return row;
  }
}

/** The same numbers, twice as many or more where there is no place `last`. */
function withRoom<N extends Uint32Array | Float64Array>(
  numbers: N,
  last: number,
  make: (length: number) => N,
): N {
  if (last < numbers.length) return numbers;
  let length = numbers.length;
  while (length <= last) length *= 2;
  const more = make(length);
  more.set(numbers);
  return more;
}

/** Counts events as they come, and makes a tile of each bucket that is full. */
export class TileCounter {
  readonly #lowest = new OpenBucket();
  readonly #levels = [this.#lowest];
  #last = 0;
  #finished: TileRow[] = [];
  #late: LateAnswer[] = [];

  /** Counts the next event. `kind` is its place in EVENT_KINDS. */
  add(actor: number, kind: number, failed: boolean): void {
    this.#last += 1;
    this.#lowest.add(actor, kind, 1, failed ? 1 : 0, this.#last);
    if (this.#last % LEAST_EVENTS === 0) this.#finish(0);
  }

  /** Takes in that an event which was counted has turned out to fail (`by` 1), or not to (-1). */
  answered(seq: number, actor: number, kind: number, by: number): void {
    for (const [level, open] of this.#levels.entries()) {
      const size = tileEvents(level);
      const bucket = Math.floor((seq - 1) / size);
      if ((bucket + 1) * size > this.#last) {
        open.failedBy(actor, kind, by);
        return;
      }
      this.#late.push({ level, lane: actor, bucket, kind: EVENT_KINDS[kind] as EventKind, by });
    }
  }

  /** Tiles that were finished since. */
  takeFinished(): TileRow[] {
    const finished = this.#finished;
    if (finished.length > 0) this.#finished = [];
    return finished;
  }

  /** Answers for tiles that were finished before: after {@link takeFinished}. */
  takeLate(): LateAnswer[] {
    const late = this.#late;
    if (late.length > 0) this.#late = [];
    return late;
  }

  #finish(level: number): void {
    const bucket = this.#last / tileEvents(level) - 1;
    if (level < MAX_TILE_LEVEL && level + 1 === this.#levels.length) this.#levels.push(new OpenBucket());
    const above = this.#levels[level + 1];
    let lane = -1;
    let counts: TileCount[] = [];
    const end = (): void => {
      if (counts.length > 0) this.#finished.push([level, lane, bucket, encodeTile(level, bucket, counts)]);
    };
    (this.#levels[level] as OpenBucket).take((actor, kind, count, failed, first) => {
      if (actor !== lane) {
        end();
        [lane, counts] = [actor, []];
      }
      counts.push({ kind: EVENT_KINDS[kind] as EventKind, count, failed, first: seqOf(first) });
      above?.add(actor, kind, count, failed, first);
    });
    end();
    if (above !== undefined && this.#last % tileEvents(level + 1) === 0) this.#finish(level + 1);
  }
}
