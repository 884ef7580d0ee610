/** The largest whole number whose square is not above `value`, by Newton's method from a `guess` that is not below it. */
export function wholeRoot(value: bigint, guess: bigint): bigint {
  let root = guess;
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
