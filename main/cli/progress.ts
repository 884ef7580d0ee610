const EVERY_MS = 100;

/**
 * Shows how far long work is, on a terminal only, and takes the line away at the end. Returned functions:
 * `report` to call as often as one likes, `done` once.
 */
export function progressLine(
  work: string,
  total = 0,
): { report(done: number, of?: number): boolean; done(): void } {
  if (!process.stderr.isTTY) return { report: () => true, done: () => {} };
  let last = Date.now();
  let shown = false;
  return {
    report(done, of = total) {
      const now = Date.now();
      if (now - last < EVERY_MS) return true;
      last = now;
      shown = true;
      const share = of === 0 ? '' : ` ${Math.floor((done / of) * 100)} %`;
      process.stderr.write(`\r${work}: ${done}${share}\u001b[K`);
      return true;
    },
    done() {
      if (shown) process.stderr.write('\r\u001b[K');
    },
  };
}
