import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { emulate, scratch, verify } from './build.testing.ts';

/** Runs programs with guests in a folder of the test file's own. */
export interface Stage {
  readonly folder: string;
  /** Writes a guest program; returns its path. */
  guest(bytes: Uint8Array): string;
  /**
   * The program's text and status are right, and its trace replays to the same hash with most answers checked;
   * returns the trace.
   */
  shows(command: readonly string[], output: string, options?: Parameters<typeof emulate>[2]): Promise<string>;
}

export function stage(): Stage {
  const folder = scratch();
  let count = 0;
  return {
    folder,
    guest(bytes) {
      const path = join(folder, `guest-${count++}.bin`);
      writeFileSync(path, bytes);
      return path;
    },
    async shows(command, output, options = {}) {
      const { exit, out, err, trace } = await emulate(folder, command, options);
      assert.equal(err, '');
      assert.equal(out, output);
      assert.equal(exit, 0);
      const { divergences, verified, checked, bound } = await verify(trace);
      assert.deepEqual(divergences, []);
      assert.equal(verified, true);
      assert.ok(checked > 100 && checked >= 3 * bound, `${checked} checked, ${bound} bound`);
      return trace;
    },
  };
}
