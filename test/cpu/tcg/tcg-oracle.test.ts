/** A few cases of each kind on QEMU's own processor and on engine/cpu. `npm run test:tcg` looks for new ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupNames, Oracle } from './oracle.ts';
import { findQemu } from './qemu.ts';

const CASES = 3;
const program = findQemu();
/** Always the same cases: a new one may meet an oddity of TCG that ./known.ts does not list yet. */
const seed = 77_000;

test('random cases of every mode do what QEMU does', {
  skip: program === undefined ? 'no QEMU (test/qemu/fetch.sh fetches one)' : false,
}, async (t) => {
  t.diagnostic(`seed ${seed}`);
  const oracle = new Oracle(program!);
  try {
    let compared = 0;
    let faults = 0;
    for (const name of groupNames()) {
      const tally = await oracle.group(name, seed, CASES);
      assert.equal(tally.differ, 0, oracle.differences[0]);
      compared += tally.agree;
      faults += tally.faults;
    }
    t.diagnostic(`${compared} cases, ${faults} ended by an exception`);
    // What cannot be compared, as what leaves memory, is rare.
    assert.ok(compared > 0.8 * CASES * groupNames().length);
    assert.ok(faults > compared / 4);
  } finally {
    oracle.end();
  }
});
