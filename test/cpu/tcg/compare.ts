/**
 * Runs cases on QEMU's own processor (TCG) and on engine/cpu, and prints how many agree, by mode and kind; then the first
 * differences. `node test/cpu/tcg/compare.ts [SEED [CASES [MODE [KIND]]]]`: CASES of each mode and kind; "all" for any mode.
 */
import { groupNames, Oracle, type Tally } from './oracle.ts';
import { findQemu } from './qemu.ts';

const [seedText, casesText, modeName = 'all', kindName = 'all'] = process.argv.slice(2);
const seed = Number(seedText ?? process.env.HVREWIND_SEED ?? Math.floor(Math.random() * 0x7fff_0000));
const cases = Number(casesText ?? 300);
const SHOWN = 20;

function row(name: string, { agree, differ, apart, faults }: Tally): string {
  const compared = agree + differ;
  const rate = compared === 0 ? '' : `${((100 * agree) / compared).toFixed(2)} %`;
  const why = [...apart].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return [
    name.padEnd(44),
    `${compared}`.padStart(6),
    rate.padStart(9),
    `${faults}`.padStart(7),
    `  ${why}`,
  ].join(' ');
}

const program = findQemu();
if (program === undefined) console.log('skipped: no QEMU (test/qemu/fetch.sh fetches one)');
else {
  const oracle = new Oracle(program);
  let differ = 0;
  try {
    console.log(`seed ${seed}, ${cases} cases of each; compared, agree, ended by an exception; not compared`);
    for (const name of groupNames()) {
      if (modeName !== 'all' && name.mode !== modeName) continue;
      if (kindName !== 'all' && name.kind !== kindName) continue;
      const tally = await oracle.group(name, seed, cases);
      differ += tally.differ;
      console.log(row(`${name.mode}: ${name.kind}`, tally));
    }
    for (const what of oracle.differences.slice(0, SHOWN)) console.log(`\n${what}`);
    if (oracle.differences.length > SHOWN) console.log(`\nand ${oracle.differences.length - SHOWN} more`);
  } finally {
    oracle.end();
  }
  process.exitCode = differ === 0 ? 0 : 1;
}
