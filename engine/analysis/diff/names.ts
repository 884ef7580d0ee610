/** What a run chooses anew each time, so that two traces call one thing differently. */
export type NameKind = 'partition' | 'fd' | 'open' | 'process' | 'port' | 'connection' | 'address';
export type Name = number | bigint | string;

/** Which name of one trace stands for which of the other: one to one, learnt from events that were found to be the same. */
export class Names {
  readonly #there = new Map<NameKind, Map<Name, Name>>();
  readonly #back = new Map<NameKind, Map<Name, Name>>();

  /** Whether the two may be one thing; what neither trace has named before is one from now on. */
  same(kind: NameKind, a: Name, b: Name): boolean {
    const there = mapOf(this.#there, kind);
    const back = mapOf(this.#back, kind);
    const [known, meant] = [there.get(a), back.get(b)];
    if (known !== undefined || meant !== undefined) return known === b && meant === a;
    there.set(a, b);
    back.set(b, a);
    return true;
  }

  /** Both traces give the name to something new: whatever it meant before is over. */
  define(kind: NameKind, a: Name, b: Name): void {
    this.forget(kind, a, b);
    this.same(kind, a, b);
  }

  /** What the names meant is gone. */
  forget(kind: NameKind, a: Name, b: Name): void {
    const there = mapOf(this.#there, kind);
    const back = mapOf(this.#back, kind);
    const [known, meant] = [there.get(a), back.get(b)];
    if (known !== undefined) back.delete(known);
    if (meant !== undefined) there.delete(meant);
    there.delete(a);
    back.delete(b);
  }

  /** What the second trace calls it. */
  other(kind: NameKind, a: Name): Name | undefined {
    return this.#there.get(kind)?.get(a);
  }
}

function mapOf(maps: Map<NameKind, Map<Name, Name>>, kind: NameKind): Map<Name, Name> {
  let map = maps.get(kind);
  if (map === undefined) {
    map = new Map();
    maps.set(kind, map);
  }
  return map;
}

/** A 64-bit id as a name; undefined: the recording has not learnt it. */
export function nameOf(value: bigint | undefined): Name {
  if (value === undefined) return '?';
  return value < 0x20_0000_0000_0000n ? Number(value) : `${value >> 32n}:${value & 0xffff_ffffn}`;
}
