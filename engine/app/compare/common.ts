/** Cells of the table below; longer lists are compared place by place. */
const MAX_CELLS = 250_000;

/** The longest common part of two lists: pairs of indexes, in order. What is undefined is like nothing. */
export function commonIn(
  a: readonly (string | undefined)[],
  b: readonly (string | undefined)[],
): (readonly [number, number])[] {
  const isSame = (i: number, j: number): boolean => a[i] !== undefined && a[i] === b[j];
  const pairs: (readonly [number, number])[] = [];
  if (a.length * b.length > MAX_CELLS) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) if (isSame(i, i)) pairs.push([i, i]);
    return pairs;
  }
  const width = b.length + 1;
  // Length of the longest common part of what begins at i and at j.
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] as number;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = isSame(i, j) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (isSame(i, j)) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}
