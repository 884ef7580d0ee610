import type { RingWriter } from '../ring/ring.ts';
import type { PlainObject } from '../ring/wire.ts';

/**
 * What is on its way into the ring. A call whose beginning finds no room is left out as a whole; how many were lost is
 * told as soon as there is room, before what comes next.
 */
export class Outbox {
  readonly #ring: RingWriter;
  readonly #left = new Set<number>();
  #waiting: PlainObject[] = [];
  #lastId = 0;
  #lost = 0;
  /** When the last of them began. */
  #lostAt = 0;

  constructor(ring: RingWriter) {
    this.#ring = ring;
  }

  begin(event: PlainObject): number {
    this.#lastId++;
    this.#waiting.push({ id: this.#lastId, begin: event });
    return this.#lastId;
  }

  end(id: number, answer: PlainObject): void {
    this.#waiting.push({ id, end: answer });
  }

  event(event: PlainObject): void {
    this.#waiting.push({ event });
  }

  /** The interface that the program speaks has become known. */
  kernel(t: number, kernel: string, reason: string): void {
    this.#waiting.push({ kernel, reason, t });
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) this.#put(one);
  }

  /** Tells what was lost, where the program makes no more calls. */
  finish(): void {
    this.flush();
    if (this.#lost > 0) this.#tellLost();
  }

  #put(one: PlainObject): void {
    const { id } = one;
    if (typeof id === 'number' && this.#left.delete(id)) return;
    if (this.#lost > 0 && one.end === undefined) this.#tellLost();
    const isKept = this.#lost === 0 || one.end !== undefined;
    if (isKept && this.#ring.put(one, one.begin === undefined)) return;
    this.#lost++;
    this.#lostAt = timeOf(one) ?? this.#lostAt;
    if (typeof id === 'number' && one.begin !== undefined) this.#left.add(id);
  }

  #tellLost(): void {
    const event = { kind: 'mark', what: 'gap', t: this.#lostAt, lost: this.#lost };
    if (this.#ring.put({ event })) this.#lost = 0;
  }
}

function timeOf({ begin, event, t }: PlainObject): number | undefined {
  const inner = begin ?? event;
  const time = typeof inner === 'object' && inner !== null && 't' in inner ? inner.t : t;
  return typeof time === 'number' ? time : undefined;
}
