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

/** The open bucket of one level; a place is actor × kinds + kind. */
class OpenBucket {
  #count = new Uint32Array(FIRST_ACTORS * KINDS);
  #failed = new Uint32Array(FIRST_ACTORS * KINDS);
  #first = new Float64Array(FIRST_ACTORS * KINDS);
  #touched: number[] = [];

  add(place: number, count: number, failed: number, first: number): void {
    if (place >= this.#count.length) this.#grow(place);
    const before = this.#count[place] as number;
    if (before === 0) {
      this.#touched.push(place);
      this.#first[place] = first;
    }
    this.#count[place] = before + count;
    if (failed !== 0) (this.#failed[place] as number) += failed;
  }

  /** Hands out what was counted, by place, and begins the next bucket. */
  take(each: (place: number, count: number, failed: number, first: number) => void): void {
    for (const place of this.#touched.sort((a, b) => a - b)) {
      each(place, this.#count[place] as number, this.#failed[place] as number, this.#first[place] as number);
      this.#count[place] = 0;
      this.#failed[place] = 0;
    }
    this.#touched = [];
  }

  failedBy(place: number, by: number): void {
    (this.#failed[place] as number) += by;
  }

  #grow(place: number): void {
    let length = this.#count.length;
    while (length <= place) length *= 2;
    const [count, failed, first] = [
      new Uint32Array(length),
      new Uint32Array(length),
      new Float64Array(length),
    ];
    count.set(this.#count);
    failed.set(this.#failed);
    first.set(this.#first);
    [this.#count, this.#failed, this.#first] = [count, failed, first];
  }
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
    this.#lowest.add(actor * KINDS + kind, 1, failed ? 1 : 0, this.#last);
    if (this.#last % LEAST_EVENTS === 0) this.#finish(0);
  }

  /** Takes in that an event which was counted has turned out to fail (`by` 1), or not to (-1). */
  answered(seq: number, actor: number, kind: number, by: number): void {
    for (const [level, open] of this.#levels.entries()) {
      const size = tileEvents(level);
      const bucket = Math.floor((seq - 1) / size);
      if ((bucket + 1) * size > this.#last) {
        open.failedBy(actor * KINDS + kind, by);
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
    (this.#levels[level] as OpenBucket).take((place, count, failed, first) => {
      const actor = Math.floor(place / KINDS);
      if (actor !== lane) {
        end();
        [lane, counts] = [actor, []];
      }
      counts.push({ kind: EVENT_KINDS[place % KINDS] as EventKind, count, failed, first: seqOf(first) });
      above?.add(place, count, failed, first);
    });
    end();
    if (above !== undefined && this.#last % tileEvents(level + 1) === 0) this.#finish(level + 1);
  }
}
