/** Numbers that a seed gives again (xorshift, 32 bits): each call gives one from 0 up to but not including `below`. */
export function generator(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** One of each group, then `more` of all, in any order. */
export function sampled<T>(
  all: readonly T[],
  groupOf: (each: T) => string,
  more: number,
  random: (below: number) => number,
): T[] {
  const groups = Map.groupBy(all, groupOf);
  const ones = [...groups.values()].map((group) => group[random(group.length)] as T);
  const others = Array.from({ length: Math.min(more, all.length) }, () => all[random(all.length)] as T);
  return [...ones, ...others];
}
