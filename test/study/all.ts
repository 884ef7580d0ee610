/** `npm run study`: breaks every legal sample in every way and writes docs/mutation-study.md. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RULES } from '../../engine/rules/catalogue.ts';
import { ENGINE_VERSION } from '../../engine/version.ts';
import { legalSamples } from './legal.ts';
import { mutantsOf } from './operators.ts';
import { percent, Tally } from './tally.ts';
import { isSilent, verdictOf } from './verdict.ts';

const LISTED = 40;

const samples = legalSamples();
const silent = samples.filter(isSilent);
const tally = new Tally();
for (const sample of silent) for (const mutant of mutantsOf(sample)) tally.add(mutant, verdictOf(mutant));

const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const operators = [...tally.rows]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([operator, { tried, illegal, residue, open, detected, diverged, silentBreach }]) => {
    const share = percent(detected, illegal + residue);
    return [operator, tried, illegal, residue, open, detected, share, diverged, silentBreach];
  });
const reasons = [...tally.reasons].sort(([, a], [, b]) => b - a);
const missed = [...tally.missed].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
const loud = samples.filter((sample) => !silent.includes(sample)).map(({ name }) => `\`${name}\``);

const page = `# What the rules are worth

Written by \`npm run study\` (test/study), engine ${ENGINE_VERSION}, ${RULES.length} rules. Samples in which nothing is wrong are broken, one event at a time, and
judged as a recorder without the kernel's sources would see them: the profile's kernel is \`unknown\`, every access and call stands by itself. The
engine says which mutants are wrong: **illegal** (something is refused that was taken before), or with a **residue** (an object, or a SynIC register that is
on, which the sample does not leave, although something has ended since that should have taken it away). Of those the rules **detected**
${tally.detected} of ${tally.bad}: **${percent(tally.detected, tally.bad)}**; the goal is 90 %. Of the rest ${tally.diverged} are seen by \`replay\` alone,
which compares the recording with what the kernel of the sample's profile does; both together ${percent(tally.detected + tally.diverged, tally.bad)}.

Not counted as wrong are mutants that are **open**: something more is left, and nothing has ended. A recording may stop anywhere, and whoever has it may take it
away a moment later (two partitions where the sample has one; the last write of a tear-down left out). Nor is a call counted that the engine has no answer to, as in a
sample that begins mid-life.

${table(['operator', 'mutants', 'illegal', 'residue', 'open', 'detected', 'share', 'by replay alone', 'taken, yet a rule speaks'], operators)}

The last column counts mutants that the hypervisor takes without a word and that leave nothing: a reserved bit, an access by another
component.

Samples: ${silent.length}. Left out, since a rule speaks when the kernel is not known: ${loud.length === 0 ? 'none' : loud.join(', ')}.

## What no rule speaks of

${table(
  ['mutants', 'why'],
  reasons.map(([reason, n]) => [n, reason]),
)}

The ${Math.min(LISTED, missed.length)} most frequent of ${missed.length}:

${table(
  ['mutants', 'what was done, and what came of it'],
  missed.slice(0, LISTED).map(([miss, n]) => [n, miss]),
)}
`;
writeFileSync(join(import.meta.dirname, '../../docs/mutation-study.md'), page);
console.log(`${tally.detected} of ${tally.bad} detected (${percent(tally.detected, tally.bad)})`);
for (const miss of tally.unexplained) console.error(`no reason: ${miss}`);
process.exitCode = tally.unexplained.length === 0 ? 0 : 1;
