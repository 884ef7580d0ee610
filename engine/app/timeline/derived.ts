import { lowerBound } from '../../replay/history.ts';

/** Derived events of a first block; blocks double, so that a long trace is copied a few times only. */
const FIRST_BLOCK = 1024;

/** Lanes of derived events, by the recorded event that they stand below: 13 bytes each. */
export class DerivedColumns {
  #seq = new Uint32Array(FIRST_BLOCK);
  #sub = new Uint32Array(FIRST_BLOCK);
  #lane = new Uint16Array(FIRST_BLOCK);
  #kind = new Uint8Array(FIRST_BLOCK);
  #failed = new Uint8Array(FIRST_BLOCK);
  #count = 0;
  #sorted = true;

  add(seq: number, sub: number, lane: number, kind: number, failed: number): void {
    const i = this.#count;
    if (i === this.#seq.length) this.#grow();
    // What a call causes at its return comes after what stands below later events.
    if (i > 0 && seq < (this.#seq[i - 1] as number)) this.#sorted = false;
    this.#seq[i] = seq;
    this.#sub[i] = sub;
    this.#lane[i] = lane;
    this.#kind[i] = kind;
    this.#failed[i] = failed;
    this.#count++;
  }

  /** Places of those below the events from `first` up to `end`. */
  window(first: number, end: number): readonly [from: number, to: number] {
    this.#sort();
    const seqs = this.#seq.subarray(0, this.#count);
    return [lowerBound(seqs, first), lowerBound(seqs, end)];
  }

  seqAt(place: number): number {
    return this.#seq[place] as number;
  }

  subAt(place: number): number {
    return this.#sub[place] as number;
  }

  laneAt(place: number): number {
    return this.#lane[place] as number;
  }

  kindAt(place: number): number {
    return this.#kind[place] as number;
  }

  failedAt(place: number): number {
    return this.#failed[place] as number;
  }

  #sort(): void {
    if (this.#sorted) return;
    this.#sorted = true;
    const [seq, sub] = [this.#seq, this.#sub];
    const order = Uint32Array.from({ length: this.#count }, (_, i) => i).sort(
      (a, b) => (seq[a] as number) - (seq[b] as number) || (sub[a] as number) - (sub[b] as number),
    );
    this.#seq = order.map((i) => seq[i] as number);
    this.#sub = order.map((i) => sub[i] as number);
    const [lane, kind, failed] = [this.#lane, this.#kind, this.#failed];
    this.#lane = Uint16Array.from(order, (i) => lane[i] as number);
    this.#kind = Uint8Array.from(order, (i) => kind[i] as number);
    this.#failed = Uint8Array.from(order, (i) => failed[i] as number);
  }

  #grow(): void {
    const length = this.#seq.length * 2;
    const [seq, sub, lane] = [new Uint32Array(length), new Uint32Array(length), new Uint16Array(length)];
    const [kind, failed] = [new Uint8Array(length), new Uint8Array(length)];
    seq.set(this.#seq);
    sub.set(this.#sub);
    lane.set(this.#lane);
    kind.set(this.#kind);
    failed.set(this.#failed);
    [this.#seq, this.#sub, this.#lane, this.#kind, this.#failed] = [seq, sub, lane, kind, failed];
  }
}
